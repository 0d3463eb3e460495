"""What SQL cannot compute of a benchmark comparison: exact p, q, odds, weeks to know."""

from pipelines.stats.benchmarks import score_comparisons


def model(dbt, session):
    dbt.config(materialized="table")
    df = dbt.ref("int_benchmarks__compared").df()
    return score_comparisons(df)
