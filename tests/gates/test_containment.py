"""Whatever is wrong with one property's rows blocks that property alone, and heals by itself.

Real nights over four properties, of which three are ill at once, each in another way; a fault is
put into the build database right after the pull or after a layer. A model of its own stands for
any SQL that cannot compute with a number. Of the fourth GA4 answers the newest day of two reports
with next to nothing: that is published, and told.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.config.folders import DBT_PROJECT_DIR
from pipelines.config.settings import Ga4, Property, Settings, Store
from pipelines.emulator.server import serve
from pipelines.emulator.simulator import simulate
from pipelines.ingest.day_window import DayWindow
from pipelines.monitoring.status import read_status
from pipelines.orchestration.assets import dbt_layers, raw_assets
from pipelines.orchestration.layer_build import selection
from pipelines.publishing.versions import PAGE
from pipelines.warehouse.runs import RunRecord
from tests.e2e.pulling import window_of
from tests.e2e.shop import LAST_DAY, all_marts, copied, night, other_dbt
from tests.gates.test_gates import CorruptingDbt, corrupt, held_back
from tests.support.webhook_server import webhook

LOST, FRAGILE, TWICE, THIN = SHOPS = ("100000001", "100000002", "100000003", "100000004")
WINDOW = window_of(10)
LAST = DayWindow(LAST_DAY, LAST_DAY)
# GA4 counts on its own what is part of what: the difference may be far below zero.
FRAGILE_MODEL = """
select
    property_id,
    date,
    sqrt(1000 + sessions - engaged_sessions) as root
from {{ ref('stg_ga4__pages') }}
"""
NEWEST = f"date = '{LAST_DAY}' and property_id ="
BY_DEVICE, BY_CHANNEL = "raw.ga4_sessions_by_device", "raw.ga4_sessions_by_channel"
# After the pull: a partition is lost, a number comes that SQL cannot compute with, and of the thin
# one a single small row is left by device, and none by channel.
AFTER_THE_PULL = (
    f"delete from raw.ga4_events_by_device where {NEWEST} '{LOST}'",
    f"update raw.ga4_pages set engaged_sessions = sessions + 2000 where {NEWEST} '{FRAGILE}'",
    f"delete from {BY_DEVICE} where {NEWEST} '{THIN}' and device_category <> 'desktop'",
    f"update {BY_DEVICE} set sessions = 1, engaged_sessions = 0 where {NEWEST} '{THIN}'",
    f"delete from {BY_CHANNEL} where {NEWEST} '{THIN}'",
    *(
        f"update ops.pulls set row_count = {left} where report = '{report}' and {NEWEST} '{THIN}'"
        for report, left in (("sessions_by_device", 1), ("sessions_by_channel", 0))
    ),
)
THIN_REPORTS = ("sessions_by_channel", "sessions_by_device")
COMPLETENESS = "fct_data_completeness"
# After the intermediate layer: a row that a dbt test calls a second one.
AFTER_INTERMEDIATE = (
    "insert into intermediate.int_funnel__keys_assessed from "
    f"intermediate.int_funnel__keys_assessed where property_id = '{TWICE}' limit 1"
)
# Property → the words that must tell why it was blocked.
REASONS = {
    LOST: "row_count_equals_pull",
    FRAGILE: "cannot take square root",
    TWICE: "unique_grain",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Four published properties, and dbt's project with the fragile model beside its own."""
    folder = tmp_path_factory.mktemp("contained")
    for seed, name in enumerate(SHOPS, start=7):
        simulate(
            folder / name, start=WINDOW.start, days=10, seed=seed, scenario="none",
            sessions_per_day=40, property_id=name,
        )  # fmt: skip
    ignored = shutil.ignore_patterns("target", "logs")
    project = shutil.copytree(DBT_PROJECT_DIR, folder / "dbt_project", ignore=ignored)
    (project / "models/intermediate/int_test__fragile.sql").write_text(
        FRAGILE_MODEL, encoding="utf-8"
    )
    with pytest.MonkeyPatch.context() as patch, serve([folder / name for name in SHOPS]) as server:
        patch.setattr("pipelines.orchestration.build.DBT_PROJECT_DIR", project)
        patch.setattr("pipelines.orchestration.resources.DBT_PROJECT_DIR", project)
        settings = Settings(
            home=folder / "home",
            store=Store(name="Test shops"),
            ga4=Ga4(endpoint=server.endpoint),
            properties=tuple(Property(id=name, time_zone="Europe/Berlin") for name in SHOPS),
        )
        record, _ = night(settings, WINDOW)
        assert record.status.exit_code == 0, record.message
        yield settings


@dataclass(frozen=True)
class Seen:
    """What people see after a night: how it ended, the version, `sluice status`, alerts."""

    record: RunRecord | None
    version: Path
    marts: dict[str, list[tuple[Any, ...]]]
    status: str
    alerts: list[dict[str, Any]]

    @property
    def page(self) -> str:
        return (self.version / PAGE).read_text(encoding="utf-8")

    def query(self, text: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.version / "sluice.duckdb"), read_only=True) as connection:
            return connection.execute(text).fetchall()

    def rows_of(self, name: str) -> dict[str, list[Any]]:
        """Every mart's rows of a property."""
        return {
            mart: [row for row in rows if row and row[0] == name]
            for mart, rows in self.marts.items()
        }


@pytest.fixture(scope="module")
def nights(home: Settings, tmp_path_factory: pytest.TempPathFactory) -> tuple[Seen, Seen, Seen]:
    """Before, after the ill night, and after the next one."""
    with webhook() as alerted:
        settings = copied(home, tmp_path_factory.mktemp("nights"), alerted.address)

        def see(record: RunRecord | None = None) -> Seen:
            alerts = [one for sent in alerted.messages for one in sent["alerts"]]
            alerted.messages.clear()
            version = (settings.published_dir / "current").resolve()
            return Seen(record, version, all_marts(settings), read_status(settings).verdict, alerts)

        before = see()
        corrupting = other_dbt(
            settings,
            CorruptingDbt,
            corrupt_after="dbt_intermediate",
            statement=AFTER_INTERMEDIATE,
        )
        trials: list[tuple[list[str], tuple[str, ...]]] = []

        def chosen(layers: list[str], nodes: tuple[str, ...] = ()) -> str:
            trials.append((layers, nodes))
            return selection(layers, nodes)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(raw_assets, "ingest", _then_corrupt(raw_assets.ingest))
            patch.setattr(dbt_layers, "selection", chosen)
            ill = see(night(settings, LAST, {"dbt": corrupting})[0])
        # All of it without who is blocked already; then what failed, of each of the others.
        layers = ["intermediate"]
        assert trials == [(layers, ()), *[(layers, ("int_test__fragile",))] * 3]
        return before, ill, see(night(settings, LAST)[0])


def test_the_healthy_one_is_published_and_the_ill_heal(nights: tuple[Seen, Seen, Seen]) -> None:
    before, ill, healed = nights
    record = ill.record
    assert (record.status, record.status.exit_code) == ("partly_published", 2), record.message
    assert ill.version != before.version
    blocked = f"select distinct property_id from ops.held_back where run_id = '{record.run_id}'"
    assert {name for (name,) in ill.query(blocked)} == set(REASONS)
    # Each is named where people look, with its reason: status, page, alert.
    held = [one for one in ill.alerts if one["alert_class"] in {"gate_failed", "pull_failed"}]
    alerts = {one["property_id"]: one["message"] for one in held}
    assert set(alerts) == set(REASONS)
    for name, words in REASONS.items():
        assert f"property {name} was held back" in ill.status
        assert words in ill.status
        assert words in ill.page
        assert words in alerts[name]
        # Readers keep its rows of the version before.
        assert ill.rows_of(name) == before.rows_of(name), name
    # Of the other, all that does not rest on the two reports is as before, too.
    assert _whole(ill.rows_of(THIN)) == _whole(before.rows_of(THIN))

    assert healed.record.status.exit_code == 0, healed.record.message
    other = {name for name, rows in before.marts.items() if healed.marts[name] != rows}
    # That the thin one's reports changed is kept.
    assert other == {COMPLETENESS}
    assert _but_thin(healed) == _but_thin(before)


def test_a_day_with_next_to_nothing_is_published_and_told(nights: tuple[Seen, Seen, Seen]) -> None:
    before, ill, healed = nights
    # The next night finds the day whole.
    for seen in (before, healed):
        assert seen.query("from ops.day_warnings") == []
        # What a realistic server estimates, rounds and lets grow lacks no row.
        assert seen.query("select report from ops.pulls where missing_share > 0") == []
        assert _flags(seen) == {(name, True, None) for name in ("all", "device", "channel")}
        assert "Days that are not whole" not in seen.page
    assert _flags(ill) == {
        ("all", True, None), ("device", False, "missing_rows"), ("channel", False, "missing_rows"),
    }  # fmt: skip
    alerts = [one for one in ill.alerts if one["report"]]
    assert [
        (one["alert_class"], one["property_id"], one["report"], one["date"]) for one in alerts
    ] == [("data_quality", THIN, report, str(LAST_DAY)) for report in THIN_REPORTS]
    assert "Days that are not whole" in ill.page
    assert "parts_add_up_to_total" in ill.page
    restated = f"select property_id, report, date from marts.{COMPLETENESS}"
    assert healed.query(f"{restated} where restatement_count = 1 order by all") == [
        (THIN, report, LAST_DAY) for report in THIN_REPORTS
    ]


def test_what_is_nobody_s_own_stops_the_night(home: Settings, tmp_path: Path) -> None:
    """A seed's row twice: no property is to blame, and nothing is published."""
    two = copied(home, tmp_path).model_copy(update={"properties": home.properties[:2]})
    twice = "insert into seeds.event_origins from seeds.event_origins limit 1"
    broken = other_dbt(two, CorruptingDbt, corrupt_after="dbt_staging", statement=twice)
    message = held_back(two, LAST, "staging", {"dbt": broken})
    assert "seeds.event_origins" in message
    assert "property" not in message


def _then_corrupt(real: Callable[..., Any]) -> Callable[..., Any]:
    def ingest(settings: Settings, *args: Any, **options: Any) -> Any:
        outcome = real(settings, *args, **options)
        for statement in AFTER_THE_PULL:
            corrupt(settings.build_db, statement)
        return outcome

    return ingest


def _whole(marts: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Rows by neither device nor channel, and of neither report; a leak is judged with theirs."""
    doubtful = {"device", "channel", *THIN_REPORTS}
    return {
        mart: [row for row in rows if not doubtful & {*row}]
        for mart, rows in marts.items()
        if mart != "fct_leak"
    }


def _but_thin(seen: Seen) -> list[tuple[Any, ...]]:
    """What is said of reports, but of those two of the thin one."""
    said = seen.marts[COMPLETENESS]
    return [row for row in said if not (row[0] == THIN and row[2] in THIN_REPORTS)]


def _flags(seen: Seen) -> set[tuple[Any, ...]]:
    """What is said of the thin one's newest day and 7 days, by segment."""
    said = "select segment_name, is_complete, flags from marts"
    only = f"property_id = '{THIN}' and segment_name in ('all', 'device', 'channel')"
    return set(
        seen.query(
            f"{said}.fct_funnel_daily where date = date '{LAST_DAY}' and {only} union "
            f"{said}.fct_funnel_window where window_name = '7d' and {only}"
        )
    )
