"""Whatever is wrong with one property's rows blocks that property alone, and heals by itself.

Real nights over three properties; the fault is put into the build database right after the pull or
after a layer. A model of its own stands for any SQL that cannot compute with a number.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import pipelines.assets.ga4 as ga4_assets
from pipelines.emulator.server import serve
from pipelines.emulator.simulator import simulate
from pipelines.nightly import exit_code
from pipelines.partitions import DayWindow
from pipelines.settings import DBT_PROJECT_DIR, Alerts, Ga4, Property, Settings, Store
from pipelines.state import read_state
from tests.e2e.pulling import window_of
from tests.e2e.shop import LAST_DAY, all_marts, night, other_dbt, published
from tests.gates.test_gates import CorruptingDbt, corrupt
from tests.unit.webhook_server import WebhookServer, webhook

SHOPS = ("100000001", "100000002", "100000003")
WINDOW = window_of(10)
LAST = DayWindow(LAST_DAY, LAST_DAY)
# GA4 counts on its own what is part of what: the difference may be below zero.
FRAGILE = """
select
    property_id,
    date,
    sqrt(sessions - engaged_sessions) as root
from {{ ref('stg_ga4__pages') }}
"""


@dataclass(frozen=True)
class Fault:
    """What is done to the rows of one property, and the words that must name it.

    `after`: the dbt layer after which it is done; None: after the pull.
    """

    statement: str
    words: str
    after: str | None = None


FAULTS = {
    "a partition is lost": Fault(
        "delete from raw.ga4_events_by_device where property_id = '{ill}' "
        f"and date = '{LAST_DAY}'",
        "row_count_equals_pull",
    ),
    "SQL cannot compute with a number": Fault(
        "update raw.ga4_pages set engaged_sessions = sessions + 1 where property_id = '{ill}' "
        f"and date = '{LAST_DAY}'",
        "cannot take square root",
    ),
    "a dbt test fails": Fault(
        "insert into intermediate.int_funnel__keys_assessed from "
        "intermediate.int_funnel__keys_assessed where property_id = '{ill}' limit 1",
        "unique_grain",
        after="dbt_intermediate",
    ),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Three published properties, and dbt's project with the fragile model beside its own."""
    folder = tmp_path_factory.mktemp("contained")
    for seed, name in enumerate(SHOPS, start=7):
        simulate(
            folder / name, start=WINDOW.start, days=10, seed=seed, scenario="none",
            sessions_per_day=60, property_id=name,
        )  # fmt: skip
    ignored = shutil.ignore_patterns("target", "logs")
    project = shutil.copytree(DBT_PROJECT_DIR, folder / "dbt_project", ignore=ignored)
    (project / "models/intermediate/int_test__fragile.sql").write_text(FRAGILE, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, serve([folder / name for name in SHOPS]) as server:
        patch.setattr("pipelines.build.DBT_PROJECT_DIR", project)
        patch.setattr("pipelines.resources.DBT_PROJECT_DIR", project)
        settings = Settings(
            home=folder / "home",
            store=Store(name="Test shops"),
            ga4=Ga4(endpoint=server.endpoint),
            properties=tuple(Property(id=name, time_zone="Europe/Berlin") for name in SHOPS),
        )
        record, _ = night(settings, WINDOW)
        assert exit_code(record) == 0, record.message
        yield settings


@pytest.fixture
def alerted() -> Iterator[WebhookServer]:
    with webhook() as server:
        yield server


@pytest.mark.parametrize(("ill", "fault"), zip(SHOPS, FAULTS, strict=True))
def test_the_healthy_ones_are_published_whichever_is_ill(
    home: Settings,
    alerted: WebhookServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ill: str,
    fault: str,
) -> None:
    settings = _copy(home, tmp_path, alerted)
    before = all_marts(settings)
    with monkeypatch.context() as patch:
        record, _ = night(settings, LAST, _injected(settings, patch, FAULTS[fault], ill))
    assert (record.status, exit_code(record)) == ("partly_published", 2), record.message
    assert f"property {ill} was held back" in record.message
    assert FAULTS[fault].words in record.message
    # It is named where people look: in the status, on the page, in the alert.
    assert ill in read_state(settings).verdict
    page = (settings.published_dir / "current" / "report.html").read_text(encoding="utf-8")
    assert FAULTS[fault].words in page
    (alert,) = (one for sent in alerted.messages for one in sent["alerts"])
    assert (alert["property_id"], FAULTS[fault].words in alert["message"]) == (ill, True)
    assert _blocked(settings, record.run_id) == {ill}
    # Readers keep its rows of the version before; the others' numbers are the same data's.
    assert _rows_of(all_marts(settings), ill) == _rows_of(before, ill)

    record, _ = night(settings, LAST)
    assert exit_code(record) == 0, record.message
    healed = all_marts(settings)
    assert {name for name in before if healed[name] != before[name]} == set()


def test_what_is_nobody_s_own_stops_the_night(home: Settings, tmp_path: Path) -> None:
    """A seed's row twice: no property is to blame, and nothing is published."""
    settings = _copy(home, tmp_path, None)
    before = all_marts(settings)
    twice = "insert into seeds.event_origins from seeds.event_origins limit 1"
    broken = other_dbt(settings, CorruptingDbt, corrupt_after="dbt_staging", statement=twice)
    record, steps = night(settings, LAST, {"dbt": broken})
    assert (record.status, exit_code(record)) == ("held_back", 2)
    assert steps[-1].name == "gate: staging"
    assert "seeds.event_origins" in record.message
    assert "property None" not in record.message
    assert all_marts(settings) == before


def _injected(
    settings: Settings, patch: pytest.MonkeyPatch, fault: Fault, ill: str
) -> dict[str, Any]:
    statement = fault.statement.format(ill=ill)
    if fault.after is not None:
        kind = CorruptingDbt
        return {"dbt": other_dbt(settings, kind, corrupt_after=fault.after, statement=statement)}
    real = ga4_assets.ingest

    def then_corrupt(settings: Settings, *args: Any, **options: Any) -> Any:
        outcome = real(settings, *args, **options)
        corrupt(settings.build_db, statement)
        return outcome

    patch.setattr(ga4_assets, "ingest", then_corrupt)
    return {}


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
