"""Of a property that a run holds back, readers keep the rows of the version before."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines.publishing.publication import Publication
from pipelines.publishing.publish import publish
from pipelines.warehouse.connect import build_database, kept_open, published_database
from pipelines.warehouse.runs import start_run
from tests.support.hand_clock import MORNING

pytestmark = pytest.mark.slow

FACTS = "select property_id, date, reached from marts.fct order by all"


@pytest.fixture
def publication(tmp_path: Path) -> Iterator[Publication]:
    """Three properties (one row a night each), a mart without properties, and two nights.

    The build database stays open, as a run keeps it.
    """
    publication = Publication(
        build_db=tmp_path / "build.duckdb", published_dir=tmp_path / "published", run_id="r1",
        code_version="0.1.0", window_start="2026-03-01", window_end="2026-03-02",
        keep_versions=7, with_parquet=True, now=MORNING,
    )  # fmt: skip
    with kept_open(publication.build_db):
        change(
            publication,
            "create schema marts; create table marts.dim_step as select 'cart' as step_key; "
            "create table marts.fct (property_id varchar, date date, reached bigint)",
        )
        night(publication, 1)
        yield publication


def change(publication: Publication, statement: str) -> None:
    with build_database(publication.build_db) as build:
        build.execute(statement)


def night(publication: Publication, day: int) -> None:
    """Everything is built anew for three properties: 1 reached 10 × day, and so on."""
    change(publication, "delete from marts.fct")
    for number in (1, 2, 3):
        change(
            publication,
            f"insert into marts.fct (property_id, date, reached) "
            f"values ('{number}', '2026-03-{day:02}', {number * 10 * day})",
        )
    with build_database(publication.build_db) as build:
        start_run(build, f"r{day}", "test", date(2026, 3, 1), date(2026, 3, day), "0.1.0", MORNING)


def rows(publication: Publication, query: str) -> list[tuple]:
    with published_database(publication.published_dir) as connection:
        return connection.execute(query).fetchall()


def later(publication: Publication, day: int, *kept_back: str) -> str:
    night(publication, day)
    return publish(replace(publication, run_id=f"r{day}", kept_back=kept_back))


D1, D2, D3 = (date(2026, 3, day) for day in (1, 2, 3))


def test_rows_of_the_version_before_stay_and_the_others_are_new(publication):
    publish(publication)
    name = later(publication, 2, "2")
    assert rows(publication, FACTS) == [("1", D2, 20), ("2", D1, 20), ("3", D2, 60)]
    folder = publication.published_dir / "versions" / name
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["held_back"] == ["2"]
    assert manifest["rows"]["marts.fct"] == 3
    assert rows(publication, f"from '{folder}/parquet/fct/*.parquet' order by all") == rows(
        publication, FACTS
    )


def test_a_property_that_is_held_back_for_weeks_keeps_its_last_good_rows(publication):
    publish(publication)
    later(publication, 2, "2", "3")
    later(publication, 3, "2")
    assert rows(publication, FACTS) == [("1", D3, 30), ("2", D1, 20), ("3", D3, 90)]
    later(publication, 4)
    assert rows(publication, "select distinct date from marts.fct") == [(date(2026, 3, 4),)]


def test_the_run_is_partly_published_and_ops_are_all_new(publication):
    publish(publication)
    later(publication, 2, "2")
    assert rows(publication, "select run_id, status from ops.runs order by 1") == [
        ("r1", "running"), ("r2", "partly_published"),
    ]  # fmt: skip


def test_a_table_without_properties_is_new(publication):
    publish(publication)
    change(publication, "insert into marts.dim_step values ('view')")
    later(publication, 2, "2")
    assert rows(publication, "from marts.dim_step order by 1") == [("cart",), ("view",)]


def test_on_the_first_night_there_is_nothing_to_keep(publication):
    publish(replace(publication, kept_back=("2",)))
    assert rows(publication, FACTS) == [("1", D1, 10), ("3", D1, 30)]


def test_a_table_that_the_version_before_had_not(publication):
    publish(publication)
    change(publication, "create table marts.fct_new as select '2' as property_id, 1 as n")
    change(publication, "insert into marts.fct_new values ('1', 2)")
    later(publication, 2, "2")
    assert rows(publication, "from marts.fct_new") == [("1", 2)]
    assert rows(publication, FACTS)[1] == ("2", D1, 20)


def test_a_table_that_had_no_properties_before(publication):
    change(publication, "create table marts.late as select 1 as n")
    publish(publication)
    change(publication, "create or replace table marts.late as select '2' as property_id, 1 as n")
    later(publication, 2, "2")
    assert rows(publication, "from marts.late") == []


def test_columns_are_those_of_today(publication):
    """A column that came is NULL in kept rows; one that went, or changed its type, does not
    come back."""
    change(publication, "alter table marts.fct add column went varchar default 'x'")
    publish(publication)
    change(publication, "alter table marts.fct drop column went")
    change(publication, "alter table marts.fct add column came double")
    change(publication, "alter table marts.fct alter reached type decimal(18, 2)")
    later(publication, 2, "2")
    assert rows(publication, "describe marts.fct") == [
        (name, kind, "YES", None, None, None)
        for name, kind in {
            "property_id": "VARCHAR", "date": "DATE", "reached": "DECIMAL(18,2)",
            "came": "DOUBLE",
        }.items()
    ]  # fmt: skip
    assert rows(publication, "from marts.fct where property_id = '2'") == [("2", D1, 20, None)]


def test_a_strange_id_is_no_sql(publication):
    publish(publication)
    later(publication, 2, "2' or '1'='1")
    assert len(rows(publication, FACTS)) == 3


HOLDER = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"


@contextmanager
def open_for_writing(path: Path) -> Iterator[None]:
    """Another program has the file open, as a BI tool does that was not told to only read."""
    arguments = [sys.executable, "-c", HOLDER, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            yield
        finally:
            holder.communicate()


def test_a_reader_that_locks_the_published_file_stops_nobody(publication):
    """Neither the next version, which needs kept rows from that file, nor other readers."""
    publish(publication)
    current = (publication.published_dir / "current" / "sluice.duckdb").resolve()
    with open_for_writing(current):
        with pytest.raises(duckdb.IOException, match="Could not set lock"):
            duckdb.connect(str(current), read_only=True)
        assert rows(publication, FACTS) == [("1", D1, 10), ("2", D1, 20), ("3", D1, 30)]
        later(publication, 2, "2")
    assert rows(publication, FACTS) == [("1", D2, 20), ("2", D1, 20), ("3", D2, 60)]


def test_an_old_value_that_fits_no_more_is_null(publication):
    change(publication, "alter table marts.fct add column share varchar default 'ten'")
    publish(publication)
    change(publication, "alter table marts.fct drop column share")
    change(publication, "alter table marts.fct add column share double default 0.5")
    later(publication, 2, "2")
    assert rows(publication, "select property_id, share from marts.fct order by 1") == [
        ("1", 0.5), ("2", None), ("3", 0.5),
    ]  # fmt: skip
