"""An engine that cannot start: one sentence says what to do, and other properties go on."""

import sys
from pathlib import Path

import pytest

from pipelines.config.settings import Property, Settings
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
