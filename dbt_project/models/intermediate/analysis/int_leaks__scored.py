"""What a step below its benchmark is worth: draws, allocation and rank, per funnel."""

from pipelines.analysis.stats.leak_table import score_leaks


def model(dbt, session):
    dbt.config(materialized="table")
    df = dbt.ref("int_leaks__chained").df()
    return score_leaks(df.assign(order_value=df["end_value"]))
