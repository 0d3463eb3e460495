"""False alarms and power of the comparison of two sources of one shop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.analysis.stats.anomaly_table import LOOKBACK_DAYS, SERIES, score_days
from pipelines.analysis.stats.arrays import Floats
from tests.study.counts import estimate_large
from tests.study.nights import FIRST_DAY, RHYTHM
from tests.study.results import Figure, Section, generator, share_of

STEPS = np.array([1.0, 0.55, 0.08, 0.04, 0.016])
"""Share of the sessions that reach each step of the core funnel."""
NIGHTS, FALSE_NIGHTS = 28, 0.05
DAYS = LOOKBACK_DAYS + NIGHTS


@dataclass(frozen=True)
class Case:
    """What the second source sees: `share` of all sessions, off by `swing` from day to day."""

    name: str
    per_day: int
    share: float = 1.0
    swing: float = 0.0


CASES = (
    Case("equal counts, 1,000 sessions a day", 1_000),
    Case("equal but for estimates, 5,000 a day", 5_000),
    Case("equal but for estimates, 20,000 a day", 20_000),
    Case("85 % ± 2 % of 300 a day", 300, 0.85, 0.02),
    Case("85 % ± 2 % of 5,000 a day", 5_000, 0.85, 0.02),
    Case("60 % ± 5 % of 5,000 a day", 5_000, 0.6, 0.05),
)
# Orders a day, of which the second source sees 85 % and then loses a third.
ORDERS, FAULT_DAYS, AIM, LEAST_POWER = (16, 50, 150), 3, 50, 0.95

TEXT = f"""
A shop of two sources over {DAYS} days: sessions and the steps of the core funnel are Poisson with a
weekly rhythm. The first source estimates them as GA4 does (2.3 % from 3,000 on), the second sees a
share of them that swings from day to day, the same for all steps, each session for itself. What
each has of the larger count goes to the function that the dbt model calls; the last {NIGHTS} nights
are judged, with q over the sources' own tests (in a shop the night's other rates are in the family,
too): where nothing moved, q ≤ 0.05 lets one night in twenty have an alert. The falls: of the second
source's last {FAULT_DAYS} days a third of the orders is missing."""


def sources_section(shops: int = 100) -> Section:
    """How often a ratio is called moved where none did, and where one did."""
    figures: list[Figure] = []
    for number, case in enumerate(CASES):
        told = _alerts(*_counts(case, shops, number))
        nights = told.drop_duplicates(["property_id", "date"])
        figures.append(
            share_of(
                f"nights with a moved ratio: {case.name}",
                np.arange(shops * NIGHTS) < len(nights),
                high=FALSE_NIGHTS,
            )
        )
    figures += [_fault(orders, shops) for orders in ORDERS]
    return Section("Two sources", TEXT, figures)


def _fault(orders: int, shops: int) -> Figure:
    case = Case("", round(orders / STEPS[-1]), 0.85, 0.02)
    first, second = _counts(case, shops, 90, orders)
    lost = second[:, -1, -FAULT_DAYS:]
    second[:, -1, -FAULT_DAYS:] -= generator(7, 91, orders).binomial(lost.astype(np.int64), 1 / 3)
    told = _alerts(first, second)
    is_of_fault = (told["key"] == len(STEPS) - 1) & (
        told["date"] > FIRST_DAY + pd.Timedelta(days=DAYS - 1 - FAULT_DAYS)
    )
    found = np.isin(np.arange(shops), told.loc[is_of_fault, "property_id"])
    what = f"a third of {orders} orders a day is lost: told within {FAULT_DAYS} days"
    return share_of(what, found, low=LEAST_POWER if orders == AIM else None)


def _counts(case: Case, shops: int, *stream: int) -> tuple[Floats, Floats]:
    """Sessions by each source, (shops, steps, days)."""
    rng = generator(7, *stream)
    level = case.per_day * STEPS[:, None] * np.resize(RHYTHM, DAYS)
    true = rng.poisson(level, (shops, len(STEPS), DAYS))
    seen = np.clip(case.share + case.swing * rng.standard_normal((shops, 1, DAYS)), 0, 1)
    second = rng.binomial(true, seen).astype(np.float64)
    return estimate_large(rng, true.astype(np.float64)), second


def _alerts(first: Floats, second: Floats) -> pd.DataFrame:
    """The alerts of the judged nights, a row a number of days."""
    shop, step, day = (one.ravel() for one in np.indices(first.shape))
    dates = FIRST_DAY + pd.to_timedelta(day, unit="D")
    larger = np.maximum(first, second).ravel()
    frame = pd.concat(
        pd.DataFrame(
            {
                **dict.fromkeys(SERIES, 0),
                "property_id": shop,
                "segment_value": source,
                "key": step,
                "date": dates,
                "numerator": counts.ravel(),
                "denominator": larger,
                **dict.fromkeys(("is_declared", "is_lost", "is_flawed"), False),
            }
        )
        for source, counts in enumerate((first, second))
    )
    scored = score_days(frame, str((FIRST_DAY + pd.Timedelta(days=LOOKBACK_DAYS)).date()))
    return scored[scored["alert_kind"].notna()]
