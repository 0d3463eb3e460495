"""What SQL cannot compute of a benchmark comparison: exact p, q, odds, weeks to know."""

from pipelines.analysis.stats.benchmarks import GRAIN, score_comparisons


def model(dbt, session):
    dbt.config(materialized="table")
    df = dbt.ref("int_benchmarks__compared").df()
    # In one order: sums of doubles depend on it.
    return score_comparisons(df.sort_values(GRAIN, ignore_index=True))
