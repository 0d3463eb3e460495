"""What SQL cannot compute of an item's rates: exact p, q, and the rate shrunk to the shop's."""

from pipelines.analysis.stats.items import score_items
from pipelines.config.thresholds import item_counts


def model(dbt, session):
    dbt.config(materialized="table")
    # In one order: sums of doubles depend on it.
    items = dbt.ref("int_items__summed").filter("is_current").order("all").df()
    chain = dbt.ref("funnel_steps").filter("funnel = 'core'").order("step_number").df()["key"]
    return score_items(items, chain.tolist(), item_counts())
