"""How each product stands against all products of the shop, step by step.

What belongs here: pure functions on the frame that the dbt model `int_items__scored` hands over.
Formulas: docs/analytics.md, "Products".
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from pipelines.analysis.stats.arrays import codes, divide, floats, sum_by
from pipelines.analysis.stats.benchmarks import exact_p_below, q_values, score_p_below
from pipelines.analysis.stats.shrinkage import shrink

FAMILY = ["property_id", "window_name", "step_key"]


def score_items(
    items: pd.DataFrame, noise: pd.DataFrame, chain: Sequence[str], counts: Mapping[str, str]
) -> pd.DataFrame:
    """Scores of each item's rate at each step of `chain` but the first.

    `items` has a row per property, window and item, with units in the columns that `counts` names
    for keys of the chain; `noise` has phi_wide, how much units vary more than independent trials
    would, by `FAMILY` (1 where it has no row). Gives the keys of `items` with step_key, shop_rate
    (of all items together), p_value (one-sided against shop_rate: exact binomial, and where phi > 1
    no less than the score test's on units / phi), q_value (within a property, window and step) and
    shrunk_rate (to shop_rate, by units / phi). NaN where there is no rate.
    """
    keys = ["property_id", "window_name", "item_id", "item_name"]
    rows = pd.concat(
        items[keys].assign(step_key=step, x=items[counts[step]], n=items[counts[before]])
        for before, step in pairwise(step for step in chain if step in counts)
    ).merge(noise[[*FAMILY, "phi_wide"]], how="left", on=FAMILY)
    x, n = floats(rows["x"]), floats(rows["n"])
    phi = floats(rows["phi_wide"].fillna(1.0))
    family = codes(rows, FAMILY)
    families = int(family.max()) + 1 if len(rows) else 0
    is_known = rows["x"].notna() & rows["n"].notna()
    shop = divide(sum_by(x * is_known, family, families), sum_by(n * is_known, family, families))
    exact = exact_p_below(x, n, shop[family])
    # Where all or none go on there is no variance to score by.
    pooled = np.where((shop > 0) & (shop < 1), shop, np.nan)[family]
    score = score_p_below(divide(x, n), np.where(n > 0, n / phi, np.nan), pooled)
    scored = rows[[*keys, "step_key"]].assign(
        shop_rate=shop[family],
        p_value=np.where((phi > 1) & ~np.isnan(exact), np.fmax(exact, score), exact),
        shrunk_rate=shrink(x / phi, n / phi, family, families).rate,
    )
    scored["q_value"] = scored.groupby(FAMILY)["p_value"].transform(
        lambda one: q_values(one.to_numpy(dtype="float64"))
    )
    return scored
