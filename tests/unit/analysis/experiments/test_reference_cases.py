"""Published figures and real experiments that the statistics of experiments reproduce.

Worked out apart from the code: by the publications named, and with statsmodels 0.15 where it has
the method (proportions_ztest, multipletests).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipelines.analysis.experiments import bayesian, fixed_horizon, sample_ratio, sequential
from pipelines.analysis.experiments.metrics import Metric, Outcomes, delta_variance
from pipelines.analysis.experiments.sizes import detectable_lift, units_per_arm


def metric(*arms: tuple[float, float]) -> Metric:
    """One look at (successes, trials) of each arm, the control first."""
    successes, trials = np.array(arms, dtype=float).T
    return Metric(successes[None, :], trials[None, :])


def fixed(*arms: tuple[float, float]) -> fixed_horizon.Difference:
    return fixed_horizon.compare(metric(*arms), 1, 0.05)


def wald(control: tuple[float, float], other: tuple[float, float]) -> tuple[float, ...]:
    found = fixed(control, other)
    return found.difference, found.ci_low, found.ci_high


def split(*counts: float, shares: tuple[float, ...] = (0.5, 0.5)) -> sample_ratio.SampleRatio:
    return sample_ratio.check(np.array([counts], dtype=float), np.array(shares))


def looked(control: tuple[float, float], other: tuple[float, float], tau: float) -> list[float]:
    arms = metric(control, other)
    found = sequential.look(arms, arms.trials, 1, tau, 0.05)
    return [float(one[0]) for one in (found.statistic, found.p_value, found.ci_low, found.ci_high)]


def users() -> tuple[float, float]:
    x, s = [0, 1, 2, 0, 1, 3, 0, 0, 1, 1], [1, 2, 4, 1, 1, 5, 2, 1, 3, 2]
    frame = pd.DataFrame({"variant": "a", "user": range(10), "numerator": x, "denominator": s})
    found = Outcomes.from_users(frame).primary
    return float(found.rate[0, 0]), float(np.sqrt(found.variance[0, 0]))


def day_signs(better: int, of: int) -> float:
    """The sign test over `of` days, on `better` of which the variant did better."""
    ours = np.where(np.arange(of) < better, 30.0, 10.0)
    successes = np.cumsum(np.column_stack([np.full(of, 20.0), ours]), axis=0)
    trials = np.cumsum(np.full((of, 2), 100.0), axis=0)
    found = fixed_horizon.days_better(Metric(successes, trials), 1)
    assert found is not None
    assert (found.better, found.of) == (better, of)
    return found.sign_p_value


CASE_8 = (500, 5000), (585, 5000)
GROSS = (3785, 17293), (3423, 17260)
NET = (2033, 17293), (1945, 17260)
CASES: dict[str, tuple[Callable[[], object], object, float]] = {
    "Newcombe 1998": (lambda: wald((48, 80), (56, 70)), (0.2, 0.052431, 0.333873), 5e-7),
    "the same, pooled z": (lambda: fixed((48, 80), (56, 70)).p_value, 0.008045, 5e-7),
    "Fisher's tea": (lambda: fixed((1, 4), (3, 4)).p_value, 0.485714, 5e-7),
    "split, p": (lambda: split(821_588, 815_482).p_value, 1.82179e-6, 5e-12),
    "split, ln e": (lambda: np.log(split(821_588, 815_482).e_value), 4.458785, 5e-7),
    "size, pooled": (lambda: units_per_arm(0.10, 0.12), 3840.85, 5e-3),
    "size, unpooled": (lambda: units_per_arm(0.10, 0.12, null="unpooled"), 3838.10, 5e-3),
    "size, baseline": (lambda: units_per_arm(0.20, 0.25, null="baseline"), 1030.22, 5e-3),
    "10 and 11.7 %, p": (lambda: fixed(*CASE_8).p_value, 0.006276, 5e-7),
    "10 and 11.7 %, mSPRT": (
        lambda: looked(*CASE_8, 0.01),
        [7.820986, 0.127861, -0.002740, 0.036740],
        5e-7,
    ),
    "P(better)": (lambda: bayesian.compare(metric((30, 500), (45, 500)), 1)[0], 0.963558, 5e-7),
    "P(better), by hand": (lambda: bayesian.probability_better((1, 2), (2, 1)), 1 / 6, 1e-9),
    # E[max(Y - X, 0)] of two uniforms is 1/6.
    "loss, by hand": (lambda: bayesian.expected_loss((1, 1), (1, 1)), 1 / 6, 1e-9),
    "delta method": (users, (0.409091, 0.078464), 5e-7),
    "free trial, gross": (lambda: wald(*GROSS), (-0.0205, -0.0291, -0.0120), 1e-4),
    "free trial, net": (lambda: wald(*NET), (-0.0048, -0.0116, 0.0019), 1e-4),
    "free trial, 4 of 23 days": (lambda: day_signs(4, 23), 0.0026, 5e-5),
    "free trial, 10 of 23 days": (lambda: day_signs(10, 23), 0.6776, 5e-5),
    "free trial, size of gross": (
        lambda: units_per_arm(0.20625, 0.21625, null="baseline"),
        25_835,
        0.5,
    ),
    "free trial, size of net": (
        lambda: units_per_arm(0.1093125, 0.1168125, null="baseline"),
        27_413,
        0.5,
    ),
    "Cookie Cats, split": (lambda: split(44_700, 45_489).p_value, 0.0086, 5e-5),
    "Cookie Cats, retention": (
        lambda: fixed((8502, 44_700), (8279, 45_489)).p_value,
        0.00155,
        5e-6,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_figure_is_reproduced(name: str) -> None:
    found, expected, digits = CASES[name]
    assert found() == pytest.approx(expected, abs=digits)


def test_holm_is_statsmodels() -> None:
    # multipletests([.01, .04, .03, .005], method="holm")
    assert fixed_horizon.holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx(
        [0.03, 0.06, 0.06, 0.02]
    )
    assert fixed_horizon.holm(np.array([0.04, np.nan])).tolist() == [0.08, 1.0]


def test_the_delta_method_is_the_plain_variance_where_every_user_has_one_trial() -> None:
    numerator = np.array([1.0, 0, 0, 1, 0, 1, 1, 0, 0, 0])
    found = delta_variance(numerator, np.ones(10), np.zeros(10, dtype=np.int64), 1)
    assert found[0, 0] == pytest.approx(stats.sem(numerator) ** 2)


def test_the_detectable_lift_is_the_one_that_needs_so_many_units() -> None:
    assert detectable_lift(0.07, 5690.94) == pytest.approx(0.20, abs=1e-5)
    assert detectable_lift(0.99, 50) is None
    assert detectable_lift(1.0, 5000) is None
