"""How much speaks for a cause: what its rank among the causes of one step goes by.

What belongs here: from the signals that a rule rests on to two numbers. docs/analytics.md,
"Diagnosis", has the rule in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

# That a tag is there is what a rule needs, and speaks for no cause.
_NO_SIGNAL = "tracked"
_BOUNDS = {"low": "comparison_low", "high": "comparison_high"}


@dataclass(frozen=True)
class Strength:
    """`signals`: how many hold; `distance`: how far, 0-1, they are from what they are measured by
    on average, 0 where none is measured by anything.
    """

    signals: int
    distance: float


def weigh(rows: Sequence[Mapping[str, Any]]) -> Strength:
    """The evidence of one rule, of its metrics that hold in one part of the shop.

    `rows`: rows of `int_metrics__levelled` with `wanted`, the level that the rule asks about (or
    that it asks not to be). A metric's distance is |value - bound| / max(value, bound).
    """
    signals = [row for row in rows if row["level"] != _NO_SIGNAL]
    known = [found for row in signals if not np.isnan(found := _distance(row))]
    return Strength(len(signals), float(np.mean(known)) if known else 0.0)


def _distance(row: Mapping[str, Any]) -> float:
    """NaN where the level is measured by no bound, as a tag's."""
    bound = row.get(_BOUNDS.get(row["wanted"], ""))
    value, bound = (np.nan if pd.isna(one) else float(one) for one in (row["value"], bound))
    return abs(value - bound) / max(value, bound) if value + bound > 0 else np.nan
