"""An engine that cannot start: one sentence says what to do, and other properties go on; and
parts of users, as many as memory asks for.
"""

import resource
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.config.settings import Property, Settings
from pipelines.export.engine import EVENT_BYTES, DuckDb, open_engine
from pipelines.ingest.day_window import DayWindow
from pipelines.ingest.sources import open_exports
from pipelines.monitoring.doctor.machine_steps import engine_steps
from tests.unit.export.writing import DAY, event, write

NEEDED = (
    "The engine spark needs PySpark: install it where Sluice is (pip install 'pyspark>=4,<5'), or "
    "set 'engine: duckdb' in sluice.yml."
)


def test_without_pyspark_the_property_waits_and_the_doctor_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    monkeypatch.delitem(sys.modules, "pipelines.export.spark", raising=False)
    path = write(tmp_path / f"events_{DAY:%Y%m%d}.parquet", [event("view_item")])
    item = Property(id="42", source="export", path=str(path), time_zone="UTC", currency="EUR")
    settings = Settings(home=tmp_path / "home", engine="spark", properties=(item,))
    found, broken = open_exports(settings, DayWindow(DAY, DAY), {"42"})
    assert (found, {one: str(error) for one, error in broken.items()}) == ({}, {"42": NEEDED})
    (step,) = engine_steps(settings)
    assert (step.name, step.message) == ("engine", NEEDED)
    assert engine_steps(settings.model_copy(update={"engine": "duckdb"})) == ()


def test_parts_have_every_event_once_and_all_of_a_user(tmp_path: Path) -> None:
    # Keys are hashes of 64 bits, without a sign.
    users = [(2**64 - 1 - 977 * (place % 7)) for place in range(40)]
    paths = []
    for day, own in (("2026-03-10", users[:25]), ("2026-03-11", users[25:])):
        paths.append(tmp_path / day / "events.parquet")
        paths[-1].parent.mkdir()
        pq.write_table(pa.table({"user_key": pa.array(own, pa.uint64())}), paths[-1])
    whole, parted = DuckDb(), DuckDb(events_at_once=15)
    assert whole.parts(paths) == [whole.rows(paths)]
    parts = parted.parts(paths)
    found = [parted.table(f"SELECT user_key FROM {part}")[0].to_pylist() for part in parts]
    assert len(found) == 3
    assert sorted(user for part in found for user in part) == sorted(users)
    assert sum(len(set(part)) for part in found) == len(set(users))
    counted = parted.counted([f"SELECT user_key FROM {part}" for part in parts], _users_of)
    assert counted[0].to_pylist() == [7]


def _users_of(rows: str) -> str:
    return f"SELECT count(DISTINCT user_key) FROM {rows} AS rows"


def test_a_limit_of_the_process_decides_how_many_events_are_put_in_order_at_once(
    tmp_path: Path,
) -> None:
    # As no test takes: 64 GiB, of which DuckDB may have half.
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (64 * 2**30, before[1]))
    try:
        engine = open_engine("duckdb", tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
    assert isinstance(engine, DuckDb)
    assert engine.events_at_once == 32 * 2**30 // EVENT_BYTES
