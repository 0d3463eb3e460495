"""Benchmark statistics against published figures and properties that hold anywhere."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipelines.analysis.stats.benchmarks import (
    GRAIN,
    Range,
    directional,
    exact_p_below,
    q_values,
    score_comparisons,
    score_p_below,
    weeks_to_know,
)
from pipelines.analysis.stats.intervals import Counts, wilson
from pipelines.analysis.stats.shrinkage import shrink

# Benjamini and Hochberg (1995), 15 p-values; reference case 3.
BH_1995 = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
    0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
]  # fmt: skip


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


def test_exact_p_is_the_binomial_tail() -> None:
    # Reference case 10; and by hand: 0.95^40 for none of 40.
    p = exact_p_below(array(30, 0), array(1000, 40), array(0.05, 0.05))
    assert p == pytest.approx([0.001277, 0.95**40], abs=5e-7)


def test_no_p_without_a_rate() -> None:
    assert np.isnan(exact_p_below(array(0, 6), array(0, 5), array(0.05, 0.05))).all()
    assert np.isnan(exact_p_below(array(np.nan), array(10), array(0.05))).all()


def test_q_values_of_benjamini_and_hochberg() -> None:
    q = q_values(array(*BH_1995))
    assert (q <= 0.05).sum() == 4
    assert q[3:5] == pytest.approx([0.035625, 0.060300], abs=5e-7)


def test_a_missing_p_is_no_test() -> None:
    q = q_values(array(0.01, np.nan, 0.04))
    assert q[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(q[1])
    assert np.isnan(q_values(array(np.nan))).all()


def test_directional_evidence_of_small_shops() -> None:
    # Range 5-10 %, 0 of 40 and 9 of 300 (docs/analytics.md); nothing for no session at all.
    bounds = Range(array(0.05, 0.05, 0.05), array(0.10, 0.10, 0.10))
    below, mean = directional(array(0, 9, 0), array(40, 300, 0), bounds)
    assert below[:2] == pytest.approx([0.890, 0.9446], abs=5e-4)
    assert mean[:2] == pytest.approx([0.025, 0.0328125])
    assert np.isnan([below[2], mean[2]]).all()


def test_weeks_to_know_by_hand() -> None:
    # 30 of 1000 in 28 days is 3 % at 250 a week; against 5 %:
    # (1.959964 sqrt(.0475) + .841621 sqrt(.0291))^2 / .02^2 = 814.34 sessions.
    weeks = weeks_to_know(array(30), array(1000), array(0.05), array(28))
    assert weeks == pytest.approx([814.34 / 250], rel=1e-5)


def test_weeks_to_know_has_no_answer_at_the_floor_or_without_a_rate() -> None:
    weeks = weeks_to_know(array(5, 0, 8), array(100, 0, 7), array(0.05, 0.05, 0.05), array(7, 7, 7))
    assert np.isnan(weeks).all()


@given(
    n=st.integers(1, 5_000), share=st.floats(0, 1), low=st.floats(0.01, 0.6), wide=st.floats(0, 0.3)
)
def test_scores_stay_in_bounds(n: int, share: float, low: float, wide: float) -> None:
    x = float(round(n * share))
    p = exact_p_below(array(x), array(n), array(low))
    below, mean = directional(array(x), array(n), Range(array(low), array(low + wide)))
    assert 0 <= p[0] <= 1
    assert 0 <= below[0] <= 1
    middle = low + wide / 2
    assert min(x / n, middle) - 1e-12 <= mean[0] <= max(x / n, middle) + 1e-12


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_q_is_never_below_p(p: list[float]) -> None:
    assert (q_values(array(*p)) >= array(*p) - 1e-12).all()


@pytest.mark.parametrize(
    ("rate", "shares"),
    [
        (0.03, {100: 0.048, 300: 0.32, 1000: 0.88, 5000: 1.0}),
        (0.05, {100: 0.006, 300: 0.016, 1000: 0.021, 5000: 0.022}),
    ],
)
def test_operating_figures(rate: float, shares: dict[int, float]) -> None:
    # Section 4, summed over every outcome: the chance that the interval ends below 5 %.
    for n, share in shares.items():
        outcomes = np.arange(n + 1.0)
        is_below = wilson(Counts(outcomes, np.full(n + 1, float(n)))).high < 0.05
        found = stats.binom.pmf(outcomes, n, rate)[is_below].sum()
        assert found == pytest.approx(share, abs=0.005 if share > 0.1 else 0.0005)


def test_score_test_agrees_with_the_wilson_bound() -> None:
    # The upper bound of 95 % meets the floor exactly where the one-sided p is 2.5 %.
    high = wilson(Counts(array(30), array(1000)), array(700)).high
    assert score_p_below(array(0.03), array(700), high) == pytest.approx([0.025])


def test_weeks_grow_with_phi() -> None:
    args = array(30), array(1000), array(0.05), array(28)
    plain = weeks_to_know(*args)
    assert weeks_to_know(*args, phi=array(2)) == pytest.approx(2 * plain)


def test_shrinkage_reference_case_14() -> None:
    x, n = array(60, 18, 5, 12, 2), array(800, 400, 150, 120, 60)
    found = shrink(x, n, np.zeros(5, dtype=np.int64), 1)
    assert found.pooled == pytest.approx(np.full(5, 0.063399), abs=5e-7)
    assert found.strength == pytest.approx(np.full(5, 162.5032), abs=5e-5)
    expected = [0.073041, 0.050315, 0.048967, 0.078946, 0.055291]
    assert found.rate == pytest.approx(expected, abs=5e-7)


def test_segments_alike_shrink_to_the_shop_and_no_rate_stays_none() -> None:
    # Group 0 differs less than chance; group 1 is one segment alone; group 2 has no rate.
    x, n = array(50, 51, 7, 3, 5), array(1000, 1000, 100, 0, 4)
    found = shrink(x, n, np.array([0, 0, 1, 2, 2]), 3)
    assert found.rate[:3] == pytest.approx([0.0505, 0.0505, 0.07])
    assert np.isnan(found.rate[3:]).all()


def comparisons() -> pd.DataFrame:
    rows = [
        ("1", "28d", "all", "all", "a", "tracked", 30, 1000, 0.05, 0.10, 28),
        ("1", "28d", "all", "all", "b", "not_tracked", None, 500, 0.50, 0.60, 28),
        ("1", "28d", "device", "mobile", "a", "tracked", 10, 500, 0.05, 0.10, 28),
        ("1", "7d", "device", "mobile", "a", "tracked", 6, 120, 0.05, 0.10, 7),
        ("2", "28d", "all", "all", "a", "tracked", 12, 10, 0.05, 0.10, 28),
    ]
    columns = [
        *GRAIN,
        *("tracking_state", "numerator", "denominator", "benchmark_low", "benchmark_high"),
        "window_days",
    ]
    frame = pd.DataFrame(rows, columns=columns)
    frame = frame.assign(phi=1.0, n_eff=frame["denominator"])
    return frame.astype({"numerator": "Int64", "denominator": "Int64"})


def test_score_comparisons_by_family() -> None:
    scored = score_comparisons(comparisons())
    p = stats.binom.cdf([30, 10, 6], [1000, 500, 120], 0.05)
    assert scored["p_value"].dropna().to_numpy() == pytest.approx(p)
    # One store row: q = p. Two segment cells of that property: the smaller p counts double.
    assert scored["q_value"].dropna().to_numpy() == pytest.approx([p[0], 2 * p[1], p[2]])


def test_untracked_and_impossible_rates_have_no_score() -> None:
    scored = score_comparisons(comparisons()).iloc[[1, 4]]
    scores = scored[["p_value", "q_value", "p_below", "posterior_mean", "weeks_needed"]]
    assert scores.isna().all(axis=None)


def test_noise_turns_the_exact_test_into_the_score_test() -> None:
    frame = comparisons().assign(phi=[2.0, 1, 2, 1, 1], n_eff=[500, 500, 250, 120, 10])
    scored = score_comparisons(frame)
    # 30/1000 is 500 effective, 10/500 is 250.
    z = np.array([-0.02, -0.03]) / np.sqrt(0.05 * 0.95 / np.array([500, 250]))
    assert scored["p_value"].iloc[[0, 2]].to_numpy() == pytest.approx(stats.norm.cdf(z))
    assert scored["p_value"].iloc[3] == pytest.approx(stats.binom.cdf(6, 120, 0.05))
    below, mean = directional(array(15), array(500), Range(array(0.05), array(0.10)))
    assert scored["p_below"].iloc[0] == pytest.approx(below[0])
    assert scored["posterior_mean"].iloc[0] == pytest.approx(mean[0])


def test_no_comparisons_no_scores() -> None:
    scored = score_comparisons(comparisons().head(0))
    assert scored.empty
    assert {"p_value", "q_value", "p_below", "weeks_needed"} <= set(scored.columns)
