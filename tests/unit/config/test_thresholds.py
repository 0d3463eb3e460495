"""Thresholds that follow from one another, or stand in Python where an array's shape needs them."""

import pytest
from scipy import stats

from pipelines.analysis.stats.anomalies import WEEKS
from pipelines.config.thresholds import threshold


def test_the_quantile_is_that_of_the_odds() -> None:
    assert threshold("moderate_z") == pytest.approx(stats.norm.ppf(threshold("moderate_evidence")))


def test_a_day_is_given_as_many_weeks_as_it_is_compared_with() -> None:
    assert threshold("anomaly_weeks") == WEEKS


def test_an_unknown_threshold_is_an_error() -> None:
    with pytest.raises(KeyError):
        threshold("least_trails")
