"""Dagster's own home: the file it is made from, and a home that an older version made."""

from pathlib import Path

from dagster import DagsterInstance

from pipelines.config.settings import Settings
from pipelines.orchestration.dagster_home import open_instance, prepare_dagster_home
from pipelines.orchestration.event_log import EventLog

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
