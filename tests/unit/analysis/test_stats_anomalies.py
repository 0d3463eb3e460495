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
        np.array([[successes]], dtype=float),
        np.array([[trials]], dtype=float),
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


def test_a_step_that_some_skip_is_expected_as_often_as_it_comes() -> None:
    """95 %, and above 100 % on one day of eight: these are days like the others."""
    random = np.random.default_rng(7)
    trials = random.poisson(40, (1000, 63)).astype(float)
    successes = (
        random.binomial(trials.astype(int), 0.85) + random.poisson(4, trials.shape)
    ).astype(float)
    of_week = (successes[:, 56:], trials[:, 56:])
    found = surprise(Days(*of_week, successes[:, :56], trials[:, :56], np.ones((1000, 56), bool)))
    assert found.expected.mean() == pytest.approx(0.95, abs=0.002)
    p = found.p_value[~np.isnan(found.p_value)]
    assert len(p) > 900
    assert (p < 0.05).mean() <= 0.06


def test_nothing_is_told_from_weeks_above_100_percent() -> None:
    assert np.isnan(surprise(days(900, 1000, np.full(56, 1001))).p_value).all()


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
    assert surprise(replace(STEADY, successes=np.array([[75.0]]))).p_value[0] < 0.01
    assert surprise(replace(STEADY, successes=np.array([[50.0]]))).p_value[0] == 1


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


def test_fewer_than_100_sessions_are_no_test() -> None:
    assert np.isnan(surprise(days(0, 99, np.full(56, 50))).p_value).all()
    assert surprise(days(0, 100, np.full(56, 50))).p_value[0] < 0.05


def test_several_days_by_hand() -> None:
    # Three days, 30 of 600, 0 of 300, 60 of 600: 90 of 1,500. The same three weekdays had 4, 6 and
    # 5 % of 1,000 each, in every week alike: 1,200.5 of 24,001, and rho = 0 but for the widening.
    past = np.tile([40.0, 60, 50, 70, 30, 80, 50], 8)
    window = replace(
        days(0, 0, past), successes=np.array([[30.0, 0, 60]]), trials=np.array([[600.0, 300, 600]])
    )
    found = surprise(window)
    rho, rate = 0.125 / 1499, 1200.5 / 24_001
    a, b = rate * (1 / rho - 1), (1 - rate) * (1 / rho - 1)
    assert found.expected == pytest.approx([rate])
    assert found.relative_change == pytest.approx([0.06 / rate - 1])
    assert found.p_value == pytest.approx([2 * stats.betabinom.sf(89, 1500, a, b)])
    assert found.weeks == [8]


def test_days_of_a_window_vary_each_for_itself() -> None:
    # Weeks of 4 and 6 % in turn, as above; of three days of 500 the sum is as clustered as one day
    # of 500 is, 1 + 499 rho, and not 1 + 1,499 rho.
    past = np.repeat([40, 60] * 4, 7)
    rho = (56 * 0.01**2 / 49 / 0.0475 - 0.001) / (1 - 0.001)
    three = surprise(
        replace(days(0, 0, past), successes=np.full((1, 3), 15.0), trials=np.full((1, 3), 500.0))
    )
    wide = (9 / 8 * (1 + 499 * rho) - 1) / 1499
    rate = 1200.5 / 24_001
    a, b = rate * (1 / wide - 1), (1 - rate) * (1 / wide - 1)
    assert three.p_value == pytest.approx([2 * stats.betabinom.cdf(45, 1500, a, b)])


def test_a_day_that_is_left_out_is_a_part_of_a_week() -> None:
    # Of seven days together, one of 56 is no baseline: 55 days of 50 are 7 6/7 weeks.
    usable = np.ones((1, 56), dtype=bool)
    usable[0, 20] = False
    week = replace(
        days(0, 0, np.full(56, 50)),
        successes=np.full((1, 7), 50.0),
        trials=np.full((1, 7), 1000.0),
        is_usable=usable,
    )
    found = surprise(week)
    assert found.weeks == pytest.approx([55 / 7])
    assert found.expected == pytest.approx([2750.5 / 55_001])


def test_alerts_in_their_order_and_by_their_rules() -> None:
    p = np.array([1e-6, 1e-6, 1e-6, 1e-6, 0.04, 0.04])
    change = np.array([-0.5, -0.5, -0.5, -0.14, -0.5, -0.5])
    found = Surprise(np.full(6, 0.05), change, p, np.full(6, 8.0))
    signals = Signals(
        night=np.array([0, 0, 0, 0, 0, 1]),
        is_lost=np.array([True, False, False, False, False, False]),
        is_flawed=np.array([True, True, False, False, False, False]),
    )
    alerts = judge(found, signals)
    expected = ["tracking_lost", "data_quality", "behaviour", None, "behaviour", "behaviour"]
    assert alerts.kind.tolist() == expected
    # Two flawed rows are no tests: of three, the largest keeps its p; the second night is its own.
    assert np.isnan(alerts.q_value[:2]).all()
    assert alerts.q_value[2:] == pytest.approx([3e-6 / 2, 3e-6 / 2, 0.04, 0.04])


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
    assert scored["window_days"].value_counts().to_dict() == {1: 8, 3: 8, 7: 8}
    alerts = scored[scored["alert_kind"].notna()]
    assert alerts[["property_id", "alert_kind", "window_days"]].to_numpy().tolist() == [
        ["1", "behaviour", 1]
    ]
    assert alerts["date"].iloc[0] == pd.Timestamp("2026-02-27")
    one = surprise(days(25, 1000, np.full(56, 50)))
    assert alerts["p_value"].to_numpy() == pytest.approx(one.p_value)
    # The night has three tests: the day, three days of 125 of 3,000 and seven of 325 of 7,000.
    assert alerts["q_value"].to_numpy() == pytest.approx(3 * one.p_value)
    three = one_row(scored, "2026-02-27", 3)
    assert (three["numerator"], three["denominator"]) == (125, 3000)
    assert three["p_value"] > one.p_value[0]


def one_row(scored: pd.DataFrame, date: str, window: int) -> pd.Series:
    """The row of shop 1."""
    return scored[
        (scored["property_id"] == "1")
        & (scored["date"] == date)
        & (scored["window_days"] == window)
    ].iloc[0]


def test_an_alerted_day_is_no_baseline_for_the_next_weeks() -> None:
    frame = daily({"1": [50.0] * 56 + [25] + [50] * 7})
    after = one_row(score_days(frame, "2026-02-26"), "2026-03-05", 1)
    assert after["weeks"] == 7
    assert after["expected_rate"] == pytest.approx(350.5 / 7001)


def test_missing_days_and_declared_days_are_left_out() -> None:
    frame = daily({"1": [50.0] * 57})
    frame.loc[49, "is_declared"] = True
    frame.loc[55, "is_declared"] = True
    without = score_days(frame.drop(index=[0, 7, 10]), "2026-02-26")
    # 1 and 8 January and 19 February are the same weekday as 26 February: five weeks are left.
    one = one_row(without, "2026-02-26", 1)
    assert one["weeks"] == 5
    assert without["p_value"].isna().tolist() == [True, False, False]
    # The 25th is declared, and one of the last three days.
    assert without["is_declared"].tolist() == [0, 1, 1]
    assert score_days(frame, "2026-03-01").empty


def small_step(rates: list[float], per_day: int = 20) -> pd.DataFrame:
    """20 checkouts a day, of which so many become orders."""
    return daily({"1": [round(rate * per_day) for rate in rates]}).assign(denominator=per_day)


def test_a_small_step_that_collapses_is_seen_by_the_week() -> None:
    # 60 % of 20 a day; 5 % from the 70th day, 11 March, on. One day has 20 and three have 60: only
    # seven have 100 sessions, 84 of 140, and from 14 March on 3 x 12 + 4 x 1 = 40.
    scored = score_days(small_step([0.6] * 69 + [0.05] * 4), "2026-03-11")
    alerts = scored[scored["alert_kind"].notna()]
    assert set(alerts["window_days"]) == {7}
    newest = one_row(alerts, "2026-03-14", 7)
    assert (newest["numerator"], newest["denominator"]) == (40, 140)
    assert newest["expected_rate"] == pytest.approx(672.5 / 1121)


@pytest.mark.parametrize(("lasts", "weeks"), [(20, 6), (27, 5)])
def test_a_fall_that_lasts_does_not_become_what_is_expected(lasts: int, weeks: int) -> None:
    # 60 % for 70 days, then 5 %. Its days are left out, so that ever fewer weeks can be compared
    # with: after 20 days six of the same weekday are left, each with 12 of 20.
    scored = score_days(small_step([0.6] * 70 + [0.05] * lasts), "2026-03-20")
    newest = one_row(scored, str(scored["date"].max().date()), 1)
    assert newest["weeks"] == weeks
    assert newest["expected_rate"] == pytest.approx((12 * weeks + 0.5) / (20 * weeks + 1))


def test_a_level_that_lasts_longer_becomes_what_is_expected() -> None:
    # 44 days at 30 % after 60 %: six same weekdays of the new level, and the two of the old one are
    # left out.
    scored = score_days(small_step([0.6] * 40 + [0.3] * 44), "2026-03-20")
    newest = one_row(scored, "2026-03-25", 1)
    assert newest["weeks"] == 6
    assert newest["expected_rate"] == pytest.approx((6 * 6 + 0.5) / 121)


def test_a_rate_that_came_back_is_compared_with_all_its_days() -> None:
    # Ten days at 5 % in between: the days before and after are of one level.
    scored = score_days(small_step([0.6] * 50 + [0.05] * 10 + [0.6] * 15), "2026-03-12")
    newest = one_row(scored, "2026-03-16", 7)
    # Of 14 January to 10 March, 56 days, ten are left out.
    assert newest["weeks"] == pytest.approx(46 / 7)
    assert newest["expected_rate"] == pytest.approx((46 * 12 + 0.5) / (46 * 20 + 1))


def test_several_days_are_told_only_where_each_is_sound() -> None:
    frame = daily({"1": [50.0] * 70})
    frame.loc[67, "is_flawed"] = True
    scored = score_days(frame, "2026-03-11")
    told = {
        window: one_row(scored, "2026-03-11", window)[["denominator", "p_value", "alert_kind"]]
        for window in (1, 3, 7)
    }
    assert told[1]["denominator"] == 1000
    assert [pd.isna(told[window]["p_value"]) for window in (1, 3, 7)] == [False, True, True]
    assert pd.isna(told[7]["denominator"])
    # A flaw is an alert of its own day, and of that alone.
    flawed = score_days(frame, "2026-03-09")
    kinds = flawed[flawed["alert_kind"].notna()][["date", "window_days", "alert_kind"]]
    assert kinds.to_numpy().tolist() == [[pd.Timestamp("2026-03-09"), 1, "data_quality"]]
