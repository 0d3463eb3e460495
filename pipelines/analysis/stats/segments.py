"""A step's shortfall by segment: signed values that add up over one partition of the shop.

What belongs here: matrices of (steps, segments), the segments of one row being one partition
(device or channel, never both). Formulas: docs/analytics.md, "Leaks".
"""

from dataclasses import dataclass

import numpy as np

from pipelines.analysis.stats.arrays import Floats
from pipelines.analysis.stats.attribution import in_cents, round_to_total


@dataclass(frozen=True)
class Balance:
    """Money by segment, to the smallest unit: signed = shortfall - surplus.

    `rest` (steps,) is what the shop's own counts have beyond its segments (sessions over midnight,
    estimated counts): the segments' signed values and `rest` add up to `total` exactly.
    """

    signed: Floats
    shortfall: Floats
    surplus: Floats
    rest: Floats
    total: Floats


@dataclass(frozen=True)
class Parts:
    """Counts of the segments, (steps, segments), NaN where one is missing; of the shop (steps,)."""

    successes: Floats
    trials: Floats
    shop_successes: Floats
    shop_trials: Floats


def balance(parts: Parts, benchmark: Floats, value: Floats) -> Balance:
    """Signed n (b - r) value of each segment: positive below the benchmark, negative above it.

    `benchmark` and `value` are per step, (steps,): `value` is what one more success is worth,
    downstream_k AOV of the whole shop; with each segment's own the parts would not add up.
    """
    worth = value[:, None]
    signed = (parts.trials * benchmark[:, None] - parts.successes) * worth
    shop = (parts.shop_trials * benchmark - parts.shop_successes) * value
    rest = shop - np.nansum(signed, axis=1)
    rounded = round_to_total(np.column_stack([signed, rest]), shop)
    segments = rounded[:, :-1]
    return Balance(
        signed=segments,
        shortfall=np.maximum(segments, 0.0),
        surplus=np.maximum(-segments, 0.0),
        rest=rounded[:, -1],
        total=in_cents(shop),
    )
