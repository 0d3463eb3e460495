"""The simulation study itself: what it calls met, and a small run of the part that plants leaks."""

from tests.study.results import Figure
from tests.study.shops import required


def test_a_target_is_met_or_not() -> None:
    assert Figure("inside", 0.95, 10, 0.94, 0.96).is_met is True
    assert Figure("above", 0.97, 10, 0.94, 0.96).is_met is False
    assert Figure("too few", 0.94, 10, low=0.95).is_met is False
    assert Figure("zero is at most", 0.0, 10, high=0.05).is_met is True
    assert Figure("no target", 0.5, 10).is_met is None
    assert "**no**" in Figure("above", 0.97, 10, 0.94, 0.96).row()


def test_planted_leaks_are_found_and_healthy_shops_left_alone() -> None:
    planted, healthy = required(shops=40)
    assert planted.share >= 0.95
    assert healthy.share <= 0.05
