"""Nightly anomalies: the beta-binomial of docs/analytics.md and the rules of an alert."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipelines.analysis.stats.anomalies import (
    Days,
    Signals,
    Surprise,
    day_correlation,
    judge,
    surprise,
)
from pipelines.analysis.stats.anomaly_table import score_days


def days(successes: float, trials: float, past: np.ndarray, past_trials: float = 1000) -> Days:
    """One row: a day after 56 days of `past` successes, all usable."""
    return Days(
        np.array([successes], dtype=float),
        np.array([trials], dtype=float),
        past[None].astype(float),
        np.full((1, 56), float(past_trials)),
        np.ones((1, 56), dtype=bool),
    )


STEADY = days(30, 1000, np.full(56, 50))


def test_beta_binomial_reference_case_11() -> None:
    assert stats.betabinom.cdf(30, 1000, 14, 186) == pytest.approx(0.0084028, abs=5e-8)


def test_a_weekly_rhythm_is_no_noise() -> None:
    # Every weekday has its own rate, the same in every week.
    rhythm = np.tile([80, 40, 45, 50, 55, 60, 70], 8)
    assert day_correlation(days(80, 1000, rhythm)) == pytest.approx([0])


def test_correlation_by_hand() -> None:
    # Rates of 4 and 6 % in turn by week: s^2 = 56 x .01^2 / 49, p = .05, n = 1000.
    weeks = np.repeat([40, 60] * 4, 7)
    variance = 56 * 0.01**2 / 49
    expected = (variance / 0.0475 - 0.001) / (1 - 0.001)
    assert day_correlation(days(50, 1000, weeks)) == pytest.approx([expected])


def test_p_of_a_steady_shop_by_hand() -> None:
    # rho = 0, so the widened variance alone: 1 + 999 rho' = 9/8. Expected 400.5 of 8001.
    found = surprise(STEADY)
    rho, rate = 0.125 / 999, 400.5 / 8001
    a, b = rate * (1 / rho - 1), (1 - rate) * (1 / rho - 1)
    assert found.expected == pytest.approx([rate])
    assert found.p_value == pytest.approx([2 * stats.betabinom.cdf(30, 1000, a, b)])
    assert found.relative_change == pytest.approx([0.03 / rate - 1])
    # About as surprising as 2.75 standard deviations of sqrt(9/8 x 47.5) are.
    assert 0.001 < found.p_value[0] < 0.01


def test_a_common_rate_is_as_surprising_as_its_complement() -> None:
    mirrored = days(970, 1000, np.full(56, 950))
    assert surprise(mirrored).p_value == pytest.approx(surprise(STEADY).p_value)


def test_both_directions_count() -> None:
    assert surprise(replace(STEADY, successes=np.array([75.0]))).p_value[0] < 0.01
    assert surprise(replace(STEADY, successes=np.array([50.0]))).p_value[0] == 1


def test_excluded_days_are_not_the_baseline() -> None:
    # A week of disaster that was alerted: left out, it neither moves nor widens anything.
    past = np.full(56, 50)
    past[28:35] = 0
    usable = np.ones((1, 56), dtype=bool)
    usable[0, 28:35] = False
    without = surprise(replace(days(30, 1000, past), is_usable=usable))
    assert without.weeks == [7]
    assert without.expected == pytest.approx([350.5 / 7001])
    assert surprise(days(30, 1000, past)).p_value[0] > 5 * without.p_value[0]


def test_no_p_without_a_baseline_or_a_rate() -> None:
    usable = np.zeros((1, 56), dtype=bool)
    usable[0, 49:] = usable[0, 42:49] = usable[0, 35:42] = True
    assert np.isnan(surprise(replace(STEADY, is_usable=usable)).p_value).all()
    assert np.isnan(surprise(days(30, 0, np.full(56, 50))).p_value).all()
    assert np.isnan(surprise(days(1001, 1000, np.full(56, 50))).p_value).all()


def test_alerts_in_their_order_and_by_their_rules() -> None:
    p = np.array([1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 0.04, 0.04])
    change = np.array([-0.5, -0.5, -0.5, -0.14, -0.5, -0.5, -0.5])
    trials = np.array([1000.0, 1000, 1000, 1000, 99, 1000, 1000])
    found = Surprise(np.full(7, 0.05), change, p, np.full(7, 8.0))
    signals = Signals(
        night=np.array([0, 0, 0, 0, 0, 0, 1]),
        is_lost=np.array([True, False, False, False, False, False, False]),
        is_flawed=np.array([True, True, False, False, False, False, False]),
    )
    rows = Days(trials * 0.05, trials, np.empty((7, 56)), np.empty((7, 56)), np.empty((7, 56)))
    alerts = judge(rows, found, signals)
    expected = ["tracking_lost", "data_quality", "behaviour", None, None, "behaviour", "behaviour"]
    assert alerts.kind.tolist() == expected
    # Two flawed rows are no tests: of four, the largest keeps its p; the second night is its own.
    assert np.isnan(alerts.q_value[:2]).all()
    assert alerts.q_value[2:] == pytest.approx([4e-6 / 3, 4e-6 / 3, 4e-6 / 3, 0.04, 0.04])


def daily(rates: dict[str, list[float]], key: str = "add_to_cart") -> pd.DataFrame:
    """Rows of 1,000 sessions a day from 1 January 2026 on, one series per property."""
    rows = [
        (property_id, "all", "all", key, date, x, 1000)
        for property_id, successes in rates.items()
        for date, x in zip(
            pd.date_range("2026-01-01", periods=len(successes)), successes, strict=True
        )
    ]
    columns = ["property_id", "segment_name", "segment_value", "key", "date"]
    frame = pd.DataFrame(rows, columns=[*columns, "numerator", "denominator"])
    return frame.assign(is_declared=False, is_lost=False, is_flawed=False)


def test_score_days_of_a_long_frame() -> None:
    # Two shops, 60 days from 1 January; shop 1 loses half its adds on 27 February (day 57) only.
    frame = daily({"1": [50.0] * 57 + [25] + [50] * 2, "2": [50.0] * 60}).sample(
        frac=1, random_state=1
    )
    scored = score_days(frame, "2026-02-26")
    assert len(scored) == 8
    alerts = scored[scored["alert_kind"].notna()]
    assert alerts[["property_id", "alert_kind"]].to_numpy().tolist() == [["1", "behaviour"]]
    assert alerts["date"].iloc[0] == pd.Timestamp("2026-02-27")
    one = surprise(days(25, 1000, np.full(56, 50)))
    assert alerts["p_value"].to_numpy() == pytest.approx(one.p_value)
    assert alerts["q_value"].to_numpy() == pytest.approx(one.p_value)


def test_an_alerted_day_is_no_baseline_for_the_next_weeks() -> None:
    frame = daily({"1": [50.0] * 56 + [25] + [50] * 7})
    after = score_days(frame, "2026-02-26").iloc[-1]
    assert after["weeks"] == 7
    assert after["expected_rate"] == pytest.approx(350.5 / 7001)


def test_missing_days_and_declared_days_are_left_out() -> None:
    frame = daily({"1": [50.0] * 57})
    frame.loc[49, "is_declared"] = True
    without = score_days(frame.drop(index=[0, 7, 10]), "2026-02-26")
    # 1 and 8 January and 19 February are the same weekday as 26 February: five weeks are left.
    assert without["weeks"].tolist() == [5]
    assert without["p_value"].isna().all()
    assert score_days(frame, "2026-03-01").empty
