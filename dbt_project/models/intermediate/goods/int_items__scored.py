"""What SQL cannot compute of an item's rates: exact p, q, and the rate shrunk to the shop's."""

from pipelines.analysis.stats.items import score_items
from pipelines.config.thresholds import item_counts


def model(dbt, session):
    dbt.config(materialized="table")
    # In one order: sums of doubles depend on it.
    items = dbt.ref("int_items__summed").filter("is_current").order("all").df()
    chain = dbt.ref("funnel_steps").filter("funnel = 'core'").order("step_number").df()["key"]
    noise = dbt.ref("int_items__dispersed").df().rename(columns={"numerator_key": "step_key"})
    # Of the current windows alone, which end on the items' own day.
    noise = noise.merge(items[["property_id", "window_name", "window_end"]].drop_duplicates())
    return score_items(items, noise, chain.tolist(), item_counts())
