"""Whether the rate of some days is unlike the same weekdays before: its p, and what to alert.

What belongs here: one row per property, rate and night with its 56 days before. The model is a
beta-binomial: between days the rate itself varies, with the intra-day correlation rho (Williams
1975, Griffiths 1973). Formulas: docs/analytics.md, "Anomalies".
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipelines.analysis.stats.arrays import Bools, Floats, Ints, Objects, divide, is_rate
from pipelines.analysis.stats.benchmarks import q_values

WEEKDAYS = 7
WEEKS = 8
HISTORY_DAYS = WEEKDAYS * WEEKS
WINDOWS = (1, 3, 7)
"""Days that are judged together: the newest one alone, and the last three and seven."""


@dataclass(frozen=True)
class Rules:
    """When to test and when to alert.

    `least_weeks` of the same weekdays are needed for a p (house default): with four, rho is known
    so badly that 1.6 % of quiet days have a p of 1 % (docs/study.md). Below `least_trials` there is
    no test either: it could not become an alert, and would make the others' q larger.
    """

    false_discovery_rate: float = 0.05
    least_change: float = 0.15
    least_trials: int = 100
    least_weeks: int = 6


@dataclass(frozen=True)
class Days:
    """Counts of the days of a window, (rows, days), 1 to 7 of them, and of the 56 days before its
    first one, oldest first, (rows, 56).

    `is_usable` (rows, 56) is False for what is no baseline: alerted and declared days, those of
    another level, those without data.
    """

    successes: Floats
    trials: Floats
    past_successes: Floats
    past_trials: Floats
    is_usable: Bools


@dataclass(frozen=True)
class Surprise:
    """Expected rate, relative change from it, two-sided p, weeks of the same weekdays; (rows,)."""

    expected: Floats
    relative_change: Floats
    p_value: Floats
    weeks: Floats


def day_correlation(days: Days) -> Floats:
    """rho = max(0, (s^2/(p q) - 1/n) / (1 - 1/n)) pooled over the past days. Shape (rows,).

    s^2 is the variance of the daily rates about their weekday's mean, so that a weekly rhythm is no
    noise; p the rate and n the harmonic mean of the trials of all usable days.
    """
    trials, successes, is_used = _usable(days)
    rates = np.where(is_used, divide(successes, trials), 0.0).reshape(-1, WEEKS, WEEKDAYS)
    used = is_used.reshape(-1, WEEKS, WEEKDAYS)
    of_weekday = used.sum(axis=1)
    means = divide(rates.sum(axis=1), of_weekday.astype(np.float64))
    squares = np.where(used, (rates - means[:, None, :]) ** 2, 0.0).sum(axis=(1, 2))
    freedom = np.maximum(of_weekday - 1, 0).sum(axis=1).astype(np.float64)
    p = divide(successes.sum(axis=1), trials.sum(axis=1))
    inverses = np.where(is_used, 1 / np.maximum(trials, 1.0), 0.0)
    inverse = divide(inverses.sum(axis=1), is_used.sum(axis=1).astype(np.float64))
    excess = divide(divide(squares, freedom), p * (1 - p)) - inverse
    return np.clip(np.nan_to_num(divide(excess, 1 - inverse)), 0.0, 0.99)


def surprise(days: Days, rules: Rules | None = None) -> Surprise:
    """Two-sided beta-binomial p of each window against the same weekdays of the eight weeks before.

    The expected rate is (x + 1/2)/(n + 1) of the k usable weeks. The days of a window vary each for
    itself, so its variance is N p q (1 + (sum n^2/N - 1) rho), N the sum of its days' n, times
    1 + 1/k (1 + 1/8 where none is left out), for the expected rate is an estimate too. NaN where
    the counts, or the expected ones, are no rate, N < `least_trials` or k < `least_weeks`.
    """
    wanted = rules or Rules()
    x, n = days.successes.sum(axis=1), days.trials.sum(axis=1)
    past_x, past_n, weeks = _same_weekdays(days)
    expected = (past_x + 0.5) / (past_n + 1)
    is_tested = (
        is_rate(x, n)
        & is_rate(past_x, past_n)
        & (n >= wanted.least_trials)
        & (weeks >= max(wanted.least_weeks, 1))
    )
    clustered = divide((days.trials**2).sum(axis=1), n) - 1
    inflation = (1 + divide(np.ones(len(n)), weeks)) * (1 + clustered * day_correlation(days))
    p_value = np.full(expected.shape, np.nan)
    p_value[is_tested] = _two_sided(
        x[is_tested], n[is_tested], expected[is_tested], inflation[is_tested]
    )
    return Surprise(expected, divide(divide(x, n), expected) - 1, p_value, weeks)


@dataclass(frozen=True)
class Signals:
    """What is known of each row beside its rate, (rows,): the night it belongs to, and flaws."""

    night: Ints
    is_lost: Bools
    is_flawed: Bools


@dataclass(frozen=True)
class Alerts:
    """q of the night and the kind of alert (None for no alert), (rows,)."""

    q_value: Floats
    kind: Objects


def judge(found: Surprise, signals: Signals, rules: Rules | None = None) -> Alerts:
    """Alerts of each night: tracking_lost, data_quality or behaviour, the first that holds.

    A rate is compared only where tracking and data are sound: the other rows are no test of the
    night's Benjamini-Hochberg family. `behaviour` needs q and relative change of `rules`.
    """
    wanted = rules or Rules()
    is_sound = ~signals.is_lost & ~signals.is_flawed
    p = np.where(is_sound, found.p_value, np.nan)
    q = np.full(p.shape, np.nan)
    for night in np.unique(signals.night):
        is_of_night = signals.night == night
        q[is_of_night] = q_values(p[is_of_night])
    is_unlike = (q <= wanted.false_discovery_rate) & (
        np.abs(found.relative_change) >= wanted.least_change
    )
    kind = np.full(p.shape, None, dtype=object)
    kind[is_unlike] = "behaviour"
    kind[signals.is_flawed] = "data_quality"
    kind[signals.is_lost] = "tracking_lost"
    return Alerts(q, kind)


def _usable(days: Days) -> tuple[Floats, Floats, Bools]:
    """Past trials and successes, 0 where a day does not count, and which days count: those above
    100 % too, for without them a step that some skip seems rarer, and steadier, than it is.
    """
    is_used = days.is_usable & (days.past_trials > 0) & (days.past_successes >= 0)
    return (
        np.where(is_used, days.past_trials, 0.0),
        np.where(is_used, days.past_successes, 0.0),
        is_used,
    )


def _same_weekdays(days: Days) -> tuple[Floats, Floats, Floats]:
    """Successes and trials of the window's weekdays in the weeks before, and how many weeks these
    are (a week of which days are left out is a part of one). (rows,) each.
    """
    window = days.trials.shape[1]
    trials, successes, is_used = (
        one.reshape(-1, WEEKS, WEEKDAYS)[:, :, :window].sum(axis=(1, 2)) for one in _usable(days)
    )
    return successes, trials, is_used / window


def _two_sided(x: Floats, n: Floats, p: Floats, inflation: Floats) -> Floats:
    """2 min(P(X <= x), P(X >= x)), at most 1, of a beta-binomial of variance n p q `inflation`.

    1 + (n-1) rho' = inflation, and rho' = 1/(a + b + 1). The rarer outcome is counted, for scipy
    adds up the terms from 0 on.
    """
    wide = np.clip((inflation - 1) / np.maximum(n - 1, 1.0), 1e-12, 0.999)
    is_common = p > 0.5  # noqa: PLR2004
    rare, chance = np.where(is_common, n - x, x), np.where(is_common, 1 - p, p)
    a, b = chance * (1 / wide - 1), (1 - chance) * (1 / wide - 1)
    up_to = stats.betabinom.cdf(rare, n, a, b)
    from_on = 1 - up_to + stats.betabinom.pmf(rare, n, a, b)
    two_sided: Floats = np.minimum(1.0, 2 * np.minimum(up_to, from_on))
    return two_sided
