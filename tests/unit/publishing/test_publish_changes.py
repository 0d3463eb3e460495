"""A version made from the one before holds what a version written whole would hold, row by row.

Of every step the same build database is published twice: into the home, and whole into a copy.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.errors import WarehouseError
from pipelines.publishing import database
from pipelines.publishing import publish as publish_module
from pipelines.publishing.publication import Publication
from pipelines.publishing.publish import publish
from pipelines.publishing.versions import current_version, rollback
from pipelines.warehouse.connect import build_database, kept_open
from tests.support.hand_clock import MORNING

pytestmark = pytest.mark.slow

DAILY, JUNE = "marts.fct_daily", "current/parquet/fct_daily/2026-06.parquet"
ROWS_A_DAY = 200
MAKE = f"""
create schema marts;
create table {DAILY} as
    select
        property_id::varchar as property_id, date '2026-05-20' + day::int as date,
        'key ' || key as key, hash(property_id, day, key) % 1000 / 7 as rate,
        if(key % 50 = 0, null, 'flag ' || key % 3) as flags
    from range(1, 4) as properties (property_id), range(50) as days (day),
        range({ROWS_A_DAY}) as keys (key);
create table marts.fct_window as
    select property_id, count(*) as reached from {DAILY} group by all;
create table marts.fct_none (property_id varchar, date date, n bigint);
create table marts.dim_key as select distinct key from {DAILY};
create table marts.dim_column as select * from (values
    ('fct_daily', 'rate', 'Rate.', 'By day.'), ('fct_window', 'reached', 'Sum.', 'By window.')
) as t (table_name, column_name, description, table_description);
insert into ops.pulls (pull_id, property_id, report, date, window_name)
    select 'p', '1', 'items', date '2026-06-01', '1d'
    union all select 'p', '1', 'metadata', null, null
"""


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    """Three properties of fifty days, 20 May to 8 July."""
    change(first := Publication(
        build_db=tmp_path / "build.duckdb", published_dir=tmp_path / "published", run_id="r1",
        code_version="0.1.0", window_start="2026-05-20", window_end="2026-07-08",
        keep_versions=3, with_parquet=True, now=MORNING,
    ), MAKE)  # fmt: skip
    return first


def change(publication: Publication, statements: str) -> None:
    with build_database(publication.build_db) as build:
        build.execute(statements)


def manifest(publication: Publication) -> dict[str, Any]:
    version = current_version(publication.published_dir)
    assert version is not None
    return version.manifest


def contents(publication: Publication) -> dict[str, Any]:
    """Columns, comments and rows of all tables that readers see, which Parquet holds as well."""
    current = publication.published_dir / "current"
    with duckdb.connect(str(current / "sluice.duckdb"), read_only=True) as connection:

        def read(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query).fetchall()

        columns = read(
            "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() "
            "where not internal order by schema_name, table_name, column_index"
        )
        tables = read("select schema_name, table_name, comment from duckdb_tables() order by all")
        found: dict[str, Any] = {"columns": columns, "tables": tables}
        for schema, table, _ in tables:
            # Columns are compared in a tenth of the time that rows of Python take.
            ordered = connection.sql(f"from {schema}.{table} order by all").to_arrow_table()
            found[f"{schema}.{table}"] = ordered
            if schema == "marts" and publication.with_parquet:
                path = current / "parquet" / table
                files = f"{path}/*.parquet" if path.is_dir() else f"{path}.parquet"
                written = connection.sql(f"from '{files}' order by all").to_arrow_table()
                assert written == ordered, table
    return found


def links(publication: Publication) -> set[str]:
    """Months of the table by day that the current version has in common with others."""
    folder = publication.published_dir / "current" / "parquet" / "fct_daily"
    return {path.stem for path in folder.iterdir() if path.stat().st_nlink > 1}


def published_whole(publication: Publication, folder: Path) -> dict[str, Any]:
    """What readers would get if nothing but kept rows were taken from the version before."""
    whole = replace(publication, published_dir=folder, with_parquet=False)
    shutil.copytree(publication.published_dir, folder, symlinks=True)
    path = folder / "current" / "manifest.json"
    if path.exists():
        path.write_text(json.dumps({**json.loads(path.read_text()), "compact_bytes": 0}))
    publish(whole)
    found = {**contents(whole), "rows": manifest(whole)["rows"]}
    shutil.rmtree(folder)
    return found


def a_night_that_failed(publication: Publication) -> None:
    """After everything was built and written, right before it would have been published."""
    change(publication, f"update {DAILY} set rate = -1 where date = '2026-06-02'")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(publish_module, "point_current_at", _full)
        with pytest.raises(WarehouseError):
            publish(publication)


def _full(*_: object) -> None:
    raise OSError("No space left on device")


def rolled_back(publication: Publication) -> None:
    rollback(publication.published_dir)


def current_is_gone(publication: Publication) -> None:
    shutil.rmtree((publication.published_dir / "current").resolve())


def is_damaged(publication: Publication) -> None:
    path = (publication.published_dir / "current").resolve() / "sluice.duckdb"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


# What happens before the next publication; whether months stay; of which properties.
STEPS: list[tuple[str | Callable[[Publication], None], bool, tuple[str, ...]]] = [
    ("", True, ()),
    # A value; two rows of a day swap theirs.
    (
        f"update {DAILY} set rate = 2 where date = '2026-07-08' and key = 'key 7'; "
        f"update {DAILY} set flags = if(key = 'key 1', 'flag 2', 'flag 1') "
        "where property_id = '1' and date = '2026-06-01' and key in ('key 1', 'key 2')",
        True,
        (),
    ),
    # Two equal rows more; a day less.
    (
        f"insert into {DAILY} select d.* replace (x as key) from {DAILY} as d, "
        "unnest(['a', 'a']) as t (x) where property_id = '1' and date = '2026-05-31' "
        f"and d.key = 'key 1'; delete from {DAILY} where date = '2026-06-20'",
        True,
        (),
    ),
    # Two equal rows instead of two others, which were equal as well; a day more.
    (
        f"update {DAILY} set key = 'b' where key = 'a'; "
        f"insert into {DAILY} select * replace (date '2026-07-09' as date) from {DAILY} "
        "where date = '2026-07-08'",
        True,
        (),
    ),
    # The first day of a month; a property more.
    (f"insert into {DAILY} select * replace (date '2026-08-01' as date) from {DAILY} "
     f"where date = '2026-07-08'; insert into {DAILY} select * replace ('4' as property_id) "
     f"from {DAILY} where property_id = '3' and date > '2026-06-30'", True, ()),
    (f"update {DAILY} set rate = 3 where date = '2026-07-31' or date = '2026-06-30'", True, ("2",)),
    # Kept back again, although all of its days are now others; the first night of property 5.
    (f"update {DAILY} set rate = 4 where property_id = '2'; "
     f"insert into {DAILY} select * replace ('5' as property_id) from {DAILY} "
     "where property_id = '3' and date > '2026-06-30'", True, ("2", "5")),
    # No one is kept back any more: of property 2 every day is another one.
    (f"delete from {DAILY} where property_id = '3' and date > '2026-06-30'; "
     f"delete from {DAILY} where property_id = '1'", False, ()),
    (a_night_that_failed, True, ()),
    (f"update {DAILY} set rate = 5 where date = '2026-06-05'", True, ()),
    (rolled_back, True, ()),
    (rolled_back, True, ("2",)),
    (current_is_gone, False, ()),
    (is_damaged, False, ()),
    (f"alter table {DAILY} add column came double default 0.5", False, ()),
    (f"alter table {DAILY} alter came type decimal(18, 4)", False, ("2",)),
    (f"create or replace table {DAILY} as select date, * exclude (date) from {DAILY}", False, ()),
    (f"alter table {DAILY} rename came to went; insert into marts.fct_none values ('1', null, 1)",
     False, ()),
    ("create table marts.fct_more as select property_id, date, 1 as n from marts.fct_daily; "
     "drop table marts.fct_window; create or replace table marts.dim_column as select * from "
     "(values ('fct_daily', 'key', 'Its ''name''.', 'A row a day.')) "
     "as t (table_name, column_name, description, table_description)", True, ()),
    (f"delete from {DAILY}; drop table marts.fct_more", False, ()),
    (f"insert into {DAILY} select date '2026-06-01', '1', 'x', 1, 'y', 1", False, ()),
]  # fmt: skip


def test_versions_made_from_the_one_before_equal_whole_ones(publication, tmp_path, monkeypatch):
    monkeypatch.setattr(database, "MOST_GROWTH", 99)
    # As a night does.
    with kept_open(publication.build_db):
        _steps_equal_whole_ones(publication, tmp_path / "whole")


def _steps_equal_whole_ones(publication, folder):
    publish(publication)
    for number, (happening, has_links, kept_back) in enumerate(STEPS):
        where = f"step {number}: {happening}"
        started = f"insert into ops.runs (run_id) values ('r{number}')"
        if isinstance(happening, str):
            change(publication, f"{happening}; {started}")
        else:
            happening(publication)
            change(publication, started)
        tonight = replace(publication, kept_back=kept_back)
        compact = manifest(publication)["compact_bytes"] if has_links else None
        expected = published_whole(tonight, folder)
        publish(tonight)
        found = {**contents(tonight), "rows": manifest(tonight)["rows"]}
        for name, rows in expected.items():
            assert found[name] == rows, f"{where}: {name}"
        assert bool(links(tonight)) == has_links, where
        if has_links:
            assert manifest(tonight)["compact_bytes"] == compact, where


def test_only_months_with_another_row_are_written(publication):
    publish(publication)
    change(publication, f"update {DAILY} set rate = 2 where date = '2026-07-08' and key = 'key 7'")
    publish(publication)
    assert links(publication) == {"2026-05", "2026-06"}
    parquet = publication.published_dir / "current" / "parquet"
    linked = {path.stem for path in parquet.glob("*.parquet") if path.stat().st_nlink > 1}
    assert linked == {"dim_column", "dim_key", "fct_window"}
    change(publication, "update marts.fct_window set reached = 2 where property_id = '1'")
    publish(publication)
    assert (parquet / "dim_key.parquet").stat().st_nlink == 3
    assert (parquet / "fct_window.parquet").stat().st_nlink == 1


def test_a_damaged_month_is_written_anew(publication):
    publish(publication)
    june = publication.published_dir / JUNE
    good = june.read_bytes()
    june.write_bytes(good[:-1] + b"x")
    publish(publication)
    assert june.read_bytes() == good
    assert links(publication) == {"2026-05", "2026-07"}


def test_where_links_are_not_possible_months_are_copied(publication, monkeypatch):
    publish(publication)
    before = manifest(publication)["files"]
    monkeypatch.setattr("os.link", _full)
    publish(publication)
    assert links(publication) == set()
    after = manifest(publication)["files"]
    assert {k: v for k, v in after.items() if "/" in k} == {
        k: v for k, v in before.items() if "/" in k
    }


def test_other_code_writes_everything_whole(publication):
    publish(publication)
    publish(replace(publication, code_version="0.2.0"))
    assert links(publication) == set()


def test_a_file_that_has_grown_is_written_whole_again(publication, monkeypatch):
    """Every row is another one every night: the room of the old ones is used again, or given up."""
    # One night passes it, however much else the file holds.
    monkeypatch.setattr(database, "MOST_GROWTH", 1.2)
    publish(publication)
    sizes, kinds = [], set()
    for night in range(6):
        change(publication, f"update {DAILY} set rate = {night}, key = md5(key || {night})")
        publish(publication)
        now = manifest(publication)
        sizes.append(now["files"]["sluice.duckdb"]["bytes"])
        kinds.add(sizes[-1] == now["compact_bytes"])
        # What it may grow by in one night is one more copy of the rows.
        assert sizes[-1] <= 2.5 * now["compact_bytes"]
    assert kinds == {True, False}


DYING = """
import os, sys
from datetime import datetime, UTC
from pathlib import Path
from pipelines.publishing import database
from pipelines.publishing.publication import Publication
from pipelines.publishing.publish import publish
build, published, calls = sys.argv[1:]
real, left = database.write_parquet, [int(calls)]
def dying(*arguments, **named):
    real(*arguments, **named)
    left[0] -= 1
    if not left[0]:
        os._exit(137)
database.write_parquet = dying
publish(Publication(
    build_db=Path(build), published_dir=Path(published), run_id="r1", code_version="0.1.0",
    window_start="", window_end="", keep_versions=3, with_parquet=True,
    now=datetime(2026, 3, 1, tzinfo=UTC),
))
"""


def test_a_kill_while_days_are_replaced_leaves_the_version_before(publication, tmp_path):
    publish(publication)
    before, facts = contents(publication), manifest(publication)
    change(publication, f"update {DAILY} set rate = 7 where date = '2026-06-05'")
    for calls in ("1", "3", "5"):
        arguments = [str(publication.build_db), str(publication.published_dir), calls]
        killed = subprocess.run([sys.executable, "-c", DYING, *arguments], check=False)
        assert killed.returncode == 137
        assert contents(publication) == before
        version = current_version(publication.published_dir)
        assert version is not None
        assert version.manifest == facts
        assert all(version.has(name, version.path / name) for name in facts["files"])
    expected = published_whole(publication, tmp_path / "whole")
    publish(publication)
    assert {**contents(publication), "rows": manifest(publication)["rows"]} == expected
    assert all(not path.name.startswith(".") for path in version.path.parent.iterdir())
