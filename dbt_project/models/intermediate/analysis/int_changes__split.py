"""How much of a step's change is its segments' rates, and how much their mix."""

from pipelines.analysis.stats.change_table import score_segments


def model(dbt, session):
    dbt.config(materialized="table")
    steps = dbt.ref("int_changes__paired")
    parts = steps.filter("segment_name <> 'all' and previous_step_key is not null")
    names = {"sessions": "numerator", "previous_sessions": "previous_numerator"}
    return score_segments(parts.df().rename(columns=names))
