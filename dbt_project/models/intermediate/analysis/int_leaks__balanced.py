"""Who falls short of the shop's benchmark and who makes up for it: segments that add up."""

from pipelines.analysis.stats.segment_table import score_segments


def model(dbt, session):
    dbt.config(materialized="table")
    df = dbt.ref("int_leaks__segmented").df()
    return score_segments(df)
