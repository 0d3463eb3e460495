"""The one table of tolerances: in Python and in SQL, and that every metric of a report is in it."""

import math

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.config.tracking_plan import load_plan
from pipelines.ga4.exactness import (
    MADE,
    Made,
    estimate_allowance,
    estimate_allowance_sql,
    excess_allowed,
    missing_share,
)
from pipelines.ga4.report_catalog import build_reports

ESTIMATES = {"sessions", "engagedSessions", "totalUsers", "activeUsers"}


def test_every_metric_of_a_report_is_made_somehow():
    metrics = {one.api_name for spec in build_reports(load_plan()) for one in spec.metrics}
    assert metrics == MADE.keys() | ESTIMATES


@pytest.mark.parametrize(
    ("made", "total", "rows", "allowed"),
    [
        (Made.COUNTED, 1e9, 10**6, 0.0),
        (Made.ROUNDED, 1e9, 3, 2.5),
        (Made.MONEY, -2000.0, 1, 2.02),
        (Made.ESTIMATED, 1.0, 1, math.inf),
    ],
)
def test_what_a_sum_of_rows_may_have_above_its_total(made, total, rows, allowed):
    assert excess_allowed(made, total, rows) == pytest.approx(allowed, rel=1e-12)


def test_estimates_differ_by_six_standard_errors_and_their_rounding():
    # 6 x 0.023 x sqrt(300² + 400²) = 69, and half a session for each of the two.
    assert estimate_allowance(300**2 + 400**2) == pytest.approx(70.0, rel=1e-12)
    assert estimate_allowance(300**2 + 400**2, 4, "users") == pytest.approx(36.5, rel=1e-12)


@given(st.floats(0, 1e12), st.integers(1, 50))
def test_sql_allows_the_same(squares, counts):
    sql = estimate_allowance_sql("$squares::double", "$counts::integer")
    ((found,),) = duckdb.execute(f"select {sql}", {"squares": squares, "counts": counts}).fetchall()
    assert found == pytest.approx(estimate_allowance(squares, counts), rel=1e-9)


def test_exact_numbers_are_allowed_nothing():
    ((found,),) = duckdb.execute(
        f"select {estimate_allowance_sql('1e6', is_exact='true')}"
    ).fetchall()
    assert found == 0


@pytest.mark.parametrize(
    ("total", "summed", "share"), [(20, 12, 0.4), (20, 20, 0), (20, 21, 0), (0, 0, 0), (0, 5, 0)]
)
def test_the_share_that_rows_lack(total, summed, share):
    assert missing_share(total, summed) == share
