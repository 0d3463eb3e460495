"""Whether experiments call what is not there, see what is, and say the right thing to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from scipy import stats

from pipelines.analysis.experiments import sequential
from pipelines.analysis.experiments.analysis import ExperimentPlan, analyse
from pipelines.analysis.experiments.fixed_horizon import compare
from pipelines.analysis.experiments.metrics import Metric, Outcomes
from pipelines.analysis.experiments.sample_ratio import LEAST_E, log_e_value
from pipelines.analysis.experiments.sizes import times_for_looks, units_per_arm
from pipelines.analysis.experiments.verdicts import Verdict
from pipelines.analysis.stats.arrays import Bools, Floats
from tests.study.results import Figure, Section, generator, share_of

NIGHTS = 28
ALPHA = 0.05
LIFT = 0.20
SHOPS = ((0.07, 300), (0.55, 60), (0.0042, 1_000))
"""Rate and units a day in each arm: adds of views, checkouts of carts, purchases of visits."""

TEXT = """
Two arms over 28 days, units a day Poisson and split at random, each converting by itself; every
night is a look, from 100 units an arm on. The smallest effect is a fifth of the rate, known ahead
or, as the default is, taken from the control's first 25 conversions ("default effect"). Where
nothing differs, a z test at 5 % that is looked at every night calls a difference in more than a
quarter of the experiments; the mSPRT may in 5 %, and the e-value may block a sound split in 0.1 %.

Power: the 28 days bring the units that the plan asks for a lift of 20 %, for one look at the end
(80 % by construction), or for looks every night ("nightly units", 1.94 times as many at most).
What the mSPRT sees with the units of one look stands beside it.

Verdicts are those of `sluice experiment analyze` on files of days. Small shop: 7 % of 18,000 views
in each arm add, .42 % buy. Large shop: 7 % of 84,000 add, 3 % buy. Micro-only: adds rise by a
fifth, purchases do not. Pulled-forward intent: adds rise by a quarter, as visitors add earlier what
they would have added anyway, and purchases fall by 2 %. Macro harm: adds rise by a fifth, purchases
fall by a quarter. Win: both rise by a fifth. The large shop can tell at times that purchases did
not fall by 5 %, and then ships what does no harm."""


@dataclass(frozen=True)
class Planted:
    """An experiment's truth: units a day in an arm; rates of control and variant; what is right."""

    name: str
    daily: float
    micro: tuple[float, float]
    macro: tuple[float, float]
    right: tuple[Verdict, ...]
    share: float = 0.5
    low: float | None = 0.95


SMALL, LARGE = 18_000 / NIGHTS, 84_000 / NIGHTS
CASES = (
    Planted("micro-only lift, small shop: hold", SMALL, (0.07, 0.084), (0.0042, 0.0042),
            (Verdict.HOLD,)),
    Planted("micro-only lift, large shop: ship or hold", LARGE, (0.07, 0.084), (0.03, 0.03),
            (Verdict.SHIP, Verdict.HOLD)),
    Planted("pulled-forward intent, small shop: hold", SMALL, (0.07, 0.0875), (0.0042, 0.0041),
            (Verdict.HOLD,)),
    Planted("pulled-forward intent, large shop: hold", LARGE, (0.07, 0.0875), (0.03, 0.0294),
            (Verdict.HOLD,)),
    Planted("macro harm, large shop: reject", LARGE, (0.07, 0.084), (0.03, 0.0225),
            (Verdict.REJECT,)),
    Planted("win, large shop: ship", LARGE, (0.07, 0.084), (0.03, 0.036), (Verdict.SHIP,)),
    Planted("nothing differs: not shipped, held or rejected", SMALL, (0.07, 0.07),
            (0.0042, 0.0042), (Verdict.STOP, Verdict.KEEP_RUNNING)),
    Planted("45 % of the units instead of 50 %: invalid", SMALL, (0.07, 0.084), (0.0042, 0.0042),
            (Verdict.INVALID,), share=0.45),
)  # fmt: skip


def experiments_section(runs: int = 10_000, verdicts: int = 1_000) -> Section:
    """False calls, power and verdicts."""
    figures = _false_calls(runs)
    figures += _splits(runs)
    figures += _power(runs)
    for number, case in enumerate(CASES):
        found = [_verdict(case, number, run) in case.right for run in range(verdicts)]
        figures.append(share_of(f"verdict, {case.name}", np.array(found), low=case.low))
    return Section("Experiments", TEXT, figures)


def _false_calls(runs: int) -> list[Figure]:
    figures = []
    for number, (rate, daily) in enumerate(SHOPS):
        what = f"{rate * 100:g} % of {daily:,} a day"
        looks = [
            _draw(generator(20, number, run), (rate, rate), daily, NIGHTS) for run in range(runs)
        ]
        naive = np.array([_is_peeked(one) for one in looks])
        own = np.array([_is_stopped(one, rate * LIFT) for one in looks])
        first = np.array(
            [_is_stopped(one, LIFT * sequential.early_rate(one, one.trials)) for one in looks]
        )
        figures += [
            share_of(f"false calls, a z test every night: {what}", naive),
            share_of(f"false calls, mSPRT: {what}", own, high=ALPHA),
            share_of(f"false calls, mSPRT, default effect: {what}", first, high=ALPHA),
        ]
    return figures


def _splits(runs: int) -> list[Figure]:
    figures = []
    for share, daily, high, low in ((0.5, 600, 0.001, None), (0.5, 60, 0.001, None),
                                    (0.45, 600, None, 0.95)):  # fmt: skip
        rng = generator(21, int(share * 100), daily)
        units = rng.poisson(daily, (runs, NIGHTS))
        first = rng.binomial(units, share)
        exposed = np.cumsum(np.stack([first, units - first], axis=-1), axis=1)
        is_blocked: Bools = np.array(
            [(log_e_value(one, np.array([0.5, 0.5])) >= np.log(LEAST_E)).any() for one in exposed]
        )
        what = f"split blocked within 28 nights: {share:.0%} of {daily} a day"
        figures.append(share_of(what, is_blocked, low, high))
    return figures


def _power(runs: int) -> list[Figure]:
    figures = []
    for number, (rate, _) in enumerate(SHOPS):
        rates = (rate, rate * (1 + LIFT))
        units = units_per_arm(*rates)
        once = [
            _draw(generator(22, number, run), rates, units / NIGHTS, NIGHTS) for run in range(runs)
        ]
        more = units * times_for_looks() / NIGHTS
        nightly = [_draw(generator(23, number, run), rates, more, NIGHTS) for run in range(runs)]
        seen = np.array([compare(one, 1, ALPHA).p_value <= ALPHA for one in once])
        effect = rate * LIFT
        figures += [
            share_of(f"power of one look at its units: {rate * 100:g} %", seen, low=0.8),
            share_of(
                f"power of the mSPRT at its nightly units: {rate * 100:g} %",
                np.array([_is_stopped(one, effect) for one in nightly]),
                low=0.7,
            ),
            share_of(
                f"the same with the units of one look: {rate * 100:g} %",
                np.array([_is_stopped(one, effect) for one in once]),
            ),
        ]
    return figures


def _draw(rng: np.random.Generator, rates: tuple[float, float], daily: float, days: int) -> Metric:
    units = rng.poisson(daily, (days, 2))
    converted = rng.binomial(units, np.array(rates))
    return Metric(
        np.cumsum(converted, axis=0).astype(float), np.cumsum(units, axis=0).astype(float)
    )


def _is_stopped(metric: Metric, effect: float) -> bool:
    looks = sequential.look(metric, metric.trials, 1, effect, ALPHA)
    return looks.stopped_at(ALPHA) is not None


def _is_peeked(metric: Metric) -> bool:
    """Whether a two-sided pooled z test at 5 % on some night calls a difference."""
    x, n = metric.successes, metric.trials
    pooled = x.sum(axis=1) / n.sum(axis=1)
    error: Floats = np.sqrt(pooled * (1 - pooled) * (1 / n).sum(axis=1))
    difference = np.abs(metric.rate[:, 1] - metric.rate[:, 0])
    return bool((difference > stats.norm.ppf(1 - ALPHA / 2) * error).any())


def _verdict(case: Planted, number: int, run: int) -> Verdict:
    rng = generator(24, number, run)
    units = rng.poisson([2 * case.daily * (1 - case.share), 2 * case.daily * case.share],
                        (NIGHTS, 2))  # fmt: skip
    exposed = np.cumsum(units, axis=0).astype(float)

    def metric(rates: tuple[float, float]) -> Metric:
        converted = rng.binomial(units, np.array(rates))
        return Metric(np.cumsum(converted, axis=0).astype(float), exposed)

    days = tuple(date(2026, 3, 2) + timedelta(days=one) for one in range(NIGHTS))
    outcomes = Outcomes(("control", "new"), days, exposed, metric(case.micro), metric(case.macro))
    return analyse(outcomes, ExperimentPlan()).decision.verdict
