"""Intervals and tests of counts against published figures (docs/analytics.md) and scipy's."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipelines.analysis.stats.intervals import (
    Counts,
    fisher,
    newcombe,
    pooled_z,
    two_rates_p,
    wilson,
)
from tests.support.noise import (
    effective_trials,
    measure_days,
    overdispersion,
    sketch_noise,
    widened_phi,
)


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


def counts(successes: float, trials: float) -> Counts:
    return Counts(array(successes), array(trials))


def test_wilson_reference_case_1() -> None:
    found = wilson(Counts(array(81, 15, 0, 1), array(263, 148, 20, 29)))
    assert found.low == pytest.approx([0.255289, 0.062386, 0, 0.006113], abs=5e-7)
    assert found.high == pytest.approx([0.366210, 0.160487, 0.161125, 0.171755], abs=5e-7)


def test_wilson_on_n_eff_is_that_of_the_smaller_sample() -> None:
    # 30 of 100 on 50 effective trials is 15 of 50.
    found = wilson(counts(30, 100), array(50))
    expected = stats.binomtest(15, 50).proportion_ci(method="wilson")
    assert (found.low[0], found.high[0]) == pytest.approx((expected.low, expected.high))


def test_no_interval_without_a_rate() -> None:
    found = wilson(Counts(array(6, 0, np.nan), array(5, 0, 10)))
    assert np.isnan([found.low, found.high]).all()


def test_two_rates_reference_case_2() -> None:
    one, other = counts(56, 70), counts(48, 80)
    found = newcombe(one.rate, wilson(one), other.rate, wilson(other))
    assert (found.low[0], found.high[0]) == pytest.approx((0.052431, 0.333873), abs=5e-7)
    z, p = pooled_z(one, other)
    assert z == pytest.approx([2.650172], abs=5e-7)
    assert p == pytest.approx([0.008045], abs=5e-7)


def test_fisher_reference_case_4() -> None:
    assert fisher(counts(3, 4), counts(1, 4)) == pytest.approx([0.485714], abs=5e-7)


@given(n=st.integers(20, 400), m=st.integers(20, 400), share=st.floats(0.1, 0.9))
def test_pooled_z_squared_is_scipys_chi_squared(n: int, m: int, share: float) -> None:
    x, y = round(n * share), round(m * 0.4)
    z, p = pooled_z(counts(x, n), counts(y, m))
    found = stats.chi2_contingency([[x, n - x], [y, m - y]], correction=False)
    assert z[0] ** 2 == pytest.approx(found.statistic, rel=1e-9, abs=1e-12)
    assert p[0] == pytest.approx(found.pvalue, rel=1e-9)


def test_few_expected_are_fishers() -> None:
    # Row 1 expects 2 of 4 in a cell, row 2 expects 50 of 100; no rate, no p.
    one = Counts(array(3, 40, 9), array(4, 100, 0))
    other = Counts(array(1, 60, 1), array(4, 100, 10))
    p = two_rates_p(one, other)
    assert p[0] == pytest.approx(0.485714, abs=5e-7)
    assert p[1] == pytest.approx(stats.norm.sf(0.2 / np.sqrt(0.25 * 0.02)) * 2)
    assert np.isnan(p[2])


CASE_15 = array(22, 31, 18, 40, 25, 12, 29), array(400, 420, 390, 450, 410, 300, 430)


def test_overdispersion_reference_case_15() -> None:
    phi = overdispersion(*CASE_15, np.zeros(7, dtype=np.int64), 1)
    assert phi == pytest.approx([1.845421], abs=5e-7)


def test_overdispersion_by_group_needs_seven_days_and_a_rate_between() -> None:
    x, n = CASE_15
    # Group 0: the case with an empty day beside it; 1: six of its days; 2: nothing ever; 3: calm.
    successes = np.concatenate([x, [np.nan], x[:6], np.zeros(7), np.full(7, 40.0)])
    trials = np.concatenate([n, [0], n[:6], n, np.full(7, 400.0)])
    group = np.repeat([0, 1, 2, 3], [8, 6, 7, 7])
    phi = overdispersion(successes, trials, group, 5)
    assert phi == pytest.approx([1.845421, 1, 1, 1, 1], abs=5e-7)


def test_few_days_widen_only_the_excess() -> None:
    # Student's 97.5 % points: 2.446912 with 6 degrees of freedom, 2.051831 with 27.
    wide = widened_phi(array(1, 2, 2), array(7, 7, 28))
    expected = [1, 1 + (2.446912 / 1.959964) ** 2, 1 + (2.051831 / 1.959964) ** 2]
    assert wide == pytest.approx(expected, rel=1e-6)


def test_measure_days_of_a_long_frame() -> None:
    x, n = CASE_15
    frame = pd.DataFrame({"shop": ["b"] * 7 + ["a"] * 3, "numerator": [*x, 1, 2, 3]})
    found = measure_days(frame.assign(denominator=[*n, 90, 90, 0]), ["shop"])
    assert found[["shop", "day_count"]].to_numpy().tolist() == [["a", 2], ["b", 7]]
    assert found["phi"].tolist() == pytest.approx([1, 1.845421], abs=5e-7)
    assert found["phi_wide"].iloc[1] == pytest.approx(
        1 + 0.845421 * (2.446912 / 1.959964) ** 2, abs=1e-5
    )


def test_sketch_noise_of_large_estimated_counts_only() -> None:
    units = pd.Series(["sessions", "sessions", "users", "events", "exact"])
    noise = sketch_noise(units, array(3000, 3001, 9000, 9000, 9000))
    assert noise == pytest.approx([0, 0.023, 0.0115, 0, 0])


def test_an_unknown_unit_is_named() -> None:
    with pytest.raises(ValueError, match="'visits'"):
        sketch_noise(pd.Series(["visits"]), array(10))


def test_effective_trials_by_hand() -> None:
    # 500/10000, phi 2: variance 2 x .0475/10000 + .0025 x .000529 = 9.5e-6 + 1.3225e-6.
    # Then nobody, and everybody, of 10000; and no rate.
    found = effective_trials(
        array(500, 0, 10_000, 11), array(10_000, 10_000, 10_000, 10), array(2, 2, 2, 2),
        np.full(4, 0.023),
    )  # fmt: skip
    assert found[:3] == pytest.approx([0.0475 / 10.8225e-6, 5000, 5000])
    assert np.isnan(found[3])


@given(n=st.integers(1, 100_000), share=st.floats(0, 1), phi=st.floats(1, 9))
def test_noise_never_adds_information(n: int, share: float, phi: float) -> None:
    x = round(n * share)
    found = effective_trials(array(x), array(n), array(phi), array(0.023))
    assert 0 < found[0] <= n / phi * (1 + 1e-12)
