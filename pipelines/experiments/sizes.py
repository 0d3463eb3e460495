"""How many units a difference needs, and what so many units can show."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import optimize, stats

Null = Literal["pooled", "unpooled", "baseline"]
ALPHA, POWER = 0.05, 0.80


def units_per_arm(
    baseline: float,
    other: float,
    alpha: float = ALPHA,
    power: float = POWER,
    null: Null = "pooled",
) -> float:
    """n of each of two arms, two-sided, not rounded (Fleiss, Levin, Paik 2003).

    [z_(1-a/2) sqrt(null) + z_(1-b) sqrt(p1 q1 + p2 q2)]^2 / (p1 - p2)^2, with the variance under no
    difference `pooled` 2 p̄ q̄, `unpooled` p1 q1 + p2 q2, or that of the `baseline`, 2 p1 q1.
    Infinite where the rates are equal.
    """
    mean, own = (baseline + other) / 2, baseline * (1 - baseline) + other * (1 - other)
    of_null = {
        "pooled": 2 * mean * (1 - mean),
        "unpooled": own,
        "baseline": 2 * baseline * (1 - baseline),
    }[null]
    if baseline == other:
        return float("inf")
    z_alpha, z_beta = stats.norm.ppf(np.array([1 - alpha / 2, power]))
    spread = z_alpha * np.sqrt(of_null) + z_beta * np.sqrt(own)
    return float(spread**2 / (baseline - other) ** 2)


def detectable_lift(
    baseline: float, units: float, alpha: float = ALPHA, power: float = POWER
) -> float | None:
    """The smallest relative lift that `units` per arm show with `power`; None where not even 100 %
    of the units converting would.
    """
    most = 1 / baseline - 1

    def short_by(lift: float) -> float:
        return units_per_arm(baseline, baseline * (1 + lift), alpha, power) - units

    if not most > 0 or short_by(most) > 0:
        return None
    return float(optimize.brentq(short_by, most * 1e-9, most, xtol=1e-12))
