"""Dagster's own home: the file it is made from, and a home that an older version made."""

from pathlib import Path

import pytest
from dagster import (
    BackfillPolicy,
    DagsterEventType,
    DagsterInstance,
    DailyPartitionsDefinition,
    Definitions,
    JobDefinition,
    MaterializeResult,
    ReexecutionOptions,
    asset,
    define_asset_job,
    execute_job,
    in_process_executor,
    materialize,
    reconstructable,
)

from pipelines.config.settings import Settings
from pipelines.orchestration.dagster_home import open_instance, prepare_dagster_home
from pipelines.orchestration.event_log import EventLog, write_less

NOW, BEFORE = "module: pipelines.orchestration.event_log", "module: pipelines.event_log"


def test_an_older_home_opens_as_it_is_and_is_then_written_anew(tmp_path: Path) -> None:
    """A daemon that is started with the folder alone reads the file before any of our code."""
    settings = Settings(home=tmp_path)
    config = prepare_dagster_home(settings) / "dagster.yaml"
    text = config.read_text()
    assert NOW in text
    config.write_text(text.replace(NOW, BEFORE))
    with DagsterInstance.from_config(str(config.parent)) as older:
        assert isinstance(older.event_log_storage, EventLog)
    with open_instance(settings) as instance:
        assert isinstance(instance.event_log_storage, EventLog)
    assert config.read_text() == text


@pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`", "ignore:coroutine")
def test_the_days_of_a_range_are_stored_together_and_each_is_there(tmp_path: Path) -> None:
    """What the UI reads: a materialization a day, and the asset's last one is the newest day."""
    write_less()

    @asset(
        partitions_def=DailyPartitionsDefinition("2026-06-01"),
        backfill_policy=BackfillPolicy.single_run(),
    )
    def rows() -> MaterializeResult[None]:
        return MaterializeResult(metadata={"rows": 3})

    range_tags = {
        "dagster/asset_partition_range_start": "2026-06-03",
        "dagster/asset_partition_range_end": "2026-06-07",
    }
    with open_instance(Settings(home=tmp_path)) as instance:
        result = materialize([rows], instance=instance, tags=range_tags)
        assert result.success
        days = {f"2026-06-{day:02}" for day in range(3, 8)}
        assert instance.get_materialized_partitions(rows.key) == days
        found = instance.fetch_materializations(rows.key, limit=10).records
        assert {record.partition_key for record in found} == days
        (latest,) = instance.get_asset_records([rows.key])
        assert latest.asset_entry.last_materialization_storage_id == found[0].storage_id
        stored = instance.all_logs(result.run_id, of_type=DagsterEventType.STEP_OUTPUT)
        assert not stored


@pytest.mark.slow
@pytest.mark.parametrize("kept", [0, 16, 4096])
def test_a_damaged_memory_of_runs_is_put_aside(tmp_path: Path, kept: int) -> None:
    """docs/operations.md: nothing is to be done."""
    settings = Settings(home=tmp_path)
    with open_instance(settings):
        pass
    path = next((settings.dagster_dir / "history").glob("*.db"))
    path.write_bytes(path.read_bytes()[:kept] + b"?" * 999)
    with open_instance(settings) as instance:
        assert instance.get_run_records() == []
    assert (tmp_path / "dagster.damaged" / "history" / path.name).exists()
    with open_instance(settings):
        pass


FAILS = Path("fails")


def broken_once() -> JobDefinition:
    """Three assets after one another, the second of which fails while a file is there."""

    @asset
    def first() -> MaterializeResult[None]:
        return MaterializeResult()

    @asset(deps=[first])
    def second() -> MaterializeResult[None]:
        assert not FAILS.exists()
        return MaterializeResult()

    @asset(deps=[first, second])
    def third() -> MaterializeResult[None]:
        return MaterializeResult()

    return Definitions(
        assets=[first, second, third],
        jobs=[define_asset_job("broken_once")],
        executor=in_process_executor,
    ).resolve_job_def("broken_once")


def test_a_run_goes_on_from_its_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the UI's "re-execute from failure": what it knows of the run before is in our log."""
    monkeypatch.chdir(tmp_path)
    FAILS.touch()
    job = reconstructable(broken_once)
    with open_instance(Settings(home=tmp_path)) as instance:
        failed = execute_job(job, instance=instance)
        assert not failed.success
        FAILS.unlink()
        again = ReexecutionOptions.from_failure(failed.run_id, instance)
        result = execute_job(job, instance=instance, reexecution_options=again)
        ran = {event.step_key for event in result.get_step_success_events()}
    assert (result.success, ran) == (True, {"second", "third"})
