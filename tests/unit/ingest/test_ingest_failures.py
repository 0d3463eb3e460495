"""What goes wrong in a night: what is held back, what stays, and who goes on."""

from collections.abc import Callable
from datetime import date, timedelta

import grpc
import pytest

from pipelines.config.settings import Property
from pipelines.errors import WarehouseError
from pipelines.ga4.api_errors import (
    AuditError,
    CircuitOpenError,
    LargePageError,
    QuotaError,
    RequestRefusedError,
    ThresholdedQuotaError,
    UnreachableError,
)
from pipelines.ga4.rate_limit import CIRCUIT_ERRORS_PER_HOUR
from pipelines.ingest.day_window import DayWindow
from pipelines.ingest.ingest_run import CONCURRENT_REQUESTS, NothingPulledError
from pipelines.warehouse import load
from tests.support.night import (
    BY_DEVICE,
    FUNNEL_REPORTS,
    MOBILE_AND_DESKTOP,
    NOON,
    REPORTS,
    SHOP,
    WINDOW,
    Night,
    item,
    sessions,
)
from tests.support.protocol_server import (
    Fault,
    asks_for,
    drop_last_row,
    grow,
    move_day,
    names,
    repeat_first_row,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("kept_night")]

Code = grpc.StatusCode
CONTRADICTIONS: dict[str, Callable] = {
    "ends early": drop_last_row,
    "row twice": repeat_first_row,
    "day outside": move_day("20260228"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_what_fails_its_audit_is_held_back_and_the_old_rows_stay(night, name):
    night.run()
    night.server.put("42", [sessions(1, "tablet", 1), sessions(2, "tablet", 5)])
    night.server.faults = [Fault(tamper=CONTRADICTIONS[name], match=BY_DEVICE)]
    with pytest.raises(AuditError, match="sessions_by_device") as caught:
        night.run()
    assert caught.value.exit_code == 2
    assert night.by_device() == MOBILE_AND_DESKTOP
    assert night.query(
        "select date, status, row_count, message from ops.pulls "
        "where run_id = 'run2' and report = 'sessions_by_device' order by date"
    ) == [(day, "held_back", None, str(caught.value)) for day in (WINDOW.start, WINDOW.end)]
    # The other reports of the night were stored.
    assert night.query(
        "select distinct status from ops.pulls where run_id = 'run2' and report = 'events_by_all'"
    ) == [("loaded",)]
    assert night.query("select count(*) from raw.ga4_events_by_all") == [(0,)]


def test_a_row_count_that_moves_is_held_back(night):
    night.run()
    night.server.page_size = 2
    night.server.faults = [Fault(
        tamper=grow,
        match=lambda request: request.offset and BY_DEVICE(request),
    )]  # fmt: skip
    with pytest.raises(AuditError, match="row_count"):
        night.run()
    assert night.by_device() == MOBILE_AND_DESKTOP


@pytest.mark.parametrize("name", ["row twice", "day outside"])
def test_a_contradiction_that_goes_away_is_not_seen(night, name):
    night.server.faults = [Fault(tamper=CONTRADICTIONS[name], match=BY_DEVICE, times=1)]
    assert night.run().problems == {}
    assert night.by_device() == MOBILE_AND_DESKTOP


def test_a_refused_optional_report_does_not_stop_the_night(night):
    words = "Please remove itemName to make the request compatible."
    night.server.faults = [
        Fault(Code.INVALID_ARGUMENT, words, match=asks_for("date", "itemId", "itemName"))
    ]
    outcome = night.run()
    assert words in outcome.problems["items"]
    assert night.by_device() == MOBILE_AND_DESKTOP
    assert night.query("select count(*) from raw.ga4_items") == [(0,)]
    assert night.query(
        "select status, count(*) from ops.pulls where report = 'items' group by 1"
    ) == [("refused", 2)]


def test_a_refused_required_report_stops_the_night_after_the_others(night):
    night.server.faults = [Fault(Code.INVALID_ARGUMENT, "bad", match=asks_for("date", "eventName"))]
    with pytest.raises(NothingPulledError, match="events_by_all") as caught:
        night.run()
    # The property is blocked, as it would be beside others: the next night tries it again.
    assert (caught.value.exit_code, type(caught.value.__cause__)) == (2, RequestRefusedError)
    assert night.by_device() == MOBILE_AND_DESKTOP


def test_used_up_tokens_stop_the_night_and_the_old_rows_stay(night):
    night.run()
    night.server.put("42", [])
    night.server.faults = [Fault(Code.RESOURCE_EXHAUSTED, "Exhausted tokens", match=BY_DEVICE)]
    with pytest.raises(QuotaError) as caught:
        night.run()
    assert caught.value.exit_code == 75
    assert night.by_device() == MOBILE_AND_DESKTOP


def test_server_errors_are_retried_in_the_night(night):
    night.server.faults = [Fault(Code.UNAVAILABLE, "later", match=BY_DEVICE, times=2)]
    assert night.run().problems == {}
    assert night.by_device() == MOBILE_AND_DESKTOP
    assert len(night.clock.slept) == 2


def test_a_broken_write_rolls_its_report_back(night, monkeypatch):
    night.run()
    night.server.put("42", [sessions(1, "tablet", 1)])
    insert, broken = load.insert_table, []

    def fail_once(connection, table, rows) -> None:
        if table == "quarantine" and not broken:
            broken.append(table)
            raise WarehouseError("the disk is full")
        insert(connection, table, rows)

    monkeypatch.setattr(load, "insert_table", fail_once)
    spec = next(spec for spec in REPORTS if spec.name == "sessions_by_device")
    with pytest.raises(WarehouseError):
        night.run(reports=(spec,))
    assert night.by_device() == MOBILE_AND_DESKTOP
    assert night.query("select count(*) from ops.pulls where run_id = 'run2'") == [(0,)]


HELD_BACK = "select run_id, property_id, gate, reason from ops.held_back"


@pytest.fixture
def two(night: Night) -> Night:
    night.server.put("43", [sessions(1, "mobile", 7)])
    night.configure(Property(id="42"), Property(id="43"))
    return night


def of_property(property_id: str, match: Callable = lambda request: True) -> Callable:
    return lambda request: request.property == f"properties/{property_id}" and match(request)


@pytest.mark.parametrize("code", [Code.PERMISSION_DENIED, Code.NOT_FOUND, Code.UNAUTHENTICATED])
def test_a_property_that_may_not_be_read_is_held_back_and_the_others_go_on(two, code):
    two.run()
    two.server.put("42", [sessions(1, "tablet", 1)])
    two.server.faults = [Fault(code, "not for you", match=of_property("43"))]
    outcome = two.run()
    assert list(outcome.failures) == ["43"]
    assert two.by_device() == [(date(2026, 3, 1), "tablet", 1)]
    assert two.by_device("43") == [(date(2026, 3, 1), "mobile", 7)]
    assert two.query(HELD_BACK) == [("run2", "43", "pull", str(outcome.failures["43"]))]
    assert two.query("select property_id from ops.properties where is_active order by 1") == [
        ("42",), ("43",),
    ]  # fmt: skip


def test_a_property_that_fails_on_the_way_is_held_back_too(two):
    fault = Fault(Code.PERMISSION_DENIED, "not any more", match=of_property("43", BY_DEVICE))
    two.server.faults = [fault]
    outcome = two.run()
    assert list(outcome.failures) == ["43"]
    assert "not any more" in outcome.problems["sessions_by_device"]
    assert two.by_device() == MOBILE_AND_DESKTOP
    assert [row[:3] for row in two.query(HELD_BACK)] == [("run1", "43", "pull")]
    assert two.query(
        "select distinct property_id, status from ops.pulls where status <> 'loaded'"
    ) == [("43", "failed")]


def test_when_all_properties_fail_what_may_heal_soonest_is_told(two):
    """What is worth another try in an hour wins over what is not."""
    two.server.faults = [
        Fault(Code.PERMISSION_DENIED, "not you", match=of_property("42")),
        Fault(Code.RESOURCE_EXHAUSTED, "Exhausted tokens", match=of_property("43")),
    ]
    with pytest.raises(QuotaError, match="property 43"):
        two.run()
    two.server.faults[0].match = of_property("42", BY_DEVICE)
    with pytest.raises(QuotaError, match="property 43"):
        two.run()
    assert {row[:3] for row in two.query(HELD_BACK)} == {
        ("run2", "42", "pull"), ("run2", "43", "pull"),
    }  # fmt: skip
    two.server.faults = [
        Fault(Code.PERMISSION_DENIED, "not you", match=of_property("42")),
        Fault(tamper=repeat_first_row, match=of_property("43", BY_DEVICE)),
    ]
    with pytest.raises(AuditError, match="Property 43"):
        two.run()


def test_a_day_that_is_not_over_everywhere_holds_those_properties_back(two):
    # 2026-03-02 12:00 UTC: the 2nd is over in Auckland and not in Berlin.
    two.at(NOON)
    two.configure(Property(id="42"), Property(id="43", time_zone="Pacific/Auckland"))
    outcome = two.run()
    assert "2026-03-02 is not over yet in Europe/Berlin" in str(outcome.failures["42"])
    assert two.by_device() == []
    assert two.by_device("43") == [(date(2026, 3, 1), "mobile", 7)]


def test_a_dimension_that_would_be_thresholded_is_skipped(night):
    words = "Exhausted potentially thresholded requests quota."
    night.server.faults = [Fault(Code.RESOURCE_EXHAUSTED, words, match=BY_DEVICE)]
    outcome = night.run()
    assert outcome.failures == {}
    assert words in outcome.problems["sessions_by_device"]
    assert night.query(
        "select date, status from ops.pulls where report = 'sessions_by_device' order by date"
    ) == [(WINDOW.start, "skipped"), (WINDOW.end, "skipped")]
    assert night.query("select count(*) from raw.ga4_events_by_device") == [(2,)]
    assert night.query(HELD_BACK) == []


def test_a_property_that_is_down_is_not_asked_on(two):
    two.server.faults = [
        Fault(Code.UNAVAILABLE, "down", match=of_property("43", lambda one: one.dimensions))
    ]
    outcome = two.run()
    assert isinstance(outcome.failures["43"], UnreachableError)
    asked = [one for one in two.server.requests if of_property("43")(one)]
    # One first number, and no more errors than open the circuit and may be on their way.
    assert len(asked) <= 1 + CIRCUIT_ERRORS_PER_HOUR + CONCURRENT_REQUESTS - 1
    assert two.by_device() == MOBILE_AND_DESKTOP


ITEMS = asks_for("date", "itemId", "itemName")
MICRO_BY_ALL = asks_for("date", metric="eventCount")
MICRO_BY_DEVICE = asks_for("date", "deviceCategory", metric="eventCount")
# What ends a property's requests half-way: enough server errors for the circuit, or no tokens.
ENDS = {
    "circuit": (Code.INTERNAL, "down", CircuitOpenError),
    "hourly": (Code.RESOURCE_EXHAUSTED, "Exhausted property tokens per hour.", QuotaError),
    "daily": (Code.RESOURCE_EXHAUSTED, "Exhausted property tokens per day.", QuotaError),
}


@pytest.mark.parametrize("name", ENDS)
def test_what_ends_half_way_leaves_a_night_with_what_it_has(night, name):
    """Required reports come first, so only optional ones are missing; each says so."""
    code, words, kind = ENDS[name]
    night.server.faults = [
        Fault(
            code, words, match=lambda one: ITEMS(one) or MICRO_BY_ALL(one) or MICRO_BY_DEVICE(one)
        )
    ]
    outcome = night.run()
    assert outcome.failures == {}
    assert isinstance(outcome.ended["42"], kind)
    missing = {"micro_by_all", "micro_by_device", "items"}
    assert outcome.problems.keys() == missing
    assert outcome.rows.keys() == {spec.name for spec in REPORTS if spec.is_required}
    assert night.by_device() == MOBILE_AND_DESKTOP
    assert night.query(HELD_BACK) == []
    assert set(night.query(
        "select report, status, count(distinct date) from ops.pulls where status <> 'loaded' "
        "group by all"
    )) == {(report, "failed", 2) for report in missing}  # fmt: skip
    # And it heals by itself.
    night.server.faults = []
    assert night.run().problems == {}
    assert night.query("select count(*) from raw.ga4_items") == [(2,)]


def test_a_backfill_that_lacks_optional_reports_is_not_finished(night):
    """It waits an hour for tokens, and goes on another day where they are gone for the day."""
    words = "Exhausted property tokens per day."
    night.server.faults = [Fault(Code.RESOURCE_EXHAUSTED, words, match=ITEMS)]
    with pytest.raises(QuotaError):
        night.run(backfill_id="b1")
    night.server.faults = []
    assert night.run(backfill_id="b1").rows == {"items": 2}


@pytest.mark.parametrize("name", ENDS)
def test_what_ends_before_a_required_report_pauses_the_run(two, name):
    """One property is held back and the others go on; with all of them the run is only paused."""
    code, words, _ = ENDS[name]
    two.run()
    two.server.put("42", [sessions(1, "tablet", 1)])
    two.server.faults = [Fault(code, words, match=of_property("43", of_days))]
    outcome = two.run()
    assert list(outcome.failures) == ["43"]
    assert two.by_device() == [(date(2026, 3, 1), "tablet", 1)]
    assert two.by_device("43") == [(date(2026, 3, 1), "mobile", 7)]
    two.server.faults = [Fault(code, words, match=of_days)]
    with pytest.raises((QuotaError, UnreachableError)) as caught:
        two.run()
    assert caught.value.exit_code == 75


def test_days_that_could_not_be_asked_for_are_made_up_for(night):
    """A later night pulls newer days only, and of `items` also those that it lacks."""
    night.at(NOON + timedelta(days=9))
    night.server.put("42", [*SHOP, *(sessions(day, None, 9) for day in (3, 4)), item(3, "Tee", 8)])
    night.server.faults = [Fault(Code.UNAVAILABLE, "down", match=ITEMS)]
    night.run()
    night.server.faults = []
    night.run(DayWindow(date(2026, 3, 3), date(2026, 3, 4)))
    assert night.query("select date, items_viewed from raw.ga4_items order by all") == [
        (date(2026, 3, 1), 3), (date(2026, 3, 2), 1), (date(2026, 3, 3), 8),
    ]  # fmt: skip
    ranges = [
        (one.date_ranges[0].start_date, one.date_ranges[0].end_date)
        for one in night.server.requests
        if ITEMS(one)
    ]
    assert sorted(set(ranges)) == [("2026-03-01", "2026-03-02"), ("2026-03-03", "2026-03-04")]
    # That is done now.
    night.run(DayWindow(date(2026, 3, 4), date(2026, 3, 4)))
    assert [one for one in night.server.requests if ITEMS(one)][-1].date_ranges[0].start_date == (
        "2026-03-04"
    )


def test_an_optional_report_that_may_not_be_read_is_its_own_affair(night):
    night.server.faults = [Fault(Code.PERMISSION_DENIED, "not these", match=ITEMS)]
    outcome = night.run()
    assert outcome.failures == {}
    assert list(outcome.problems) == ["items"]


@pytest.mark.parametrize("report", ["metadata", "funnel", "funnel_next_action"])
@pytest.mark.parametrize(
    "code",
    [Code.UNIMPLEMENTED, Code.PERMISSION_DENIED, Code.INTERNAL, Code.RESOURCE_EXHAUSTED,
     Code.DEADLINE_EXCEEDED],
)  # fmt: skip
def test_optional_methods_are_their_own_affair(night, report, code):
    spec = next(one for one in FUNNEL_REPORTS if one.name == report)
    night.server.custom_dimensions, night.server.metadata_fault = None, code
    night.server.funnels.refuse, night.server.funnels.code = lambda request: "no", code
    outcome = night.run(reports=(*REPORTS, spec))
    assert (outcome.failures, outcome.ended) == ({}, {})
    assert list(outcome.problems) == [report]
    assert night.by_device() == MOBILE_AND_DESKTOP
    assert night.query(f"select distinct status from ops.pulls where report = '{report}'") == [
        ("refused" if code is Code.UNIMPLEMENTED else "failed",)
    ]


def test_two_failures_of_a_report_in_one_run_are_two_attempts(night):
    night.server.faults = [Fault(Code.INVALID_ARGUMENT, "no", match=ITEMS)]
    for _ in range(2):
        night.run(backfill_id="b1")
    assert night.query(
        "select count(*), count(distinct pull_id) from ops.pulls where report = 'items'"
    ) == [(2, 1)]
    night.run()
    assert night.query(
        "select count(distinct (pull_id, date)), count(*) from ops.pulls where report = 'items'"
    ) == [(4, 4)]


@pytest.mark.parametrize("report", ["sessions_by_all", "events_by_all"])
def test_the_whole_property_has_no_dimension_to_leave_out(night, report):
    words = "Exhausted potentially thresholded requests quota."
    dimensions = {"sessions_by_all": ("date",), "events_by_all": ("date", "eventName")}[report]
    metric = {"sessions_by_all": "sessions", "events_by_all": "eventCount"}[report]
    match = asks_for(*dimensions, metric=metric)
    night.server.faults = [
        Fault(Code.RESOURCE_EXHAUSTED, words, match=lambda one: match(one) and has_no_filter(one))
    ]
    with pytest.raises(ThresholdedQuotaError) as caught:
        night.run()
    assert caught.value.exit_code == 75


def of_days(request) -> bool:
    """Every report by day; the first number of a property is none."""
    return "date" in names(request.dimensions)


def has_no_filter(request) -> bool:
    return not request.HasField("dimension_filter")


def test_a_message_that_is_too_large_is_no_matter_of_quota(night):
    words = "Received message larger than max (5000000 vs. 4194304)"
    night.server.faults = [Fault(Code.RESOURCE_EXHAUSTED, words, match=BY_DEVICE)]
    with pytest.raises(NothingPulledError, match=r"check ga4\.endpoint") as caught:
        night.run()
    assert (caught.value.exit_code, type(caught.value.__cause__)) == (2, LargePageError)
    assert night.clock.slept == []


def test_a_page_that_is_too_slow_comes_in_smaller_ones(night):
    night.server.faults = [Fault(
        Code.DEADLINE_EXCEEDED, "too slow",
        match=lambda request: request.limit > 100_000 and BY_DEVICE(request),
    )]  # fmt: skip
    assert night.run().problems == {}
    assert night.by_device() == MOBILE_AND_DESKTOP
