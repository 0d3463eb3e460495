"""The build database is opened, prepared, and brought up to what the code knows."""

import os
import subprocess
import sys
from datetime import date

import duckdb
import pytest

from pipelines.errors import WarehouseError
from pipelines.warehouse.connect import build_database, kept_open
from pipelines.warehouse.ops import insert_rows
from pipelines.warehouse.runs import pulled_days, read_run, start_run
from pipelines.warehouse.schema import OPS_TABLES
from pipelines.warehouse.transactions import transaction
from tests.support.hand_clock import MORNING


def columns(path, table) -> list[str]:
    with build_database(path, read_only=True) as connection:
        return [row[0] for row in connection.execute(f"describe ops.{table}").fetchall()]


# DuckDB learns the machine's zone once a process.
DAY_OF = """
import sys
from pathlib import Path
from pipelines.warehouse.connect import build_database, kept_open
with build_database(Path(sys.argv[1])) as connection:
    print(connection.execute("select '2026-03-02 23:30:00+00'::timestamptz::date").fetchone()[0])
"""


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_a_moment_has_its_utc_day_on_every_machine(tmp_path, zone):
    ended = subprocess.run(
        [sys.executable, "-c", DAY_OF, str(tmp_path / "build.duckdb")],
        env={**os.environ, "TZ": zone}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ended.stdout == "2026-03-02\n"


# Megabytes that a process's own limit counts of a table, while it is there and afterwards.
TAKEN = """
import re
from pathlib import Path
from pipelines.warehouse.connect import scratch_database
def taken():
    told = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"VmData:\\s+([0-9]+) kB", told)[1]) // 1000
scratch_database(Path("spill")).close()
before = taken()
with scratch_database(Path("spill")) as connection:
    connection.execute("set threads = 1")
    connection.execute("create table filled as select i from range(8000000) as numbers(i)")
    print(taken() - before)
print(taken() - before)
"""


def test_what_a_database_took_goes_back_with_its_addresses(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", TAKEN], capture_output=True, text=True, check=True,
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    with_table, without = map(int, ended.stdout.split())
    assert with_table > 30
    assert without < with_table / 2


def test_an_older_database_gets_the_columns_that_came_later(tmp_path):
    path = tmp_path / "build.duckdb"
    with duckdb.connect(str(path)) as older:
        older.execute("create schema ops")
        older.execute("create table ops.pulls (pull_id varchar, report varchar, date date)")
        older.execute("insert into ops.pulls values ('p1', 'items', '2026-03-01')")
    with build_database(path) as connection:
        row = {"pull_id": "p2", "report": "users", "date": date(2026, 3, 2), "window_name": "7d"}
        insert_rows(connection, "pulls", [row])
        assert connection.execute(
            "select pull_id, date, window_name, truncation from ops.pulls order by 1"
        ).fetchall() == [
            ("p1", date(2026, 3, 1), None, None), ("p2", date(2026, 3, 2), "7d", None),
        ]  # fmt: skip
    assert set(columns(path, "pulls")) == set(OPS_TABLES["pulls"])
    with build_database(path):
        pass
    assert len(columns(path, "pulls")) == len(OPS_TABLES["pulls"])


def test_a_new_one_has_the_format_that_costs_least(tmp_path):
    with build_database(tmp_path / "it's new" / "build.duckdb") as connection:
        found = connection.execute(
            "select tags['storage_version'], block_size from duckdb_databases() "
            "cross join pragma_database_size() where duckdb_databases.database_name = 'build'"
        ).fetchone()
    assert found == ("v1.5.0+", 65536)


def test_every_ops_table_is_there(tmp_path):
    path = tmp_path / "build.duckdb"
    with build_database(path):
        pass
    for table, expected in OPS_TABLES.items():
        assert columns(path, table) == list(expected)


def test_a_transaction_is_all_or_nothing(tmp_path):
    with build_database(tmp_path / "build.duckdb") as connection:
        with pytest.raises(KeyboardInterrupt), transaction(connection):
            insert_rows(connection, "pulls", [{"pull_id": "p1"}])
            raise KeyboardInterrupt
        assert connection.execute("select count(*) from ops.pulls").fetchone() == (0,)
        insert_rows(connection, "pulls", [])


def test_the_days_that_a_run_pulled(tmp_path):
    path = tmp_path / "build.duckdb"
    days = [
        ("r1", "loaded", None, 3), ("r1", "loaded", None, 5), ("r1", "failed", None, 1),
        ("r1", "loaded", "month", 2), ("r2", "loaded", None, 9),
    ]  # fmt: skip
    with build_database(path) as connection:
        for run, status, window, day in days:
            row = {"run_id": run, "status": status, "date": date(2026, 3, day)}
            insert_rows(connection, "pulls", [row | ({"window_name": window} if window else {})])
        assert pulled_days(connection, "r1") == (date(2026, 3, 3), date(2026, 3, 5))
        assert pulled_days(connection, "r3") is None


def test_a_run_that_never_wrote_has_no_record(tmp_path):
    path = tmp_path / "build.duckdb"
    assert read_run(path, "r1") is None
    with build_database(path) as connection:
        start_run(connection, "r1", "test", date(2026, 3, 1), date(2026, 3, 2), "0.1.0", MORNING)
    record = read_run(path, "r1")
    assert record is not None
    assert (record.run_id, record.status) == ("r1", "running")
    assert read_run(path, "r2") is None


def test_a_database_that_cannot_be_opened_is_named(tmp_path):
    path = tmp_path / "build.duckdb"
    path.write_text("this is no database, and it is longer than a header" * 100)
    with (
        pytest.raises(WarehouseError, match=r"build\.duckdb cannot be opened"),
        build_database(path),
    ):
        pass
    with (
        pytest.raises(WarehouseError, match=r"absent\.duckdb cannot be opened"),
        build_database(tmp_path / "absent.duckdb", read_only=True),
    ):
        pass


def test_what_is_kept_open_is_shared_and_whole_afterwards(tmp_path):
    """Every opening sees the others' rows; the last one writes the log into the file."""
    path = tmp_path / "build.duckdb"
    with kept_open(path):
        with build_database(path) as one, build_database(path, read_only=True) as other:
            one.execute("create table raw.shared as select 7 as value")
            assert other.execute("from raw.shared").fetchall() == [(7,)]
            assert other.execute("select current_setting('TimeZone')").fetchone() == ("UTC",)
        command = [sys.executable, "-c", "import duckdb, sys; duckdb.connect(sys.argv[1])"]
        refused = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
        assert "Could not set lock" in refused.stderr
    assert not path.with_suffix(".duckdb.wal").exists()
    subprocess.run([*command, str(path)], check=True)
    with build_database(path, read_only=True) as later:
        assert later.execute("from raw.shared").fetchall() == [(7,)]
