"""What an order of each part of a shop brings, drawn to the shop's, with its error."""

from pipelines.analysis.stats.frame_keys import CELL
from pipelines.analysis.stats.order_values import value_orders

BESIDE_THE_SHOP = """
    select
        parts.property_id, parts.window_name, parts.segment_name, parts.segment_value,
        parts.purchase_revenue, parts.transactions,
        shop.purchase_revenue as shop_revenue,
        shop.transactions as shop_transactions,
        shop.order_variance
    from carts as parts
    inner join carts as shop using (property_id, window_name)
    where parts.is_current and shop.is_current and shop.segment_name = 'all'
"""


def model(dbt, session):
    dbt.config(materialized="table")
    carts = dbt.ref("int_carts__summed")
    # In one order: sums of doubles depend on it.
    return value_orders(carts.query("carts", BESIDE_THE_SHOP).order(", ".join(CELL)).df())
