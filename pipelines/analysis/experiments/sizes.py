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


def units_for_means(variance: float, difference: float, alpha: float, power: float) -> float:
    """n of each of two arms of means: 2 variance (z_(1-a/2) + z_(1-b))^2 / difference^2.

    `variance` is that of one unit, in both arms.
    """
    quantiles = stats.norm.ppf(np.array([1 - alpha / 2, power]))
    return float(2 * variance * quantiles.sum() ** 2 / difference**2)


def times_for_looks(alpha: float = ALPHA, power: float = POWER) -> float:
    """How many times the units of one look the mSPRT needs for its power by its last look.

    With k times the units, d^2 / V is k m^2, m = z_(1-a/2) + z_(1-b); mixing by tau = d the mSPRT
    tells d at z_k = sqrt(2 (1 + 1/(k m^2)) (ln(1 + k m^2)/2 - ln alpha)), and k solves sqrt(k) m =
    z_k + z_(1-b). Cautious, as an earlier look may tell it; most experiments end far earlier.
    """
    z_alpha, z_beta = stats.norm.ppf(np.array([1 - alpha / 2, power]))
    mean = z_alpha + z_beta

    def short_by(times: float) -> float:
        ratio = times * mean**2
        told_at = np.sqrt(2 * (1 + 1 / ratio) * (np.log1p(ratio) / 2 - np.log(alpha)))
        return float(np.sqrt(ratio) - told_at - z_beta)

    return float(optimize.brentq(short_by, 1.0, 100.0))


def detectable_lift(
    baseline: float, units: float, alpha: float = ALPHA, power: float = POWER
) -> float | None:
    """The smallest relative lift that `units` per arm show with `power`, a billionth at least; None
    where not even 100 % of the units converting would.
    """
    most = 1 / baseline - 1

    def short_by(lift: float) -> float:
        return units_per_arm(baseline, baseline * (1 + lift), alpha, power) - units

    if not most > 0 or short_by(most) > 0:
        return None
    least = min(most, 1.0) * 1e-9
    if short_by(least) <= 0:
        return least
    return float(optimize.brentq(short_by, least, most, xtol=1e-12))
