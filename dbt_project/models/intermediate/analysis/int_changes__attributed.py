"""How much of the change of revenue each factor carries (LMDI), per funnel."""

from pipelines.analysis.stats.change_table import score_stages


def model(dbt, session):
    dbt.config(materialized="table")
    df = dbt.ref("int_changes__factored").df()
    return score_stages(df)
