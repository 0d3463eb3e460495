"""What the page reads is what its exposure says: taken from the queries that make it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.cli import report as report_command
from pipelines.config.folders import DBT_PROJECT_DIR
from pipelines.config.settings import Settings
from pipelines.orchestration.dbt_cli import parse_project
from pipelines.warehouse.connect import published_database


class Listening:
    """A connection that notes which tables it is asked for."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, read: set[str]) -> None:
        self._connection, self._read = connection, read

    def execute(self, query: str, *rest: Any) -> Any:
        whole = re.sub(r"\$\w+|\?", "null", query)
        self._read |= self._connection.get_table_names(whole)
        return self._connection.execute(query, *rest)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the page asks by another way than execute: {name}")


def test_the_page_reads_what_its_exposure_says(
    published_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[str] = set()

    @contextmanager
    def listened(folder: Path) -> Iterator[Any]:
        with published_database(folder) as connection:
            yield Listening(connection, read)

    monkeypatch.setattr(report_command, "published_database", listened)
    monkeypatch.setattr(report_command, "load_settings", lambda: published_home)
    report_command.report(tmp_path / "page.html")
    marts = {name for name in read if name.startswith(("fct_", "dim_"))}
    manifest = parse_project(DBT_PROJECT_DIR, published_home.cache_dir).manifest
    (exposure,) = [one for one in manifest.exposures.values() if one.name == "report"]
    assert marts == {manifest.nodes[name].name for name in exposure.depends_on.nodes}
