"""Outcomes as rows by day and variant, as the warehouse keeps them, and back."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.metrics import Metric, Outcomes
from pipelines.analysis.stats.arrays import Floats, floats

COLUMNS = (
    "variant", "date", "exposed", "numerator", "denominator", "rate_variance", "macro_converted",
    "revenue",
)  # fmt: skip


def as_rows(outcomes: Outcomes) -> pd.DataFrame:
    """`COLUMNS`, a row for each day and variant, the control first; counts are of that day alone.

    Without days there is one row a variant, its date NULL. The variance of a rate is that up to the
    day. Revenue is known as a whole: it stands
    in the rows of the last day.
    """
    looks, arms = outcomes.exposed.shape
    primary, macro = outcomes.primary, outcomes.macro
    days = outcomes.days or (None,)

    def by_day(cumulative: Floats | None) -> Floats:
        if cumulative is None:
            return np.full(looks * arms, np.nan)
        return np.diff(cumulative, axis=0, prepend=np.zeros((1, arms))).ravel()

    def by_look(values: Floats | None) -> Floats:
        return np.full(looks * arms, np.nan) if values is None else values.ravel()

    revenue = np.full((looks, arms), np.nan)
    if outcomes.revenue is not None:
        revenue[-1] = outcomes.revenue
    variance = primary.rate_variance
    return pd.DataFrame(
        {
            "variant": list(outcomes.variants) * looks,
            "date": [day for day in days for _ in range(arms)],
            "exposed": by_day(outcomes.exposed),
            "numerator": by_day(primary.successes),
            "denominator": by_day(primary.trials),
            "rate_variance": by_look(variance),
            "macro_converted": by_day(None if macro is None else macro.successes),
            "revenue": revenue.ravel(),
        }
    )


def refuse_stored_variants(stored: Iterable[str], registered: Iterable[str]) -> None:
    """Raises ExperimentError where stored rows are not of the variants of the register."""
    if set(stored) != set(registered):
        raise ExperimentError(
            "The outcomes that are kept are of other variants than the register has: put back what "
            "they were read from, or correct the register."
        )


def from_rows(rows: pd.DataFrame, order: list[str], left_out: int) -> Outcomes:
    """What `as_rows` made; `order` has the control first."""
    rows = rows.assign(place=rows["variant"].map({name: i for i, name in enumerate(order)}))
    rows = rows.sort_values(["date", "place"], na_position="first")
    arms = len(order)

    def looks(name: str) -> Floats:
        return np.cumsum(floats(rows[name]).reshape(-1, arms), axis=0)

    exposed, numerator, trials = (looks(one) for one in ("exposed", "numerator", "denominator"))
    variance = floats(rows["rate_variance"]).reshape(-1, arms)
    # Counts have no variance of their own; ratios of one user a variant have none that is known.
    is_share = (
        np.isnan(variance).all()
        and (numerator % 1 == 0).all()
        and (numerator <= trials).all()
        and (trials == exposed).all()
    )
    macro, revenue = looks("macro_converted"), floats(rows["revenue"]).reshape(-1, arms)[-1]
    days = pd.to_datetime(rows["date"].drop_duplicates()).dropna()
    return Outcomes(
        variants=tuple(order),
        days=tuple(days.dt.date),
        exposed=exposed,
        primary=Metric(numerator, trials, None if is_share else variance),
        macro=None if np.isnan(macro).any() else Metric(macro, exposed),
        revenue=None if np.isnan(revenue).any() else revenue,
        left_out=left_out,
    )
