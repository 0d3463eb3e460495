"""How much of a step's change is its segments' rates, and how much their mix."""

from pipelines.analysis.stats.change_table import score_segments


def model(dbt, session):
    dbt.config(materialized="table")
    df = dbt.ref("int_changes__segmented").df()
    return score_segments(df)
