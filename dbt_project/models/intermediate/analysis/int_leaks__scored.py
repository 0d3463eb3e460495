"""What a step below its benchmark is worth (draws, allocation, rank, per funnel), and whose it is.

The segments that fall short of the shop's benchmark and those that make up for it add up: each
segment's counts stand beside the shop's, whose benchmark and worth per success count for all.
"""

from pipelines.analysis.stats.leak_table import GRAIN, score_leaks
from pipelines.analysis.stats.segment_table import score_segments

BESIDE_THE_SHOP = """
    select
        parts.property_id, parts.window_name, parts.segment_name, parts.step_number,
        parts.segment_value, parts.numerator, parts.denominator,
        shop.numerator as shop_numerator,
        shop.denominator as shop_denominator,
        shop.benchmark,
        shop.downstream_rate * shop.end_value as value
    from steps as parts
    inner join steps as shop using (property_id, window_name, step_key, previous_step_key)
    where parts.segment_name <> 'all' and shop.segment_name = 'all' and shop.benchmark is not null
"""


def model(dbt, session):
    dbt.config(materialized="table")
    steps = dbt.ref("int_leaks__chained")
    scored = score_leaks(steps.df())
    balanced = score_segments(steps.query("steps", BESIDE_THE_SHOP).df())
    return scored.merge(balanced, how="left", on=GRAIN)
