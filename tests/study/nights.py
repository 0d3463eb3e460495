"""False alarms and power of the nightly anomalies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from pipelines.analysis.stats.anomalies import (
    HISTORY_DAYS,
    WEEKDAYS,
    Days,
    Rules,
    surprise,
)
from pipelines.analysis.stats.anomaly_table import LOOKBACK_DAYS, SERIES, score_days
from pipelines.analysis.stats.arrays import Floats
from pipelines.wording import counted
from tests.study.counts import Window, day_rates
from tests.study.results import Figure, Section, generator, share_of

NOMINAL, LIMIT = 0.01, 0.015
RHYTHM = np.array([1.15, 0.95, 0.92, 0.95, 1.0, 1.05, 1.1])
KEYS = 40
FIRST_DAY = pd.Timestamp("2026-01-01")
# A shop of so many series at once: as long frames, more need gigabytes.
CHUNK = 10_000


@dataclass(frozen=True)
class Case:
    """A kind of rate: level, sessions a day, true phi, weeks of history."""

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
    Case("58 % of 20 a day, phi 1.2", rate=0.58, per_day=20, phi=1.2),
    Case("5 % of 1,000 a day, phi 2.5, only 6 weeks", weeks=6),
)
TOO_FEW = Case("5 % of 1,000 a day, phi 2.5, were 4 weeks enough", weeks=4)
# A step of a small shop falls: checkouts a day, to which rate, alerted within how many days.
FALLS = ((10, 0.07), (20, 0.07), (50, 0.07), (10, 0.35), (20, 0.35), (50, 0.35))
BEFORE, FALL_DAYS, AIM, LEAST_POWER = 0.58, 4, (20, 0.07), 0.95

TEXT = f"""
Days of Poisson sessions and beta-binomial events, the rate with a weekly rhythm of up to 15 %,
given to the function that the dbt model calls. The last day, the last three and the last seven are
each compared with the same weekdays of eight weeks; days of another level, where a change is found,
are left out. A false alarm is a p of 1 % or less where nothing changed, as a share of the rates
that have 100 sessions in those days. A plain binomial and a robust z (median and MAD of the 56
days, blind to the rhythm) are there for comparison. Fewer weeks know less of the variation between
days: six are the least that are tested. An alert needs q ≤ 0.05 over a night of 40 rates, each as
one, three and seven days, a change of 15 % and 100 sessions. rho is an estimate, so far tails are a
little heavier than the beta-binomial's, and more than 5 % of unchanged nights alert. The falls are
those of one of 40 rates, from {100 * BEFORE:.0f} % and without the rhythm: whether any of the first
{FALL_DAYS} settled nights alerts it. At 10 a day seven days have no 100 sessions: only findings see
that."""


def nights_section(runs: int = 20_000) -> Section:
    """False alarms per rate and night, and how often a real change is alerted."""
    figures: list[Figure] = []
    for number, case in enumerate(CASES):
        counts = [_counts(case, CHUNK, 1, number, chunk) for chunk in range(runs // CHUNK)]
        scored = pd.concat(_scored(one, np.arange(CHUNK)) for one in counts)
        for window, rows in scored.groupby("window_days"):
            assert isinstance(window, int)
            p = rows["p_value"].dropna().to_numpy()
            if len(p):
                name = f"false alarms, {counted(window, 'day')}: {case.name}"
                figures.append(share_of(name, p <= NOMINAL, high=LIMIT))
    days = _days(_counts(TOO_FEW, runs, 1, len(CASES)))
    few = surprise(days, Rules(least_weeks=4)).p_value
    figures.append(share_of(f"false alarms, one day: {TOO_FEW.name}", few <= NOMINAL))
    first = _days(_counts(CASES[0], runs, 1, 0))
    figures.append(share_of("the same by a plain binomial", _plain_p(first) <= NOMINAL))
    figures.append(share_of("the same by a robust z", _robust_p(first) <= NOMINAL))
    figures.append(_nights("nights of 40 unchanged rates with an alert", 1.0))
    figures.append(_news())
    figures.append(_nights("one of 40 rates halved on one day: alerted", 0.5))
    figures.append(_nights("one of 40 rates down by 30 % on one day: alerted", 0.7))
    figures += [_fall(per_day, rate) for per_day, rate in FALLS]
    return Section("Nightly anomalies", TEXT, figures)


def _counts(case: Case, runs: int, nights: int, *stream: int, last: Floats | float = 1.0) -> Window:
    """Days of `runs` rates up to `nights` that are judged, `last` multiplying the newest day's; NaN
    before the case's weeks.
    """
    rng = generator(4, *stream)
    shape = (runs, LOOKBACK_DAYS + nights)
    weekday = np.resize(RHYTHM, shape[1])
    level = np.broadcast_to(case.rate * weekday, shape).copy()
    level[:, -1] *= last
    trials = rng.poisson(case.per_day * weekday[::-1], shape)
    rates = day_rates(rng, level, case.phi, case.per_day, shape)
    successes = rng.binomial(trials, rates).astype(np.float64)
    is_there = np.arange(shape[1]) >= HISTORY_DAYS - WEEKDAYS * case.weeks
    return Window(np.where(is_there, successes, np.nan), np.where(is_there, trials, np.nan))


def _scored(counts: Window, shop: np.ndarray, nights: int = 1) -> pd.DataFrame:
    """The last nights of rates that belong to `shop` (runs,), as the dbt model scores them."""
    runs, days = counts.trials.shape
    dates = pd.date_range(FIRST_DAY, periods=days)
    frame = pd.DataFrame(
        {
            **dict.fromkeys(SERIES, 0),
            "property_id": np.repeat(shop, days),
            "key": np.repeat(np.arange(runs), days),
            "date": np.tile(dates, runs),
            "numerator": counts.successes.ravel(),
            "denominator": counts.trials.ravel(),
            **dict.fromkeys(("is_declared", "is_lost", "is_flawed"), False),
        }
    ).dropna()
    return score_days(frame, str(dates[-nights].date()))


def _days(counts: Window) -> Days:
    """The last day after its 56 days."""
    past = slice(-HISTORY_DAYS - 1, -1)
    return Days(
        successes=counts.successes[:, -1:],
        trials=counts.trials[:, -1:],
        past_successes=counts.successes[:, past],
        past_trials=counts.trials[:, past],
        is_usable=~np.isnan(counts.trials[:, past]),
    )


def _plain_p(days: Days) -> Floats:
    same = slice(0, None, WEEKDAYS)
    rate = days.past_successes[:, same].sum(axis=1) / days.past_trials[:, same].sum(axis=1)
    below = stats.binom.cdf(days.successes[:, 0], days.trials[:, 0], rate)
    above = stats.binom.sf(days.successes[:, 0] - 1, days.trials[:, 0], rate)
    p: Floats = np.minimum(1, 2 * np.minimum(below, above))
    return p


def _robust_p(days: Days) -> Floats:
    rates = days.past_successes / days.past_trials
    middle = np.median(rates, axis=1)
    mad = stats.median_abs_deviation(rates, axis=1, scale="normal")
    observed = days.successes[:, 0] / days.trials[:, 0]
    p: Floats = 2 * stats.norm.sf(np.abs(observed - middle) / mad)
    return p


def _shops(shops: int) -> Iterator[tuple[int, int]]:
    """Chunks of shops of 40 rates: number and size."""
    size = CHUNK // KEYS
    return ((number, size) for number in range(shops // size))


def _alerted(scored: pd.DataFrame, is_wanted: pd.Series) -> pd.Series:
    """Whether any of the wanted rows of a shop is an alert of behaviour."""
    is_alert: pd.Series = (scored["alert_kind"] == "behaviour") & is_wanted
    return is_alert.groupby(scored["property_id"]).any()


def _nights(what: str, change: float, shops: int = 1_000) -> Figure:
    """How often a night alerts anything, or the one rate that changed on it."""
    told = []
    for number, size in _shops(shops):
        rate = np.arange(size * KEYS)
        last = np.where(rate % KEYS == 0, change, 1.0)
        scored = _scored(_counts(CASES[0], size * KEYS, 1, 90, number, last=last), rate // KEYS)
        told.append(_alerted(scored, (scored["key"] % KEYS == 0) | (change == 1.0)))
    return share_of(what, pd.concat(told).to_numpy())


def _news(shops: int = 100, nights: int = 28) -> Figure:
    """How often a night has news: an alert of a rate that had none of its direction for a week."""
    counts = _counts(CASES[0], shops * KEYS, nights, 93)
    scored = _scored(counts, np.arange(shops * KEYS) // KEYS, nights)
    alerts = scored[scored["alert_kind"].notna()]
    alerts = alerts.assign(is_rise=alerts["relative_change"] > 0).sort_values("date")
    before = alerts.groupby(["key", "is_rise"])["date"].shift()
    is_news = before.isna() | ((alerts["date"] - before).dt.days > WEEKDAYS)
    told = alerts.loc[is_news, ["property_id", "date"]].drop_duplicates()
    what = "the same, if none of the rate was alerted in the week before"
    return Figure(what, len(told) / (shops * nights), shops * nights)


def _fall(per_day: int, rate: float, shops: int = 250) -> Figure:
    """How often a fall of one of a shop's rates is alerted in its first nights."""
    told = []
    for number, size in _shops(shops):
        counts = _counts(CASES[0], size * KEYS, FALL_DAYS, 91, number)
        rng = generator(4, 92, per_day, round(100 * rate), number)
        days = counts.trials.shape[1]
        level = np.where(np.arange(days) < days - FALL_DAYS, BEFORE, rate)
        shape = (size, days)
        counts.trials[::KEYS] = rng.poisson(per_day, shape)
        counts.successes[::KEYS] = rng.binomial(counts.trials[::KEYS].astype(np.int64), level)
        scored = _scored(counts, np.arange(size * KEYS) // KEYS, FALL_DAYS)
        told.append(_alerted(scored, scored["key"] % KEYS == 0))
    fall = f"{100 * BEFORE:.0f} % of {per_day} a day falls to {100 * rate:.0f} %"
    what = f"{fall}: alerted within {FALL_DAYS} days"
    low = LEAST_POWER if (per_day, rate) == AIM else None
    return share_of(what, pd.concat(told).to_numpy(), low=low)
