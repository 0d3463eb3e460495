"""What GA4 did not give: gates tell a report that may be missing from one that may not."""

from __future__ import annotations

from functools import cache

import pytest

from data_checks import GateReport
from tests.support.checked_warehouse import build_warehouse, check, failures, judged_apart

pytestmark = pytest.mark.slow

DAY = "property_id = '100' and date = '2026-03-02'"
OPTIONAL = ("items", "micro_by_device", "sessions_by_landing_page", "funnel", "metadata")
STATUSES = ("failed", "refused", "skipped", "held_back")
# Report and last attempt of required ones, and whether the gate lets them pass.
REQUIRED = (
    ("sessions_by_country", "skipped", True),
    ("sessions_by_country", "refused", False),
    ("events_by_device", "failed", False),
    ("sessions_by_all", "skipped", False),
)
SEGMENTS = ("all", "device", "channel", "country", "visitor", "landing_page")
UNSEEN = "purchase_revenue = null where property_id in ('100', '200')"


def _unloaded(status: str, *reports: str) -> list[str]:
    """The reports never came for one day, and their last attempts said so."""
    return [
        statement
        for report in reports
        for statement in (
            f"delete from raw.ga4_{report} where {DAY}",
            f"delete from ops.pulls where report = '{report}' and {DAY}",
            "insert into ops.pulls (property_id, report, date, status, pulled_at) values ('100', "
            f"'{report}', '2026-03-02', '{status}', timestamptz '2026-03-05 05:30:00+00')",
        )
    ]


@cache
def _raw() -> dict[str, GateReport]:
    return judged_apart(
        "raw",
        {status: _unloaded(status, *OPTIONAL) for status in STATUSES}
        | {f"{report} {status}": _unloaded(status, report) for report, status, _ in REQUIRED}
        | {"unseen": [f"update raw.ga4_sessions_by_{name} set {UNSEEN}" for name in SEGMENTS]},
    )


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("report", OPTIONAL)
def test_an_optional_report_may_be_missing(report: str, status: str) -> None:
    """Each says so of itself, and of no other; even all of them may."""
    outcome = _raw()[status]
    assert outcome.is_passed
    warned = {(w.property_id, w.table_name, w.expectation) for w in outcome.warnings}
    assert ("100", f"raw.ga4_{report}", "last_pull_was_loaded") in warned
    assert len(warned) == len(OPTIONAL)


@pytest.mark.parametrize(("report", "status", "is_passed"), REQUIRED)
def test_of_the_required_ones_only_a_dimension_may_be_left_out(
    report: str, status: str, is_passed: bool
) -> None:
    outcome = _raw()[f"{report} {status}"]
    missing = {("100", f"ga4_{report}", "partition_is_present")}
    assert failures(outcome) == (set() if is_passed else missing)
    assert ("100", f"raw.ga4_{report}", "last_pull_was_loaded") in {
        (w.property_id, w.table_name, w.expectation) for w in outcome.warnings
    }


def test_before_the_first_seeds_no_segment_is_known_to_be_partial() -> None:
    connection = build_warehouse()
    connection.execute("drop table seeds.segments")
    assert check(connection, "raw").is_passed


def test_numbers_that_may_not_be_seen_are_no_lost_numbers() -> None:
    staged = [f"update staging.stg_ga4__sessions set {UNSEEN}"]
    for segment in SEGMENTS:
        staged.append(f"update raw.ga4_sessions_by_{segment} set {UNSEEN}")
    assert _raw()["unseen"].is_passed
    for gate in ("staging", "intermediate"):
        assert judged_apart(gate, {"unseen": staged})["unseen"].is_passed


def test_money_without_a_currency_is_told() -> None:
    connection = build_warehouse()
    connection.execute(f"update marts.fct_product_funnel set currency = null where {DAY}")
    report = check(connection, "marts")
    assert report.is_passed
    assert [(w.property_id, w.expectation) for w in report.warnings] == [
        ("100", "money_has_a_currency")
    ]


@pytest.mark.parametrize("gate", ["raw", "staging", "intermediate", "marts"])
def test_a_property_that_is_not_asked_for_is_not_judged(gate: str) -> None:
    connection = build_warehouse()
    for table in (
        "raw.ga4_events_by_device",
        "staging.stg_ga4__events",
        "intermediate.int_funnel__reach_daily",
        "marts.fct_funnel_daily",
    ):
        connection.execute(f"delete from {table} where property_id = '200'")
    # A row of property 100 that is about property 200, too.
    connection.execute("delete from marts.fct_reconciliation")
    report = check(connection, gate, ["100"])
    assert report.is_passed
    assert {result.property_id for result in report.results} == {"100"}
