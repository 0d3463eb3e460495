"""One corruption a stage: everything below it stops, and readers keep the version they had.

Real Dagster runs with the real dbt assets and gates; only the corruption itself is injected, with
SQL on the build database right after the stage was built.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.config.settings import Settings
from pipelines.ingest.day_window import DayWindow
from pipelines.orchestration.assets import raw_assets
from pipelines.orchestration.dbt_cli import SluiceDbt
from pipelines.publishing.versions import current_name
from pipelines.warehouse.statuses import RunStatus
from tests.e2e.shop import Shop, copied, night, other_dbt, published_files
from tests.support.webhook_server import WebhookServer

STEPS = [
    "pull GA4",
    "gate: raw",
    "build staging",
    "gate: staging",
    "build intermediate",
    "gate: intermediate",
    "build marts",
    "gate: marts",
    "make the page",
    "publish",
]
NEWEST = "date = (select max(date) from {table})"
DROPPED = ("delete from {table} where {newest}", "raw.ga4_events_by_device")
# The other corruptions of each stage are judged without Dagster in tests/unit/data_checks.
LAYERS = {
    "staging": (
        # Staging is views: what they show is corrupted under them, after the raw gate.
        "insert into {table} from {table} where {newest} limit 3",
        "raw.ga4_events_by_all",
    ),
    "intermediate": (
        "update {table} set sessions = events + 1 where key = 'add_to_cart' and events > 0",
        "intermediate.int_funnel__reach_daily",
    ),
    "marts": (
        "update {table} set previous_reached = null "
        "where step_key = 'purchase' and step_rate is not null",
        "marts.fct_funnel_daily",
    ),
}


def statement_of(case: tuple[str, str]) -> str:
    template, table = case
    return template.format(table=table, newest=NEWEST.format(table=table))


class CorruptingDbt(SluiceDbt):
    """The real dbt, and then one SQL statement after the layer named."""

    corrupt_after: str
    statement: str

    def cli(self, args: Any, **options: Any) -> Any:  # type: ignore[override]
        invocation = super().cli(args, **options)
        context = options.get("context")
        if context is None or context.op_execution_context.op.name != self.corrupt_after:
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
def home(published_home: Settings, tmp_path: Path, alerted: WebhookServer) -> Settings:
    return copied(published_home, tmp_path, alerted.address)


def last_days(shop: Shop) -> DayWindow:
    return DayWindow(shop.window.end, shop.window.end)


def held_back(settings: Settings, window: DayWindow, gate: str, resources: Any = None) -> str:
    """Run a night that must be held back at `gate`; the message."""
    before = current_name(settings.published_dir), published_files(settings)
    record, steps = night(settings, window, resources)
    assert (record.status, record.status.exit_code) == ("held_back", 2), record.message
    assert [step.name for step in steps] == STEPS[: STEPS.index(f"gate: {gate}") + 1]
    assert [step.is_success for step in steps][-2:] == [True, False]
    assert (current_name(settings.published_dir), published_files(settings)) == before
    with duckdb.connect(str(settings.build_db), read_only=True) as connection:
        failed = connection.execute(
            "select count(*) from ops.gate_results where run_id = ? and gate = ? "
            "and severity = 'critical' and not is_success",
            [record.run_id, gate],
        ).fetchone()
    assert failed and failed[0] > 0
    return record.message


def test_raw_gate(
    shop: Shop, home: Settings, alerted: WebhookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = raw_assets.ingest

    def then_corrupt(settings: Settings, *args: Any, **options: Any) -> Any:
        outcome = real(settings, *args, **options)
        corrupt(settings.build_db, statement_of(DROPPED))
        return outcome

    monkeypatch.setattr(raw_assets, "ingest", then_corrupt)
    message = held_back(home, last_days(shop), "raw")
    assert DROPPED[1] in message
    assert "100000001" in message
    # The same words reach the webhook, once, and what they leave to readers.
    told = f"{message} {RunStatus.HELD_BACK.readers}"
    ((alert,),) = (sent["alerts"] for sent in alerted.messages)
    assert (alert["alert_class"], alert["message"]) == ("gate_failed", told)
    assert alert["night"] == str(shop.window.end)


@pytest.mark.parametrize("layer", LAYERS)
def test_dbt_layer_gates(shop: Shop, home: Settings, layer: str) -> None:
    corrupting = other_dbt(
        home,
        CorruptingDbt,
        corrupt_after=f"dbt_{layer}",
        statement=statement_of(LAYERS[layer]),
    )
    message = held_back(home, last_days(shop), layer, {"dbt": corrupting})
    assert f"{layer}." in message
