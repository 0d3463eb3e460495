"""How each product stands against all products of the shop, step by step.

What belongs here: from the units of items to rows of `parts`, for the dbt model
`int_items__scored`.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pandas as pd

from pipelines.analysis.stats.parts import score_parts

FAMILY = ["property_id", "window_name", "step_key"]


def score_items(
    items: pd.DataFrame, noise: pd.DataFrame, chain: Sequence[str], counts: Mapping[str, str]
) -> pd.DataFrame:
    """Scores of each item's rate at each step of `chain` but the first.

    `items` has a row per property, window and item, with units in the columns that `counts` names
    for keys of the chain; `noise` has phi_wide, how much units vary more than independent trials
    would, by `FAMILY` (1 where it has no row). Gives the keys of `items` with step_key,
    previous_step_key and the scores of `parts`.
    """
    keys = ["property_id", "window_name", "item_id", "item_name"]
    rows = pd.concat(
        items[keys].assign(
            step_key=step, previous_step_key=before, x=items[counts[step]], n=items[counts[before]]
        )
        for before, step in pairwise(step for step in chain if step in counts)
    ).merge(noise[[*FAMILY, "phi_wide"]], how="left", on=FAMILY)
    rows["phi"] = rows["phi_wide"].fillna(1.0)
    scores = score_parts(rows, FAMILY, FAMILY)
    return rows[[*keys, "step_key", "previous_step_key"]].join(scores)
