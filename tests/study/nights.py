"""False alarms and power of the nightly anomalies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipelines.analysis.stats.anomalies import (
    HISTORY_DAYS,
    WEEKDAYS,
    Days,
    Rules,
    Signals,
    judge,
    surprise,
)
from pipelines.analysis.stats.arrays import Bools, Floats
from tests.study.counts import day_rates
from tests.study.results import Figure, Section, generator, share_of

NOMINAL, LIMIT = 0.01, 0.015
RHYTHM = np.array([1.15, 0.95, 0.92, 0.95, 1.0, 1.05, 1.1])
KEYS = 40


@dataclass(frozen=True)
class Case:
    """A kind of rate: level, sessions a day, true phi, weeks of history, change of the day."""

    name: str
    rate: float = 0.05
    per_day: int = 1000
    phi: float = 2.5
    weeks: int = 8


CASES = (
    Case("5 % of 1,000 a day, phi 2.5"),
    Case("5 % of 1,000 a day, steady", phi=1.0),
    Case("5 % of 5,000 a day, phi 5", per_day=5000, phi=5.0),
    Case("5 % of 150 a day, phi 1.5", per_day=150, phi=1.5),
    Case("55 % of 150 a day, phi 2", rate=0.55, per_day=150, phi=2.0),
    Case("5 % of 1,000 a day, phi 2.5, only 6 weeks", weeks=6),
)
TOO_FEW = Case("5 % of 1,000 a day, phi 2.5, were 4 weeks enough", weeks=4)

TEXT = """
Days of Poisson sessions and beta-binomial events with a weekly rhythm, each compared with the same
weekday of eight weeks. A false alarm is a p of 1 % or less where nothing changed. A plain binomial
and a robust z (median and MAD of the 56 days, blind to the rhythm) are there for comparison. Fewer
weeks know less of the variation between days: six are the least that are tested. An alert needs
q ≤ 0.05 over a night of 40 rates, a change of 15 % and 100 sessions. rho is an estimate, so far
tails are a little heavier than the beta-binomial's, and more than 5 % of unchanged nights alert."""


def nights_section(runs: int = 50_000) -> Section:
    """False alarms per rate and night, and how often a real change is alerted."""
    figures: list[Figure] = []
    for number, case in enumerate(CASES):
        p = surprise(_days(case, runs, number)).p_value
        figures.append(share_of(f"false alarms: {case.name}", p <= NOMINAL, high=LIMIT))
    few = surprise(_days(TOO_FEW, runs, len(CASES)), Rules(least_weeks=4)).p_value
    figures.append(share_of(f"false alarms: {TOO_FEW.name}", few <= NOMINAL))
    first = _days(CASES[0], runs, 0)
    figures.append(share_of("the same by a plain binomial", _plain_p(first) <= NOMINAL))
    figures.append(share_of("the same by a robust z", _robust_p(first) <= NOMINAL))
    figures.append(_nights("nights of 40 unchanged rates with an alert", 1.0))
    figures.append(_nights("one of 40 rates halved: alerted", 0.5))
    figures.append(_nights("one of 40 rates down by 30 %: alerted", 0.7))
    return Section("Nightly anomalies", TEXT, figures)


def _days(case: Case, runs: int, number: int, change: Floats | float = 1.0) -> Days:
    """A day after its history, `change` multiplying the day's rate."""
    rng = generator(4, number)
    shape = (runs, HISTORY_DAYS + 1)
    weekday = np.resize(RHYTHM, HISTORY_DAYS + 1)
    level = np.broadcast_to(case.rate * weekday, shape).copy()
    level[:, -1] *= change
    trials = rng.poisson(case.per_day * weekday[::-1], shape)
    rates = day_rates(rng, level, case.phi, case.per_day, shape)
    successes = rng.binomial(trials, rates).astype(np.float64)
    is_usable = np.arange(HISTORY_DAYS) >= HISTORY_DAYS - WEEKDAYS * case.weeks
    return Days(
        successes=successes[:, -1],
        trials=trials[:, -1].astype(np.float64),
        past_successes=successes[:, :-1],
        past_trials=trials[:, :-1].astype(np.float64),
        is_usable=np.broadcast_to(is_usable, (runs, HISTORY_DAYS)),
    )


def _plain_p(days: Days) -> Floats:
    same = slice(0, None, WEEKDAYS)
    rate = days.past_successes[:, same].sum(axis=1) / days.past_trials[:, same].sum(axis=1)
    below = stats.binom.cdf(days.successes, days.trials, rate)
    above = stats.binom.sf(days.successes - 1, days.trials, rate)
    p: Floats = np.minimum(1, 2 * np.minimum(below, above))
    return p


def _robust_p(days: Days) -> Floats:
    rates = days.past_successes / days.past_trials
    middle = np.median(rates, axis=1)
    mad = stats.median_abs_deviation(rates, axis=1, scale="normal")
    p: Floats = 2 * stats.norm.sf(np.abs(days.successes / days.trials - middle) / mad)
    return p


def _nights(what: str, change: float, nights: int = 2_000) -> Figure:
    """How often a night alerts anything, or the one rate that changed."""
    is_changed = np.arange(nights * KEYS) % KEYS == 0
    days = _days(CASES[0], nights * KEYS, 90, np.where(is_changed, change, 1.0))
    none: Bools = np.zeros(nights * KEYS, dtype=np.bool_)
    signals = Signals(np.arange(nights * KEYS) // KEYS, none, none)
    alerts = judge(days, surprise(days), signals, Rules()).kind == "behaviour"
    by_night = alerts.reshape(nights, KEYS)
    return share_of(what, by_night[:, 0]) if change < 1 else share_of(what, by_night.any(axis=1))
