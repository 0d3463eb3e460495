"""Thresholds that follow from one another, or stand in Python where an array's shape needs them."""

import pytest
from scipy import stats

from pipelines.analysis.findings.rates import LEAST_PAIRS
from pipelines.analysis.findings.scan import ScanRules
from pipelines.analysis.stats.anomalies import Rules
from pipelines.analysis.stats.anomaly_table import LOOKBACK_DAYS
from pipelines.config.thresholds import threshold


def test_the_quantile_is_that_of_the_odds() -> None:
    assert threshold("moderate_z") == pytest.approx(stats.norm.ppf(threshold("moderate_evidence")))


def test_days_are_given_all_the_days_that_they_are_compared_with() -> None:
    assert threshold("anomaly_history_days") == LOOKBACK_DAYS
    assert threshold("anomaly_least_weeks") == Rules().least_weeks


def test_findings_need_what_verdicts_need() -> None:
    assert threshold("least_trials") == ScanRules().least_trials
    assert threshold("least_varying_days") == LEAST_PAIRS


def test_an_unknown_threshold_is_an_error() -> None:
    with pytest.raises(KeyError):
        threshold("least_trails")
