"""One corruption a stage: everything below it stops, and readers keep the version they had.

Real Dagster runs with the real dbt assets and gates; only the corruption itself is injected, with
SQL on the build database right after the stage was built.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import pipelines.assets.ga4 as ga4_assets
from pipelines.dbt_runner import SluiceDbt
from pipelines.partitions import DayWindow
from pipelines.resources import default_resources
from pipelines.settings import Settings
from pipelines.warehouse.versions import current_name
from tests.e2e.shop import Shop, all_marts, night

STEPS = [
    "pull GA4",
    "gate: raw",
    "build staging",
    "gate: staging",
    "build intermediate",
    "gate: intermediate",
    "build marts",
    "gate: marts",
    "publish",
]
RAW = [
    ("dropped partition", "delete from raw.ga4_events_by_device where date = (select max(date) from raw.ga4_events_by_device)"),
    ("duplicated rows", "insert into raw.ga4_sessions_by_device from raw.ga4_sessions_by_device where date = (select max(date) from raw.ga4_sessions_by_device)"),
    ("negative count", "update raw.ga4_events_by_all set event_count = -1 where date = (select max(date) from raw.ga4_events_by_all)"),
]  # fmt: skip
STAGING = [
    (
        "duplicated rows",
        "insert into staging.stg_ga4__events from staging.stg_ga4__events where date = (select max(date) from staging.stg_ga4__events) limit 3",
    ),
    ("emptied table", "delete from staging.stg_ga4__sessions"),
]
INTERMEDIATE = [
    ("more sessions than events", "update intermediate.int_funnel__reach_daily set sessions = events + 1 where key = 'add_to_cart' and events > 0"),
    ("emptied table", "delete from intermediate.int_funnel__reach_daily"),
]  # fmt: skip
MARTS = [
    ("rate without denominator", "update marts.fct_funnel_daily set previous_reached = null where step_key = 'purchase' and step_rate is not null"),
    ("emptied table", "delete from marts.fct_benchmark_comparison"),
]  # fmt: skip


class CorruptingDbt(SluiceDbt):
    """The real dbt, and then one SQL statement after the layer named."""

    corrupt_after: str
    statement: str

    def cli(self, args: Any, **options: Any) -> Any:  # type: ignore[override]
        invocation = super().cli(args, **options)
        if self.corrupt_after != options["context"].op_execution_context.op.name:
            return invocation
        return _Corrupting(invocation, self.database, self.statement)


class _Corrupting:
    def __init__(self, invocation: Any, database: str, statement: str) -> None:
        self._invocation, self._database, self._statement = invocation, database, statement

    def stream(self) -> Iterator[Any]:
        yield from self._invocation.stream()
        corrupt(Path(self._database), self._statement)


def corrupt(database: Path, statement: str) -> None:
    with duckdb.connect(str(database)) as connection:
        changed = connection.execute(statement).fetchone()
    assert changed and changed[0] > 0, "the corruption must change something"


@pytest.fixture
def home(published_home: Settings, tmp_path: Path) -> Settings:
    """A copy of the published home, links kept."""
    shutil.copytree(published_home.home, tmp_path / "home", symlinks=True)
    return published_home.model_copy(update={"home": tmp_path / "home"})


def last_days(shop: Shop) -> DayWindow:
    return DayWindow(shop.window.end, shop.window.end)


def held_back(settings: Settings, window: DayWindow, gate: str, resources: Any = None) -> str:
    """Run a night that must be held back at `gate`; the message."""
    version, marts = current_name(settings.published_dir), all_marts(settings)
    record, steps = night(settings, window, resources)
    assert record.status == "held_back", record.message
    assert [step.name for step in steps] == STEPS[: STEPS.index(f"gate: {gate}") + 1]
    assert [step.is_success for step in steps][-2:] == [True, False]
    assert current_name(settings.published_dir) == version
    assert all_marts(settings) == marts
    with duckdb.connect(str(settings.build_db), read_only=True) as connection:
        failed = connection.execute(
            "select count(*) from ops.gate_results where run_id = ? and gate = ? "
            "and severity = 'critical' and not is_success",
            [record.run_id, gate],
        ).fetchone()
    assert failed and failed[0] > 0
    return record.message


@pytest.mark.parametrize(("name", "statement"), RAW, ids=[name for name, _ in RAW])
def test_raw_gate(
    shop: Shop, home: Settings, monkeypatch: pytest.MonkeyPatch, name: str, statement: str
) -> None:
    real = ga4_assets.ingest

    def then_corrupt(settings: Settings, *args: Any, **options: Any) -> Any:
        outcome = real(settings, *args, **options)
        corrupt(settings.build_db, statement)
        return outcome

    monkeypatch.setattr(ga4_assets, "ingest", then_corrupt)
    message = held_back(home, last_days(shop), "raw")
    assert "raw.ga4_" in message
    assert "100000001" in message


@pytest.mark.parametrize(
    ("layer", "statement"),
    [
        *[("staging", statement) for _, statement in STAGING],
        *[("intermediate", statement) for _, statement in INTERMEDIATE],
        *[("marts", statement) for _, statement in MARTS],
    ],
    ids=[f"{layer}: {name}" for layer, cases in (("staging", STAGING), ("intermediate", INTERMEDIATE), ("marts", MARTS)) for name, _ in cases],
)  # fmt: skip
def test_dbt_layer_gates(shop: Shop, home: Settings, layer: str, statement: str) -> None:
    real = default_resources(home)["dbt"]
    corrupting = CorruptingDbt(
        project_dir=real.project_dir,
        profiles_dir=real.profiles_dir,
        dbt_executable=real.dbt_executable,
        database=real.database,
        artifacts_dir=real.artifacts_dir,
        corrupt_after=f"dbt_{layer}",
        statement=statement,
    )
    message = held_back(home, last_days(shop), layer, {"dbt": corrupting})
    assert f"{layer}." in message


def test_the_next_clean_night_heals(shop: Shop, home: Settings) -> None:
    corrupt(home.build_db, "delete from raw.ga4_events_by_all where date = (select max(date) from raw.ga4_events_by_all)")  # fmt: skip
    marts = all_marts(home)
    record, _ = night(home, last_days(shop))
    assert record.status == "published", record.message
    assert all_marts(home) == marts
