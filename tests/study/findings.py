"""How often the scan names the planted part of the shop, and the day it began."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pipelines.analysis.findings.cubes import WHOLE, Cube, Scope, StepCounts
from pipelines.analysis.findings.history import History, history
from pipelines.analysis.findings.rates import dispersion
from pipelines.analysis.findings.scan import scan
from pipelines.analysis.findings.scopes import Judged, told_scopes
from pipelines.analysis.stats.arrays import Bools, Floats
from pipelines.config.thresholds import threshold
from tests.study.counts import day_rates
from tests.study.results import Figure, Section, generator, share_of

DAYS, HISTORY, PHI = 28, 90, 1.5
DEVICES = {"mobile": 0.62, "desktop": 0.34, "tablet": 0.04}
CHANNELS = {
    "Organic Search": 0.34, "Paid Search": 0.15, "Direct": 0.22, "Social": 0.12, "Shopping": 0.06,
    "Email": 0.06, "Referral": 0.05,
}  # fmt: skip
VISITORS = {"new": 0.6, "returning": 0.4}
DIMENSIONS = ("device", "channel", "visitor")
VALUES = np.array([(d, c, v) for d in DEVICES for c in CHANNELS for v in VISITORS], dtype=object)
# Social is seen on phones, and devices differ by 3 % without any fault.
SOCIAL_ON = {"mobile": 1.4, "desktop": 0.4, "tablet": 1.0}
NATURAL = {"mobile": 0.97, "desktop": 1.03, "tablet": 1.0}
MOBILE: Scope = (("device", "mobile"),)
PAID: Scope = (("channel", "Paid Search"),)
SOCIAL_ON_MOBILE: Scope = (("device", "mobile"), ("channel", "Social"))

TEXT = f"""
A step of a shop with {len(VALUES)} cells (3 devices, 7 channels that depend on the device, new and
returning visitors), {DAYS} days with phi {PHI}, drawn as daily counts. A fault multiplies the rate
of one part by the factor given. Exact: the first scope is the planted part, not one condition more,
less or other. Healthy shops have the rates of the shop simulator and {HISTORY} days, and are looked
at as a night does, in all three steps that have a benchmark. Dates: {HISTORY} days, a fall on day
62; the set of days is to hold the true one in 95 % of the runs."""


@dataclass(frozen=True)
class Fault:
    """Entries to the step in 28 days, its sound rate, and what is wrong where."""

    entries: int
    rate: float
    factor: float = 1.0
    scope: Scope = WHOLE


def findings_section(runs: int = 1_000) -> Section:
    """Scopes, healthy shops, dates and recoveries."""
    single, pair = {"low": 0.97}, {"low": 0.90}
    scopes: tuple[tuple[str, Fault, dict[str, float]], ...] = (
        ("mobile x 0.5, 400 entries at 58 %", Fault(400, 0.58, 0.5, MOBILE), single),
        ("mobile x 0.5, 800 entries at 58 %", Fault(800, 0.58, 0.5, MOBILE), single),
        ("mobile x 0.6, 8,000 entries at 7.5 %", Fault(8_000, 0.075, 0.6, MOBILE), single),
        ("Paid Search x 0.5, 800 entries at 58 %", Fault(800, 0.58, 0.5, PAID), single),
        (
            "Social on mobile x 0.4, 2,000 entries",
            Fault(2_000, 0.58, 0.4, SOCIAL_ON_MOBILE),
            pair,
        ),
        ("Social on mobile x 0.4, 800 entries", Fault(800, 0.58, 0.4, SOCIAL_ON_MOBILE), {}),
    )
    return Section(
        "Findings",
        TEXT,
        [
            *(_exact(name, fault, runs, target) for name, fault, target in scopes),
            share_of("healthy shops with any finding", _healthy(runs), high=0.05),
            *_dates("17 a day, 58 to 35 %", 17, (0.58, 0.35), runs),
            *_dates("300 a day, 7.5 to 5 %", 300, (0.075, 0.05), runs),
            *_steady(runs),
            *_recovery(runs),
        ],
    )


def _exact(name: str, fault: Fault, runs: int, target: dict[str, float]) -> Figure:
    first = [[part.scope for part in scan([step], phi)[:1]] for step, phi in _shops(fault, runs)]
    is_exact = np.array([scopes == [fault.scope] for scopes in first])
    return share_of(f"exact: {name}", is_exact, **target)


def _healthy(runs: int) -> Bools:
    """Whether any of the three benchmarked steps has a finding."""
    found = np.zeros(runs, dtype=np.bool_)
    for fault, floor in (
        (Fault(16_000, 0.075), 0.05),
        (Fault(1_200, 0.55), 0.50),
        (Fault(660, 0.60), 0.50),
    ):
        found |= [bool(_told(step, phi, floor)) for step, phi in _shops(fault, runs, HISTORY)]
    return found


def _told(step: StepCounts, phi: float, floor: float) -> list[Scope]:
    """The scopes of findings where the shop leaks by itself, as a night decides it."""
    window = slice(HISTORY - DAYS, HISTORY)
    judged = Judged(floor, False, phi, threshold("least_p_gap"))
    is_leak = judged.leaks(step.within(window).of(WHOLE))
    return told_scopes(replace(judged, is_leak=is_leak), [step], window)


def _shops(fault: Fault, runs: int, days: int = DAYS) -> Iterator[tuple[StepCounts, float]]:
    """The step of so many shops with the fault on all of so many days, each with its phi."""
    rng = generator(6, fault.entries, int(1e4 * fault.rate), int(1e4 * fault.factor))
    shares = np.array([DEVICES[d] * CHANNELS[c] * VISITORS[v] for d, c, v in VALUES])
    shares *= [SOCIAL_ON[d] if c == "Social" else 1.0 for d, c, _ in VALUES]
    shares /= shares.sum()
    rates = fault.rate * np.array([NATURAL[d] for d, _, _ in VALUES])
    rates[Cube(DIMENSIONS, VALUES, np.empty((0, 0, 0))).members(fault.scope)] *= fault.factor
    per_day = fault.entries / DAYS
    for _ in range(runs):
        trials = rng.poisson(per_day * shares[:, None], (len(shares), days))
        swings = day_rates(rng, fault.rate, PHI, per_day, (days,)) / fault.rate
        reached = rng.binomial(trials, np.clip(rates[:, None] * swings, 0, 1))
        counts = np.stack([trials, reached]).astype(np.float64)
        phi = dispersion(*counts[::-1, :, -DAYS:].sum(axis=1))
        yield Cube(DIMENSIONS, VALUES, counts).step(1, 0), phi


def _histories(
    stream: int, per_day: float, rates: Floats, floor: float, runs: int
) -> list[History]:
    """Histories of runs whose daily rate is `rates`, (days,)."""
    rng = generator(7, stream)
    found = []
    for _ in range(runs):
        trials = rng.poisson(per_day, len(rates))
        reached = rng.binomial(trials, day_rates(rng, rates, PHI, per_day, rates.shape))
        found.append(history(reached.astype(np.float64), trials.astype(np.float64), floor))
    return found


def _dates(name: str, per_day: float, rates: tuple[float, float], runs: int) -> list[Figure]:
    day = 62
    daily = np.where(np.arange(HISTORY) < day, *rates)
    falls = [one.fall for one in _histories(int(per_day), per_day, daily, rates[0], runs)]
    told = [fall for fall in falls if fall is not None]
    return [
        share_of(f"day called: {name}", np.array([fall is not None for fall in falls]), low=0.99),
        share_of(
            f"off by a day at most: {name}",
            np.array([abs(fall.day - day) <= 1 for fall in told]), low=0.5,
        ),
        share_of(
            f"set holds the day: {name}",
            np.array([fall.earliest <= day <= fall.latest for fall in told]), low=0.94, high=0.98,
        ),
    ]  # fmt: skip


def _steady(runs: int) -> list[Figure]:
    """Days of an unchanged rate that is called fallen."""
    figures = []
    for per_day, rate in ((17, 0.58), (300, 0.075)):
        found = _histories(900 + per_day, per_day, np.full(HISTORY, rate), rate, runs)
        is_called = np.array([one.fall is not None for one in found])
        figures.append(
            share_of(f"false dates: {per_day} a day at {rate:.1%}", is_called, high=0.05)
        )
    return figures


def _recovery(runs: int) -> list[Figure]:
    """20 a day fall from 58 to 7 % for 25 days and come back whole, or half of the way."""
    days = np.arange(HISTORY)
    figures = []
    for name, rate, leaks in (("58 %: healed", 0.58, False), ("30 %: improving", 0.30, True)):
        daily = np.where(days < 50, 0.58, np.where(days < 75, 0.07, rate))
        found = _histories(int(1000 * rate), 20, daily, 0.5, runs)
        is_so = [one.rise is not None and (one.p_below_now > 0.5) == leaks for one in found]
        figures.append(
            share_of(f"20 a day, 15 days after 7 % came back to {name}", np.array(is_so), low=0.95)
        )
    return figures
