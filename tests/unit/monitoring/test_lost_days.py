"""A build database that lacks days which readers have: no run publishes over them."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from dagster import materialize

from pipelines.clock import pin_clock
from pipelines.config.settings import Property, Settings
from pipelines.config.tracking_plan import load_plan
from pipelines.errors import WarehouseError
from pipelines.ga4.report_catalog import build_reports
from pipelines.ingest.day_window import DayWindow
from pipelines.monitoring.doctor.machine_steps import database_step
from pipelines.monitoring.lost_days import lost_days, refuse_lost_days
from pipelines.orchestration.assets.raw_assets import build_raw_assets
from pipelines.orchestration.resources import default_resources
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.load import record_failure
from tests.support.hand_clock import MORNING
from tests.support.reading import publish_again, run

TODAY = MORNING.date()
FIRST = TODAY - timedelta(days=60)
SESSIONS = build_reports(load_plan())[0]


def pulled(settings: Settings, first: date) -> None:
    """The build database has days from `first` on."""
    with build_database(settings.build_db) as connection:
        record_failure(
            connection, "42", SESSIONS, (first, TODAY - timedelta(days=1)),
            run_id="r", status="loaded", message="", now=MORNING,
        )  # fmt: skip


@pytest.fixture
def settings(home: Path) -> Settings:
    """Readers have sixty days of one property."""
    found = Settings(home=home, properties=(Property(id="42"),))
    pulled(found, FIRST)
    with build_database(found.build_db) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.dim_property as select '42' as property_id, "
            "?::date as first_date, ?::date as last_date",
            [FIRST, TODAY - timedelta(days=1)],
        )
        connection.execute(
            "create table marts.fct_data_completeness (property_id varchar, date date, "
            "maturity varchar, is_loaded boolean, is_complete boolean)"
        )
    publish_again(home)
    pin_clock(home, MORNING, ["42"])
    return found


def test_a_lost_build_database_holds_the_nights_until_its_days_are_back(
    settings: Settings,
) -> None:
    assert lost_days(settings) == ""
    settings.build_db.unlink()
    reason = lost_days(settings)
    assert f"'sluice backfill --start {FIRST} --end {TODAY - timedelta(days=1)}'" in reason
    with pytest.raises(WarehouseError, match="put a copy of it back"):
        refuse_lost_days(settings, TODAY - timedelta(days=35))
    # The backfill itself may run, one over fewer days may not.
    refuse_lost_days(settings, FIRST)
    with pytest.raises(WarehouseError):
        refuse_lost_days(settings, FIRST + timedelta(days=1))
    # It was stopped half-way, newest days first.
    pulled(settings, TODAY - timedelta(days=30))
    assert lost_days(settings) == reason
    pulled(settings, FIRST)
    assert lost_days(settings) == ""


def test_days_that_a_night_pulls_anyway_are_no_loss(settings: Settings) -> None:
    settings.build_db.unlink()
    sweep = settings.nightly.model_copy(update={"sweep_days": 60})
    assert lost_days(settings.model_copy(update={"nightly": sweep})) == ""
    other = settings.model_copy(update={"properties": (Property(id="7"),)})
    assert lost_days(other) == ""


def test_status_and_doctor_say_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.build_db.unlink()
    monkeypatch.setenv("SLUICE_PROPERTIES", '[{"id": "42"}]')
    state = json.loads(run("status", "--json").stdout)
    assert state["state"] == "failed"
    said = f"Readers have days of property 42 from {FIRST} on"
    assert said in state["verdict"]
    assert database_step(settings).message.startswith(said)


def test_whoever_starts_a_run_it_refuses_before_anybody_is_asked(settings: Settings) -> None:
    """The asset that begins every run: of a night, a backfill, the schedule and Dagster's UI."""
    plan = load_plan()
    begins = build_raw_assets(settings, build_reports(plan), plan)
    days = DayWindow(TODAY - timedelta(days=35), TODAY - timedelta(days=1))
    settings.build_db.unlink()
    with pytest.raises(WarehouseError, match=f"'sluice backfill --start {FIRST} "):
        materialize([begins], resources=default_resources(settings), tags=days.tags())
    # It has a record, as every run that began.
    assert lost_days(settings)
    with build_database(settings.build_db, read_only=True) as connection:
        assert connection.execute("select command from ops.runs").fetchall() == [("dagster",)]
        assert connection.execute("select count(*) from ops.pulls").fetchone() == (0,)
