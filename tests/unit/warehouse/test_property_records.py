"""What is remembered of properties: who they are, what changed, what came, went and was held."""

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines.clock import Clock
from pipelines.config.settings import Property, Settings, Store
from pipelines.ga4.client import Profile
from pipelines.ga4.rate_limit import Reading
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.load import ensure_tables
from pipelines.warehouse.property_records import (
    checked_reports,
    held_back,
    remember_checks,
    remember_field_changes,
    remember_held_back,
    remember_properties,
    remember_readings,
)
from tests.support.hand_clock import MORNING
from tests.support.night import ALL_REPORTS

D1, D2, D3 = (date(2026, 3, day) for day in (1, 2, 3))
BOTH = Settings(properties=(Property(id="1"), Property(id="2")))


@pytest.fixture
def build(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with build_database(tmp_path / "build.duckdb") as connection:
        ensure_tables(connection, ALL_REPORTS)
        yield connection


def profile(property_id: str, zone: str | None = "Europe/Berlin", currency: str | None = "EUR"):
    return Profile(property_id, zone, currency, frozenset())


def changes(build) -> list[tuple]:
    return build.execute(
        "select property_id, field, old, new from ops.property_changes order by all"
    ).fetchall()


def test_properties_that_left_are_kept_but_not_active(build):
    profiles = (
        Profile("1", "Europe/Berlin", "EUR", frozenset({"size", "page_type"})),
        Profile("2", None, None, frozenset()),
    )
    both = Settings(
        store=Store(name="It's mine", industry="fashion"),
        properties=(Property(id="1", name="Main", time_zone="Asia/Tokyo"), Property(id="2")),
    )
    remember_properties(build, both, profiles)
    alone = Settings(properties=(Property(id="2", name="Outlet"),))
    remember_properties(build, alone, (Profile("2", "America/Lima", "PEN", frozenset()),))
    assert build.execute(
        "select property_id, name, source, time_zone, currency, store_name, industry, is_active, "
        "custom_dimensions from ops.properties order by property_id"
    ).fetchall() == [
        ("1", "Main", "data_api", "Asia/Tokyo", "EUR", "It's mine", "fashion", False,
         '["page_type", "size"]'),
        ("2", "Outlet", "data_api", "America/Lima", "PEN", "My shop", "all", True, "[]"),
    ]  # fmt: skip


def test_a_changed_currency_or_zone_is_noted_and_said(build, caplog):
    remember_properties(build, BOTH, [profile("1"), profile("2")])
    assert changes(build) == []
    with caplog.at_level(logging.WARNING):
        remember_properties(build, BOTH, [profile("1", currency="USD"), profile("2", "Asia/Tokyo")])
    assert changes(build) == [
        ("1", "currency", "EUR", "USD"), ("2", "time_zone", "Europe/Berlin", "Asia/Tokyo"),
    ]  # fmt: skip
    assert "The currency of property 1 went from EUR to USD" in caplog.text
    assert "The time zone of property 2 went from Europe/Berlin to Asia/Tokyo" in caplog.text
    # It is noted when it changes, and not again.
    remember_properties(build, BOTH, [profile("1", currency="USD"), profile("2", "Asia/Tokyo")])
    assert len(changes(build)) == 2


def test_the_configured_zone_is_no_change(build):
    settings = Settings(properties=(Property(id="1", time_zone="Asia/Tokyo"),))
    remember_properties(build, settings, [profile("1")])
    remember_properties(build, settings, [profile("1", "America/Lima")])
    assert changes(build) == []


def test_a_property_that_was_not_reached_stays_as_it_was(build):
    remember_properties(build, BOTH, [profile("1"), profile("2")])
    before = build.execute("select * from ops.properties where property_id = '2'").fetchall()
    remember_properties(build, BOTH, [profile("1", currency="USD")])
    assert (
        build.execute("select * from ops.properties where property_id = '2'").fetchall() == before
    )


def test_what_is_told_for_the_first_time_is_no_change(build):
    remember_properties(build, BOTH, [profile("1", currency=None)])
    remember_properties(build, BOTH, [profile("1")])
    assert changes(build) == []


def snapshot(build, day: date, *names: str, property_id: str = "1") -> None:
    for name in names:
        build.execute(
            "insert into raw.ga4_metadata (property_id, date, kind, api_name, is_custom, "
            "pulled_at, pull_id) values (?, ?, 'dimension', ?, false, ?, 'p')",
            [property_id, day, name, MORNING],
        )


def field_changes(build) -> list[tuple]:
    return build.execute(
        "select property_id, kind, api_name, change from ops.field_changes order by all"
    ).fetchall()


def test_the_first_snapshot_is_no_change(build):
    snapshot(build, D1, "date", "customEvent:size")
    remember_field_changes(build, "1", MORNING)
    assert field_changes(build) == []


def test_fields_that_came_and_went_are_noted_once(build):
    snapshot(build, D1, "date", "customEvent:old", "customEvent:size")
    snapshot(build, D2, "date", "customEvent:new", "customEvent:size")
    snapshot(build, D1, "date", "other", property_id="2")
    remember_field_changes(build, "1", MORNING)
    remember_field_changes(build, "1", MORNING)
    assert field_changes(build) == [
        ("1", "dimension", "customEvent:new", "came"),
        ("1", "dimension", "customEvent:old", "went"),
    ]


def test_only_the_two_newest_snapshots_are_compared(build):
    snapshot(build, D1, "date", "once")
    snapshot(build, D2, "date")
    snapshot(build, D3, "date")
    remember_field_changes(build, "1", MORNING)
    assert field_changes(build) == []


def test_a_field_that_comes_back_is_noted_again(build):
    snapshot(build, D1, "date", "x")
    snapshot(build, D2, "date")
    remember_field_changes(build, "1", MORNING)
    snapshot(build, D3, "date", "x")
    remember_field_changes(build, "1", MORNING)
    assert [row[2:] for row in field_changes(build)] == [("x", "came"), ("x", "went")]


def test_quota_readings_are_appended(build):
    moment = datetime(2026, 3, 5, 4, 30, tzinfo=UTC)
    remember_readings(build, [Reading("1", moment, "core_tokens_per_day", 4, 199_996)], Clock())
    remember_readings(build, [], Clock())
    assert build.execute("select * from ops.quota").fetchall() == [
        ("1", moment, "core_tokens_per_day", 4, 199_996)
    ]


def test_the_first_reason_to_hold_a_property_back_stays(build):
    later = MORNING + timedelta(minutes=1)
    remember_held_back(build, "r1", "2", "pull", "no access", now=MORNING)
    remember_held_back(build, "r1", "2", "raw", "it's 100% empty", now=later)
    remember_held_back(build, "r1", "1", "marts", "rates above one", now=later)
    remember_held_back(build, "r0", "3", "raw", "another night", now=MORNING)
    assert held_back(build, "r1") == {"1": "rates above one", "2": "no access"}
    assert held_back(build, "r2") == {}


def test_field_checks_are_remembered_by_day(build):
    remember_checks(build, "1", D1, {"items": "", "pages": "it's incompatible"})
    remember_checks(build, "2", D1, {})
    assert checked_reports(build, "1", D1) == {"items": "", "pages": "it's incompatible"}
    assert checked_reports(build, "1", D2) == {}
    assert checked_reports(build, "2", D1) == {}
    assert build.execute("select report from ops.field_checks where is_ok").fetchall() == [
        ("items",)
    ]
