"""What an experiment measured: cumulative counts of each variant, look after look.

What belongs here: from long rows to the arrays that every method reads. A look is the state after
a day; totals without days, and rows of users, are one look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from pipelines.analysis.experiments.register import control_first
from pipelines.analysis.stats.arrays import Floats, Ints, codes, divide, floats, spread, sum_by
from pipelines.analysis.stats.intervals import Counts

USERS_SIGMA, EXACT_UP_TO = 0.0115, 3000
"""Relative standard error of a rate of GA4's users, and how many of them it counts exactly
(users_sigma and exact_up_to of dbt_project.yml; tested)."""


@dataclass(frozen=True)
class Metric:
    """Successes of trials, (looks, variants), the control first.

    `variance` of the rate is None where a trial succeeds once at most: then it is p q / n, and
    that of GA4's estimates where the counts `are_estimates`.
    """

    successes: Floats
    trials: Floats
    rate_variance: Floats | None = None
    are_estimates: bool = False

    @property
    def is_share(self) -> bool:
        """Whether the rate is a share of the trials, 0-1."""
        return self.rate_variance is None

    @property
    def rate(self) -> Floats:
        """Successes per trial, NaN without trials."""
        return divide(self.successes, self.trials)

    @property
    def variance(self) -> Floats:
        """Of the rate, estimated from each variant alone."""
        if self.rate_variance is not None:
            return self.rate_variance
        return divide(self.rate * (1 - self.rate), self.trials) + self.noise

    @property
    def noise(self) -> Floats:
        """The part of the variance that more units do not lessen: (p sigma)^2 of estimates."""
        is_noisy = self.are_estimates & (self.trials > EXACT_UP_TO)
        return np.where(is_noisy, (self.rate * USERS_SIGMA) ** 2, 0.0)

    def of(self, columns: Sequence[int]) -> Metric:
        """Of some variants, in this order."""
        chosen = list(columns)
        variance = self.rate_variance
        return Metric(
            self.successes[:, chosen],
            self.trials[:, chosen],
            None if variance is None else variance[:, chosen],
            self.are_estimates,
        )

    def counts(self, variant: int) -> Counts:
        """The last look of one variant, shape (1,); of estimates on p q / variance trials."""
        rate, trials = self.rate[-1:, variant], self.trials[-1:, variant]
        variance = self.variance[-1:, variant]
        if not self.noise[-1, variant] * (1 - rate[0]) > 0:
            return Counts(self.successes[-1:, variant], trials)
        effective = rate * (1 - rate) / variance
        return Counts(rate * effective, effective)


@dataclass(frozen=True)
class Outcomes:
    """An experiment's counts; `variants` has the control first, `days` is empty for totals.

    `exposed` (looks, variants) is cumulative; `revenue` (variants,) is the sum, without variance.
    `left_out` users were in several variants. `notes` are sentences on what else to know of the
    counts. `is_naive`: they are aggregates of GA4's, so that variances are of units that were never
    seen one by one.
    """

    variants: tuple[str, ...]
    days: tuple[date, ...]
    exposed: Floats
    primary: Metric
    macro: Metric | None = None
    revenue: Floats | None = None
    left_out: int = 0
    notes: tuple[str, ...] = ()
    is_naive: bool = False

    def in_order(self, names: Sequence[str]) -> Outcomes:
        """With the variants in the order of `names`; those that it does not have come last."""
        order = {name: place for place, name in enumerate(names)}
        columns = sorted(
            range(len(self.variants)), key=lambda one: order.get(self.variants[one], len(order))
        )
        return replace(
            self,
            variants=tuple(self.variants[one] for one in columns),
            exposed=self.exposed[:, columns],
            primary=self.primary.of(columns),
            macro=None if self.macro is None else self.macro.of(columns),
            revenue=None if self.revenue is None else self.revenue[columns],
        )

    def with_macro_of_primary(self) -> Outcomes:
        """Where the primary metric is the macro one itself, its counts are the macro's."""
        is_known = self.macro is not None or not self.primary.is_share
        return self if is_known else replace(self, macro=self.primary)

    @classmethod
    def from_totals(
        cls, frame: pd.DataFrame, *, notes: tuple[str, ...] = (), is_naive: bool = False
    ) -> Outcomes:
        """From rows variant, exposed, converted and, if there, date, macro_converted, revenue.

        With `date` a row is what came on that day alone, one row for each day and variant; the
        first variant, or one named `control`, is the control.
        """
        variants, column = _variants(frame["variant"])
        has_days = "date" in frame
        look = codes(frame, ["date"]) if has_days else np.zeros(len(frame), dtype=np.int64)

        def cumulative(name: str) -> Floats:
            return np.cumsum(spread(floats(frame[name]), look, column), axis=0)

        exposed = cumulative("exposed")
        macro = cumulative("macro_converted") if "macro_converted" in frame else None
        return cls(
            variants=variants,
            days=tuple(sorted(set(frame["date"]))) if has_days else (),
            exposed=exposed,
            primary=Metric(cumulative("converted"), exposed),
            macro=None if macro is None else Metric(macro, exposed),
            revenue=cumulative("revenue")[-1] if "revenue" in frame else None,
            notes=notes,
            is_naive=is_naive,
        )

    @classmethod
    def from_sums(
        cls, frame: pd.DataFrame, *, left_out: int, notes: tuple[str, ...], is_share: bool
    ) -> Outcomes:
        """From sums over users, one row for each day of exposure and variant, the control first.

        `date, variant, users, numerator, denominator, xx, nn, xn, macro_converted, revenue`: sums
        of each user's x and n, of their squares and product. Where `is_share`, x is 0 or 1 of
        n = 1; else the variance is the delta method's.
        """
        totals = frame.rename(columns={"users": "exposed", "numerator": "converted"})
        made = replace(cls.from_totals(totals, notes=notes), left_out=left_out)
        if is_share:
            return made
        look, (_, column) = codes(frame, ["date"]), _variants(frame["variant"])
        users, x, n, xx, nn, xn = (
            np.cumsum(spread(floats(frame[name]), look, column), axis=0)
            for name in ("users", "numerator", "denominator", "xx", "nn", "xn")
        )
        variance = delta_variance_of_sums(users, x, n, xx, nn, xn)
        return replace(made, primary=Metric(x, n, variance))

    @classmethod
    def from_users(cls, frame: pd.DataFrame) -> Outcomes:
        """From rows variant, user, numerator, denominator, one a user and variant.

        Users in several variants are left out and counted. Where every user has one trial that
        succeeds or not, these are counts; else the variance is the delta method's.
        """
        variants, column = _variants(frame["variant"])
        is_alone = ~frame["user"].duplicated(keep=False).to_numpy(dtype=bool)
        left_out = int(frame.loc[~is_alone, "user"].nunique())
        column = column[is_alone]
        numerator, denominator = (
            floats(frame[name])[is_alone] for name in ("numerator", "denominator")
        )
        users, x, n = (
            sum_by(values, column, len(variants))[None, :]
            for values in (np.ones(len(column)), numerator, denominator)
        )
        is_once = bool((denominator == 1).all() and np.isin(numerator, (0, 1)).all())
        variance = (
            None if is_once else delta_variance(numerator, denominator, column, len(variants))
        )
        return cls(variants, (), users, Metric(x, n, variance), left_out=left_out)


def delta_variance(numerator: Floats, denominator: Floats, group: Ints, groups: int) -> Floats:
    """Variance of sum(numerator) / sum(denominator) of each group's users. Shape (1, groups).

    Delta method: r = x/s, var = sum (x_i - r s_i)^2 / ((n - 1) n s̄^2) (Deng, Knoblich, Lu 2018,
    whose var(x) - 2 r cov(x, s) + r^2 var(s) this is). NaN with fewer than two users.
    """
    users = sum_by(np.ones(len(group)), group, groups)
    ratio = divide(sum_by(numerator, group, groups), sum_by(denominator, group, groups))
    squares = sum_by((numerator - ratio[group] * denominator) ** 2, group, groups)
    mean = divide(sum_by(denominator, group, groups), users)
    return divide(squares, (users - 1) * users * mean**2)[None, :]


def delta_variance_of_sums(
    users: Floats, x: Floats, n: Floats, xx: Floats, nn: Floats, xn: Floats
) -> Floats:
    """`delta_variance` of groups of which only sums over users are known, of any shape.

    sum (x_i - r n_i)^2 = sum x_i^2 - 2 r sum x_i n_i + r^2 sum n_i^2.
    """
    ratio, mean = divide(x, n), divide(n, users)
    squares = np.maximum(xx - 2 * ratio * xn + ratio**2 * nn, 0.0)
    return divide(squares, (users - 1) * users * mean**2)


def _variants(column: pd.Series) -> tuple[tuple[str, ...], Ints]:
    """Names, the control first and the others as they first stand; the place of each row's."""
    names = control_first(column)
    place = {name: number for number, name in enumerate(names)}
    return tuple(names), np.array([place[name] for name in column], dtype=np.int64)
