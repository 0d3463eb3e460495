"""Since when a rate is what it is, on series made by hand."""

import numpy as np
import pytest

from pipelines.analysis.findings.change_points import find_changes
from pipelines.analysis.findings.history import history
from pipelines.analysis.findings.rates import Counted
from pipelines.analysis.stats.arrays import Floats


def series(*stretches: tuple[int, float], trials: float = 100.0) -> tuple[Floats, Floats]:
    """Days of equal rates: (days, rate)."""
    rates = np.concatenate([np.full(days, rate) for days, rate in stretches])
    return rates * trials, np.full(len(rates), trials)


def test_the_day_of_a_fall() -> None:
    (change,) = find_changes(*series((10, 0.5), (10, 0.2)))
    assert (change.day, change.is_fall) == (10, True)
    # 2 [l(500, 1000) + l(200, 1000) - l(700, 2000)] = 2 (-693.147 - 500.402 + 1294.894).
    assert change.score == pytest.approx(202.69, abs=0.01)
    assert (change.earliest, change.latest) == (10, 10)


def test_the_set_of_days_is_wider_where_less_is_known() -> None:
    # 12 sessions a day: at day 9 or 11 the ratio is 1.5 to 2.3 lower than at day 10.
    (change,) = find_changes(*series((10, 0.5), (10, 0.0), trials=4.0))
    assert change.earliest <= change.day <= change.latest
    assert change.earliest < change.latest


def test_no_change_no_day() -> None:
    assert find_changes(*series((60, 0.5))) == []
    assert find_changes(np.zeros(5), np.zeros(5)) == []
    assert find_changes(np.array([1.0]), np.array([2.0])) == []
    # A bad day is no change: with two good ones before it the rate is 40 %.
    assert find_changes(*series((30, 0.5), (1, 0.2), trials=20.0)) == []


def test_a_fall_of_two_days_begins_where_it_began() -> None:
    (change,) = find_changes(*series((30, 0.5), (2, 0.1)))
    assert (change.day, change.latest) == (30, 30)


def test_days_nobody_knows_are_passed_over() -> None:
    successes, trials = series((10, 0.5), (10, 0.2))
    successes[[3, 10, 11]] = trials[[3, 10, 11]] = np.nan
    (change,) = find_changes(successes, trials)
    assert change.day == 12


def test_before_since_and_now() -> None:
    past = history(*series((40, 0.6), (20, 0.1)), 0.5)
    assert past.fall is not None
    assert past.fall.day == 40
    assert past.rise is None
    assert past.before == Counted(2400.0, 4000.0)
    assert past.since == Counted(200.0, 2000.0)
    assert past.now == Counted(70.0, 700.0)
    assert past.now_days == 7
    assert past.p_below_now == pytest.approx(1.0)


def test_a_recovery_ends_the_fall() -> None:
    past = history(*series((40, 0.6), (20, 0.1), (5, 0.6)), 0.5)
    assert past.fall is not None
    assert past.rise is not None
    assert (past.fall.day, past.rise.day) == (40, 60)
    assert past.since == Counted(200.0, 2000.0)
    # The last five days, as the rate changed before them.
    assert past.now == Counted(300.0, 500.0)
    assert past.now_days == 5
    assert past.p_below_now < 0.001


@pytest.mark.parametrize("trials", [17.0, 20.0, 30.0])
def test_each_change_is_told_from_the_days_between_its_neighbours(trials: float) -> None:
    """Split from all 85 days, the fall may as well be where the rate rose again."""
    fall, rise = find_changes(*series((30, 0.6), (25, 0.4), (30, 0.6), trials=trials))
    assert (fall.day, rise.day) == (30, 55)
    assert fall.latest - fall.earliest <= 4
    assert rise.latest - rise.earliest <= 4


def test_of_falls_in_a_row_the_clearest_is_the_beginning() -> None:
    past = history(*series((40, 0.6), (15, 0.2), (5, 0.12)), 0.5)
    assert past.fall is not None
    assert past.last_fall is not None
    assert (past.fall.day, past.last_fall.day) == (40, 55)


def test_a_recovery_of_what_was_low_from_the_first_day_on() -> None:
    past = history(*series((40, 0.2), (20, 0.4)), 0.5)
    assert past.fall is None
    assert past.rise is not None
    assert past.rise.day == 40
    assert (past.before.trials, past.since.trials) == (0.0, 0.0)
    assert past.p_below_now == pytest.approx(1.0)


def test_odds_of_being_below() -> None:
    # Beta(1.5, 1.5) is symmetric; phi halves what is known.
    assert Counted(1, 2).p_below(0.5, 1.0) == pytest.approx(0.5)
    assert Counted(10, 40).p_below(0.5, 1.0) == pytest.approx(0.99943, abs=1e-4)
    assert Counted(10, 40).p_below(0.5, 4.0) < Counted(10, 40).p_below(0.5, 1.0)
    assert np.isnan(Counted(0, 0).p_below(0.5, 1.0))
    assert Counted(50, 40).p_below(0.5, 1.0) == pytest.approx(0.0, abs=1e-9)


def test_counts_that_are_not_whole() -> None:
    """Sums of them differ by a rounding, which is no likelihood."""
    rng = np.random.default_rng(3)
    for _ in range(50):
        trials = rng.uniform(0, 3, 60)
        find_changes(np.where(rng.random(60) < 0.5, trials, 0.0), trials)
