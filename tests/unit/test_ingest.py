"""A night's ingestion over the wire: server → client → audit → DuckDB, several reports at once."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import grpc
import pytest

from pipelines.errors import ConfigError, WarehouseError
from pipelines.ga4.client import connect
from pipelines.ga4.errors import AuditError, PropertyError, QuotaError, RequestRefusedError
from pipelines.ga4.reports import ReportSpec, build_reports
from pipelines.ingest import Outcome, ingest, profile_properties
from pipelines.partitions import DayWindow, yesterday
from pipelines.settings import Ga4, Property, Settings
from pipelines.tracking import MicroConversion, ParameterCondition, Segment, TrackingPlan
from pipelines.warehouse import load
from pipelines.warehouse.connect import build_database
from tests.unit.protocol_server import (
    Fault,
    ProtocolServer,
    Row,
    asks_for,
    drop_last_row,
    grow,
    move_day,
    repeat_first_row,
    serving,
)

REPORTS = build_reports(
    TrackingPlan(
        (
            MicroConversion("purchase", ("purchase",), ()),
            MicroConversion("video", ("video_start", 'it\'s 100% "video"'), ()),
            MicroConversion(
                "scroll_50", ("scroll",), (ParameterCondition("percent_scrolled", ">=", "50"),)
            ),
        ),
        (Segment("all", None), Segment("device", "deviceCategory")),
    )
)
WINDOW = DayWindow(date(2026, 3, 1), date(2026, 3, 2))
# The composite keys have the same dimensions, so a metric tells the report.
BY_DEVICE = asks_for("date", "deviceCategory", metric="engagedSessions")
Code = grpc.StatusCode


def sessions(day: int, device: str | None, count: int) -> Row:
    row = {
        "date": f"202603{day:02}", "sessions": str(count), "engagedSessions": str(count // 2),
        "screenPageViews": str(3 * count), "userEngagementDuration": "12.5",
        "transactions": "1", "purchaseRevenue": "19.9",
    }  # fmt: skip
    return row if device is None else {**row, "deviceCategory": device}


def events(day: int, name: str, device: str | None, count: int) -> Row:
    row = {"date": f"202603{day:02}", "eventName": name}
    numbers = {"eventCount": str(2 * count), "sessions": str(count)}
    return {**row, **numbers, **({} if device is None else {"deviceCategory": device})}


def micro(day: int, name: str, percent: str, count: int) -> Row:
    return {
        "date": f"202603{day:02}", "eventCount": str(2 * count), "sessions": str(count),
        "~eventName": name, "~customEvent:percent_scrolled": percent,
    }  # fmt: skip


def item(day: int, name: str, units: int) -> Row:
    metrics = ("itemsViewed", "itemsAddedToCart", "itemsCheckedOut", "itemsPurchased")
    return {
        "date": f"202603{day:02}", "itemId": f"SKU {name}", "itemName": name,
        **dict.fromkeys(metrics, str(units)), "itemRevenue": "49.5",
    }  # fmt: skip


SHOP = [
    sessions(1, None, 100), sessions(2, None, 110),
    sessions(1, "mobile", 60), sessions(1, "desktop", 40), sessions(2, "mobile", 110),
    events(1, "purchase", None, 5), events(2, "it's 100% \"video\"", None, 7),
    events(1, "purchase", "mobile", 2), events(1, "purchase", "desktop", 3),
    micro(2, "it's 100% \"video\"", "(not set)", 7), micro(2, "scroll", "90", 4),
    item(1, "Tee", 3), item(2, "(not set)", 1),
]  # fmt: skip


@dataclass
class Night:
    """A server and a home; `run` ingests WINDOW and returns what was stored."""

    server: ProtocolServer
    settings: Settings
    count: int = 0

    def run(self, window: DayWindow = WINDOW, reports: tuple[ReportSpec, ...] = REPORTS) -> Outcome:
        self.count += 1
        return ingest(
            self.settings, connect(self.settings.ga4), reports, window,
            run_id=f"run{self.count}", command="test",
        )  # fmt: skip

    def query(self, text: str) -> list[tuple]:
        with build_database(self.settings.build_db, read_only=True) as connection:
            return connection.execute(text).fetchall()

    def by_device(self, property_id: str = "42") -> list[tuple]:
        return self.query(
            "select date, device_category, sessions from raw.ga4_sessions_by_device "
            f"where property_id = '{property_id}' order by all"
        )


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with serving() as server:
        server.put("42", SHOP)
        yield Night(
            server,
            Settings(
                home=tmp_path,
                ga4=Ga4(endpoint=server.endpoint),
                properties=(Property(id="42", name="Main"),),
            ),
        )


@pytest.fixture
def two_properties(night: Night) -> Night:
    night.server.put("43", [sessions(1, "mobile", 7)])
    properties = (Property(id="42"), Property(id="43"))
    night.settings = night.settings.model_copy(update={"properties": properties})
    return night


MOBILE_AND_DESKTOP = [
    (date(2026, 3, 1), "desktop", 40),
    (date(2026, 3, 1), "mobile", 60),
    (date(2026, 3, 2), "mobile", 110),
]


def test_every_report_arrives_in_its_table(night):
    night.server.custom_dimensions = ("percent_scrolled",)
    outcome = night.run()
    assert outcome == Outcome(
        {
            "sessions_by_all": 2, "events_by_all": 2, "micro_by_all": 2, "sessions_by_device": 3,
            "events_by_device": 2, "micro_by_device": 0, "items": 2,
        },
        {},
    )  # fmt: skip
    assert night.by_device() == MOBILE_AND_DESKTOP
    assert night.query(
        "select date, sessions, engaged_sessions, screen_page_views, user_engagement_duration, "
        "transactions, purchase_revenue from raw.ga4_sessions_by_all order by date"
    ) == [
        (date(2026, 3, 1), 100, 50, 300, 12.5, 1, 19.9),
        (date(2026, 3, 2), 110, 55, 330, 12.5, 1, 19.9),
    ]
    assert night.query("select event_name, event_count from raw.ga4_events_by_all order by 1") == [
        ("it's 100% \"video\"", 14), ("purchase", 10),
    ]  # fmt: skip
    assert night.query("select micro_key, date, sessions from raw.ga4_micro_by_all order by 1") == [
        ("scroll_50", date(2026, 3, 2), 4), ("video", date(2026, 3, 2), 7),
    ]  # fmt: skip
    assert night.query("select item_id, item_name, items_viewed from raw.ga4_items order by 3") == [
        ("SKU (not set)", "(not set)", 1), ("SKU Tee", "Tee", 3),
    ]  # fmt: skip


def test_ops_remember_the_run_its_pulls_and_the_property(night):
    night.run()
    assert night.query(
        "select run_id, command, window_start, window_end, status, finished_at from ops.runs"
    ) == [("run1", "test", WINDOW.start, WINDOW.end, "running", None)]
    assert night.query(
        "select property_id, name, time_zone, currency, is_active from ops.properties"
    ) == [("42", "Main", "Europe/Berlin", "EUR", True)]
    # Seven reports × two days, each loaded, and each with the count of its own day.
    assert night.query(
        "select status, count(*), count(distinct report) from ops.pulls group by 1"
    ) == [("loaded", 14, 7)]
    assert night.query(
        "select date, row_count from ops.pulls where report = 'sessions_by_device' order by date"
    ) == [(date(2026, 3, 1), 2), (date(2026, 3, 2), 1)]
    ((totals,),) = night.query(
        "select totals from ops.pulls where report = 'events_by_device' and date = '2026-03-01'"
    )
    assert json.loads(totals) == {"event_count": 10, "sessions": 5}
    assert night.query("select distinct quota, remaining from ops.quota order by 1") == [
        ("tokens_per_day", 199_000), ("tokens_per_hour", 39_000),
    ]  # fmt: skip


def test_the_same_night_twice_changes_no_row(night):
    night.run()
    tables = [spec.table for spec in REPORTS]
    select = "select * exclude (pulled_at, pull_id) from raw.{} order by all"
    before = [night.query(select.format(table)) for table in tables]
    assert sum(len(rows) for rows in before) == 12  # `scroll_50` is not registered
    night.server.shuffle, night.server.page_size, night.server.is_reversed = 3, 1, True
    night.run()
    assert [night.query(select.format(table)) for table in tables] == before


def test_a_later_night_replaces_only_its_own_days(night):
    night.run()
    # Everything changes at the source, but only 2 March is pulled again.
    night.server.put("42", [sessions(1, "tablet", 1), sessions(2, "tablet", 5)])
    night.run(DayWindow(WINDOW.end, WINDOW.end))
    assert night.by_device() == [*MOBILE_AND_DESKTOP[:2], (date(2026, 3, 2), "tablet", 5)]


def test_an_empty_source_empties_the_days(night):
    night.run()
    night.server.put("42", [])
    night.run()
    assert night.by_device() == []
    assert night.query("select distinct row_count from ops.pulls where run_id = 'run2'") == [(0,)]


def test_properties_do_not_mix(two_properties):
    two_properties.run()
    assert two_properties.by_device() == MOBILE_AND_DESKTOP
    assert two_properties.by_device("43") == [(date(2026, 3, 1), "mobile", 7)]
    two_properties.server.put("43", [])
    two_properties.run()
    assert two_properties.by_device() == MOBILE_AND_DESKTOP
    assert two_properties.by_device("43") == []


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


def test_rows_without_a_date_go_to_quarantine(night):
    night.server.faults = [Fault(tamper=move_day("(other)"), match=BY_DEVICE)]
    assert night.run().rows["sessions_by_device"] == 2
    assert night.by_device() == MOBILE_AND_DESKTOP[1:]
    ((report, text, row),) = night.query("select report, date_text, row_json from ops.quarantine")
    assert (report, text) == ("sessions_by_device", "(other)")
    assert json.loads(row)["device_category"] == "desktop"


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
    ) == [("failed", 2)]


def test_a_refused_required_report_stops_the_night_after_the_others(night):
    night.server.faults = [Fault(Code.INVALID_ARGUMENT, "bad", match=asks_for("date", "eventName"))]
    with pytest.raises(RequestRefusedError, match="events_by_all"):
        night.run()
    assert night.by_device() == MOBILE_AND_DESKTOP


def test_used_up_tokens_stop_the_night_and_the_old_rows_stay(night):
    night.run()
    night.server.put("42", [])
    night.server.faults = [Fault(Code.RESOURCE_EXHAUSTED, "Exhausted tokens", match=BY_DEVICE)]
    with pytest.raises(QuotaError) as caught:
        night.run()
    assert caught.value.exit_code == 75
    assert night.by_device() == MOBILE_AND_DESKTOP


def test_server_errors_are_retried_in_the_night(night, waits):
    night.server.faults = [Fault(Code.UNAVAILABLE, "later", match=BY_DEVICE, times=2)]
    assert night.run().problems == {}
    assert night.by_device() == MOBILE_AND_DESKTOP
    assert len(waits) == 2


def test_a_refused_property_changes_nothing(night):
    night.run()
    properties = (Property(id="42"), Property(id="99"))
    night.settings = night.settings.model_copy(update={"properties": properties})
    night.server.put("42", [])
    with pytest.raises(PropertyError, match="property 99"):
        night.run()
    assert night.by_device() == MOBILE_AND_DESKTOP
    assert night.query("select run_id from ops.runs") == [("run1",)]


def test_without_the_parameter_its_keys_are_not_asked_for(night):
    night.server.custom_dimensions = ("size",)
    assert night.run().rows["micro_by_all"] == 1
    fields = {
        one.filter.field_name
        for request in night.server.requests
        for one in request.dimension_filter.and_group.expressions
    }
    assert fields == {"eventName"}
    assert night.query("select micro_key from raw.ga4_micro_by_all") == [("video",)]
    ((message,),) = night.query(
        "select distinct message from ops.pulls where report = 'micro_by_all'"
    )
    assert "scroll_50" in message


def test_a_broken_write_rolls_its_report_back(night, monkeypatch):
    night.run()
    night.server.put("42", [sessions(1, "tablet", 1)])
    insert, broken = load._insert, []

    def fail_once(connection, table, rows) -> None:
        if table == "quota" and not broken:
            broken.append(table)
            raise WarehouseError("the disk is full")
        insert(connection, table, rows)

    monkeypatch.setattr(load, "_insert", fail_once)
    spec = next(spec for spec in REPORTS if spec.name == "sessions_by_device")
    with pytest.raises(WarehouseError):
        night.run(reports=(spec,))
    assert night.by_device() == MOBILE_AND_DESKTOP
    assert night.query("select count(*) from ops.pulls where run_id = 'run2'") == [(0,)]


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "UTC"])
def test_a_day_that_is_not_over_for_the_property_is_refused(night, zone):
    night.server.time_zone = zone
    newest = yesterday(ZoneInfo(zone))
    night.run(DayWindow(newest, newest))
    today = newest + timedelta(days=1)
    with pytest.raises(ConfigError) as caught:
        night.run(DayWindow(newest, today))
    for word in (f"{today} is not over yet in {zone}", "property 42", f"--date {newest}"):
        assert word in str(caught.value)
    assert night.query("select run_id from ops.runs") == [("run1",)]


def test_the_configured_zone_wins_over_the_server(night, monkeypatch):
    # 2026-03-02 12:00 UTC: 3 March 01:00 in Auckland, 2 March in Los Angeles.
    monkeypatch.setattr(
        "pipelines.ingest.yesterday",
        lambda zone, now=None: yesterday(zone, datetime(2026, 3, 2, 12, tzinfo=UTC)),
    )
    night.server.time_zone = "America/Los_Angeles"
    with pytest.raises(ConfigError, match="America/Los_Angeles"):
        night.run()
    far = (Property(id="42", time_zone="Pacific/Auckland"),)
    night.settings = night.settings.model_copy(update={"properties": far})
    night.run()
    assert night.query("select time_zone from ops.properties") == [("Pacific/Auckland",)]


def test_without_properties_nothing_can_be_asked(night):
    settings = night.settings.model_copy(update={"properties": ()})
    with pytest.raises(ConfigError, match="No GA4 property is configured"):
        profile_properties(settings, connect(settings.ga4))


def test_a_source_that_is_not_there_yet_is_named(night):
    outlet = (Property(id="7", source="export", path="x"),)
    settings = night.settings.model_copy(update={"properties": outlet})
    with pytest.raises(ConfigError, match="Property 7 has source 'export'"):
        profile_properties(settings, connect(settings.ga4))
    assert night.server.requests == []
