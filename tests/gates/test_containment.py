"""Whatever is wrong with one property's rows blocks that property alone, and heals by itself.

Real nights over four properties, of which three are ill at once, each in another way; a fault is
put into the build database right after the pull or after a layer. A model of its own stands for
any SQL that cannot compute with a number.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.config.settings import DBT_PROJECT_DIR, Alerts, Ga4, Property, Settings, Store
from pipelines.emulator.server import serve
from pipelines.emulator.simulator import simulate
from pipelines.ingest.day_window import DayWindow
from pipelines.monitoring.status import read_status
from pipelines.orchestration.assets import raw_assets
from pipelines.publishing.versions import current_name
from tests.e2e.pulling import window_of
from tests.e2e.shop import LAST_DAY, all_marts, night, other_dbt, published
from tests.gates.test_gates import CorruptingDbt, corrupt
from tests.support.webhook_server import WebhookServer

LOST, FRAGILE, TWICE, HEALTHY = SHOPS = ("100000001", "100000002", "100000003", "100000004")
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


# After the pull: a partition is lost, and a number comes that SQL cannot compute with.
AFTER_THE_PULL = (
    f"delete from raw.ga4_events_by_device where property_id = '{LOST}' and date = '{LAST_DAY}'",
    "update raw.ga4_pages set engaged_sessions = sessions + 2000 "
    f"where property_id = '{FRAGILE}' and date = '{LAST_DAY}'",
)
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


def test_the_healthy_one_is_published_and_the_ill_heal(
    home: Settings, alerted: WebhookServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _copy(home, tmp_path, alerted)
    before, version = all_marts(settings), current_name(settings.published_dir)
    corrupting = other_dbt(
        settings,
        CorruptingDbt,
        corrupt_after="dbt_intermediate",
        statement=AFTER_INTERMEDIATE,
    )
    with monkeypatch.context() as patch:
        patch.setattr(raw_assets, "ingest", _then_corrupt(raw_assets.ingest))
        record, _ = night(settings, LAST, {"dbt": corrupting})
    assert (record.status, record.status.exit_code) == ("partly_published", 2), record.message
    assert current_name(settings.published_dir) != version
    assert _blocked(settings, record.run_id) == set(REASONS)
    # Each is named where people look, with its reason: status, page, alert.
    status = read_status(settings).verdict
    page = (settings.published_dir / "current" / "report.html").read_text(encoding="utf-8")
    alerts = {
        one["property_id"]: one["message"] for sent in alerted.messages for one in sent["alerts"]
    }
    assert set(alerts) == set(REASONS)
    for ill, words in REASONS.items():
        assert f"property {ill} was held back" in status
        assert words in status
        assert words in page
        assert words in alerts[ill]
    # Readers keep their rows of the version before.
    after = all_marts(settings)
    for name in SHOPS:
        assert _rows_of(after, name) == _rows_of(before, name), name

    record, _ = night(settings, LAST)
    assert record.status.exit_code == 0, record.message
    healed = all_marts(settings)
    assert {name for name in before if healed[name] != before[name]} == set()


def test_what_is_nobody_s_own_stops_the_night(home: Settings, tmp_path: Path) -> None:
    """A seed's row twice: no property is to blame, and nothing is published."""
    settings = _copy(home, tmp_path, None)
    before = all_marts(settings)
    twice = "insert into seeds.event_origins from seeds.event_origins limit 1"
    broken = other_dbt(settings, CorruptingDbt, corrupt_after="dbt_staging", statement=twice)
    record, steps = night(settings, LAST, {"dbt": broken})
    assert (record.status, record.status.exit_code) == ("held_back", 2)
    assert steps[-1].name == "gate: staging"
    assert "seeds.event_origins" in record.message
    assert "property None" not in record.message
    assert all_marts(settings) == before


def _then_corrupt(real: Callable[..., Any]) -> Callable[..., Any]:
    def ingest(settings: Settings, *args: Any, **options: Any) -> Any:
        outcome = real(settings, *args, **options)
        for statement in AFTER_THE_PULL:
            corrupt(settings.build_db, statement)
        return outcome

    return ingest


def _copy(home: Settings, folder: Path, alerted: WebhookServer | None) -> Settings:
    shutil.copytree(home.home, folder / "home", symlinks=True)
    alerts = Alerts(webhook=alerted.address) if alerted else Alerts()
    return home.model_copy(update={"home": folder / "home", "alerts": alerts})


def _blocked(settings: Settings, run_id: str) -> set[str]:
    with published(settings) as connection:
        rows = connection.execute(
            "select distinct property_id from ops.held_back where run_id = ?", [run_id]
        ).fetchall()
    return {name for (name,) in rows}


def _rows_of(marts: dict[str, list[tuple[Any, ...]]], name: str) -> dict[str, list[Any]]:
    return {mart: [row for row in rows if row and row[0] == name] for mart, rows in marts.items()}
