"""What later nights know of findings."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines.warehouse.findings_memory import remember_findings
from pipelines.warehouse.schema import OPS_TABLES, make_tables


@pytest.fixture
def build_db(tmp_path: Path) -> Path:
    path = tmp_path / "build.duckdb"
    with duckdb.connect(str(path)) as connection:
        make_tables(connection, "ops", OPS_TABLES)
        connection.execute(
            "create schema marts; create table marts.fct_leak "
            "(property_id varchar, window_name varchar, window_end date);"
            "create table marts.fct_finding as select * from ops.findings"
        )
    return path


def tell(build_db: Path, night: date, **findings: str) -> None:
    """Properties whose marts end on that night, each with a finding's state, or none."""
    with duckdb.connect(str(build_db)) as connection:
        connection.execute("delete from marts.fct_leak; delete from marts.fct_finding")
        for name, state in findings.items():
            connection.execute("insert into marts.fct_leak values (?, '28d', ?)", [name, night])
            if state:
                connection.execute(
                    "insert into marts.fct_finding (property_id, window_end, finding_id, state) "
                    "values (?, ?, 'id', ?)",
                    [name, night, state],
                )


def remembered(build_db: Path) -> list[tuple[str, date, str]]:
    with duckdb.connect(str(build_db)) as connection:
        return connection.execute(
            "select property_id, window_end, state from ops.findings order by all"
        ).fetchall()


def test_every_night_is_kept_and_a_night_again_is_replaced(build_db: Path) -> None:
    first, second = date(2026, 6, 1), date(2026, 6, 2)
    tell(build_db, first, a="new", b="new")
    remember_findings(build_db, ())
    tell(build_db, second, a="ongoing", b="")
    remember_findings(build_db, ())
    tell(build_db, second, a="worse", b="new")
    remember_findings(build_db, ())
    assert remembered(build_db) == [
        ("a", first, "new"), ("a", second, "worse"), ("b", first, "new"), ("b", second, "new"),
    ]  # fmt: skip


def test_what_is_not_published_is_not_remembered(build_db: Path) -> None:
    night = date(2026, 6, 1)
    tell(build_db, night, a="new", b="new")
    remember_findings(build_db, ["b"])
    assert remembered(build_db) == [("a", night, "new")]
