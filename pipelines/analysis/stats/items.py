"""How each product stands against all products of the shop, step by step.

What belongs here: pure functions on the frame that the dbt model `int_items__scored` hands over.
Formulas: docs/analytics.md, "Products".
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pandas as pd

from pipelines.analysis.stats.arrays import codes, divide, floats, sum_by
from pipelines.analysis.stats.benchmarks import exact_p_below, q_values
from pipelines.analysis.stats.shrinkage import shrink

FAMILY = ["property_id", "window_name", "step_key"]


def score_items(
    items: pd.DataFrame, chain: Sequence[str], counts: Mapping[str, str]
) -> pd.DataFrame:
    """Scores of each item's rate at each step of `chain` but the first.

    `items` has a row per property, window and item, with units in the columns that `counts` names
    for keys of the chain. Gives
    these keys with step_key, shop_rate (of all items together), p_value (one-sided exact binomial
    against shop_rate), q_value (within a property, window and step) and shrunk_rate (to shop_rate).
    NaN where there is no rate. Units of one session are not independent: p and q are for ranking.
    """
    keys = ["property_id", "window_name", "item_id", "item_name"]
    rows = pd.concat(
        items[keys].assign(step_key=step, x=items[counts[step]], n=items[counts[before]])
        for before, step in pairwise(step for step in chain if step in counts)
    ).reset_index(drop=True)
    x, n = floats(rows["x"]), floats(rows["n"])
    family = codes(rows, FAMILY)
    families = int(family.max()) + 1 if len(rows) else 0
    is_known = rows["x"].notna() & rows["n"].notna()
    shop = divide(sum_by(x * is_known, family, families), sum_by(n * is_known, family, families))
    scored = rows[[*keys, "step_key"]].assign(
        shop_rate=shop[family],
        p_value=exact_p_below(x, n, shop[family]),
        shrunk_rate=shrink(x, n, family, families).rate,
    )
    scored["q_value"] = scored.groupby(FAMILY)["p_value"].transform(
        lambda one: q_values(one.to_numpy(dtype="float64"))
    )
    return scored
