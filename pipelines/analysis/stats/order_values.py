"""What an order of each part of a shop brings: drawn to the shop's, with its error.

What belongs here: pure functions on the frame that the dbt model `int_orders__valued` hands over.
Formulas: docs/analytics.md, "Leaks". Money in the currency of the frame.
"""

import numpy as np
import pandas as pd

from pipelines.analysis.stats.arrays import codes, divide, floats, sum_by
from pipelines.analysis.stats.frame_keys import CELL
from pipelines.analysis.stats.shrinkage import shrink_means


def value_orders(frame: pd.DataFrame) -> pd.DataFrame:
    """Order values of segments, one row per row of `frame`: `CELL`, order_value, order_value_error.

    Reads `CELL`, purchase_revenue, transactions, and of the shop, the same in all rows of a window:
    shop_revenue, shop_transactions and order_variance, the variance of one order's value. A segment
    without orders of its own has the shop's value, none where the shop has no revenue. The error is
    one standard deviation: 0 where the variance is not known, NaN where the value is not.
    """
    revenue, orders = floats(frame["purchase_revenue"]), floats(frame["transactions"])
    group, variance = codes(frame, CELL[:3]), floats(frame["order_variance"])
    groups = int(group.max()) + 1 if len(frame) else 0
    of_group = np.full(groups, np.nan)
    of_group[group] = variance
    shrunk = shrink_means(revenue, orders, of_group, group)
    has_own = ~np.isnan(shrunk.rate)
    shop_revenue, shop_orders = floats(frame["shop_revenue"]), floats(frame["shop_transactions"])
    shop_value = divide(np.where(shop_revenue > 0, shop_revenue, np.nan), shop_orders)
    value = np.where(has_own, shrunk.rate, shop_value)
    own = np.where(has_own, orders, 0.0)
    weight = own + shrunk.strength
    drawn = 1 - divide(own, weight)
    # How much segments differ is itself an estimate from few of them.
    others = sum_by(has_own.astype(np.float64), group, groups)[group] - 1
    moved = drawn * (divide(revenue, orders) - shrunk.pooled)
    errors = [
        divide(variance, weight),
        drawn**2 * divide(variance, shop_orders),
        np.where(has_own, divide(2 * moved**2, others), 0.0),
    ]
    squared = np.nansum(errors, axis=0)
    return frame[CELL].assign(
        order_value=value,
        order_value_error=np.where(np.isnan(value), np.nan, np.sqrt(squared)),
    )
