"""The simulation study itself: what it calls met, and a small run of the part that plants leaks."""

import pytest

from tests.study.experiments import experiments_section
from tests.study.findings import findings_section
from tests.study.results import Figure
from tests.study.shops import required

pytestmark = pytest.mark.slow


def test_a_target_is_met_or_not() -> None:
    # The error of 94 % in 10,000 runs is 1.96 x sqrt(.94 x .06 / 10,000) = 0.47 %.
    verdicts = [
        Figure("inside", 0.95, 10_000, 0.94, 0.96).verdict,
        Figure("a little below", 0.936, 10_000, 0.94, 0.96).verdict,
        Figure("far below", 0.93, 10_000, 0.94, 0.96).verdict,
        Figure("too many", 0.07, 10_000, high=0.05).verdict,
        Figure("zero is at most", 0.0, 10_000, high=0.05).verdict,
        Figure("no target", 0.5, 10_000).verdict,
    ]
    assert verdicts == ["yes", "within error", "no", "no", "yes", ""]


def test_planted_leaks_are_found_and_healthy_shops_left_alone() -> None:
    planted, healthy = required(shops=40)
    assert planted.share >= 0.95
    assert healthy.share <= 0.05


def test_planted_parts_and_days_are_found() -> None:
    """A tenth of the study's runs: no figure is off its target by more than chance."""
    figures = findings_section(100).figures
    assert [one.what for one in figures if one.verdict == "no"] == []
    assert sum(one.verdict == "yes" for one in figures) >= 12


def test_experiments_are_judged_rightly() -> None:
    figures = experiments_section(60, 8).figures
    assert [one.what for one in figures if one.verdict == "no"] == []
    assert sum(one.verdict == "yes" for one in figures) >= 18
