"""A published version is a complete, audited copy, or it is not there at all."""

import errno
import hashlib
import json
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines.errors import WarehouseError
from pipelines.publishing import publish as publish_module
from pipelines.publishing.publication import Publication
from pipelines.publishing.publish import publish
from pipelines.publishing.versions import current_name, list_versions
from pipelines.warehouse.connect import build_database, published_database
from pipelines.warehouse.runs import start_run
from pipelines.warehouse.schema import OPS_TABLES
from tests.support.hand_clock import MORNING

COMMENT = "One row per \"date\": it's 100% the shop's"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build database with two marts, raw, ops and a run whose gates passed."""
    build_db = tmp_path_factory.mktemp("built") / "build.duckdb"
    with build_database(build_db) as build:
        build.execute("create schema marts; create schema staging")
        build.execute("create table raw.ga4_sessions_by_all as select 1 as secret")
        build.execute("create table staging.stg as select 1 as secret")
        build.execute(
            "create table marts.fct_funnel_window as select * from (values "
            "(date '2026-03-02', 'cart', 7), (date '2026-03-01', 'sessions', 100), "
            "(date '2026-03-01', 'cart', 10)) as t (date, step_key, reached)"
        )
        build.execute("create table marts.dim_empty (key varchar, rate decimal(9, 4))")
        build.execute(
            "create table marts.dim_column as select * from (values "
            "('fct_funnel_window', 'date', ?, ?), ('dim_empty', 'rate', '0-1', 'Nothing.')) "
            "as t (table_name, column_name, description, table_description)",
            [COMMENT, COMMENT],
        )
        start_run(build, "r1", "test", date(2026, 3, 1), date(2026, 3, 2), "0.1.0", MORNING)
        build.execute(
            "insert into ops.gate_results (run_id, gate, severity, is_success) values "
            "('r1', 'raw', 'critical', true), ('r1', 'raw', 'warning', false), "
            "('r1', 'marts', 'critical', true), ('r0', 'raw', 'critical', false)"
        )
    return build_db


@pytest.fixture
def publication(built: Path, tmp_path: Path) -> Publication:
    """A copy of it to publish."""
    build_db = Path(shutil.copy(built, tmp_path))
    return Publication(
        build_db=build_db, published_dir=tmp_path / "published", run_id="r1", code_version="0.1.0",
        window_start="2026-03-01", window_end="2026-03-02", keep_versions=7, with_parquet=True,
        now=MORNING,
    )  # fmt: skip


def rows(publication: Publication, query: str) -> list[tuple]:
    with published_database(publication.published_dir) as connection:
        return connection.execute(query).fetchall()


def change(publication: Publication, statement: str) -> None:
    with build_database(publication.build_db) as build:
        build.execute(statement)


def folders(publication: Publication) -> list[str]:
    return sorted(path.name for path in (publication.published_dir / "versions").iterdir())


def test_readers_get_marts_and_ops_and_no_raw(publication):
    name = publish(publication)
    assert current_name(publication.published_dir) == name
    assert rows(publication, "select * from marts.fct_funnel_window") == [
        (date(2026, 3, 1), "cart", 10), (date(2026, 3, 1), "sessions", 100),
        (date(2026, 3, 2), "cart", 7),
    ]  # fmt: skip
    assert rows(publication, "select distinct schema_name from duckdb_tables() order by 1") == [
        ("marts",), ("ops",),
    ]  # fmt: skip
    assert rows(publication, "describe marts.dim_empty")[1][:2] == ("rate", "DECIMAL(9,4)")


def test_tables_and_columns_are_commented_as_the_dictionary_has_it(publication):
    publish(publication)
    assert rows(
        publication,
        "select table_name, comment from duckdb_tables() "
        "where schema_name = 'marts' and comment is not null order by all",
    ) == [("dim_empty", "Nothing."), ("fct_funnel_window", COMMENT)]
    assert rows(
        publication,
        "select table_name, column_name, comment from duckdb_columns() "
        "where schema_name = 'marts' and comment is not null order by all",
    ) == [("dim_empty", "rate", "0-1"), ("fct_funnel_window", "date", COMMENT)]


def test_every_table_and_column_of_ops_is_commented(publication):
    publish(publication)
    # Also where a version begins as a copy of the one before, and a table is written anew.
    publish(replace(publication, run_id="r1", now=MORNING + timedelta(days=1)))
    told = rows(
        publication,
        "select table_name, '', comment from duckdb_tables() where schema_name = 'ops' union all "
        "select table_name, column_name, comment from duckdb_columns() where schema_name = 'ops'",
    )
    assert len({table for table, *_ in told}) == len(OPS_TABLES)
    assert [(table, column) for table, column, words in told if not words] == []


def test_functions_beside_the_marts_are_published(publication):
    """Also into a copy of the version before, which has them; they may be aggregates."""
    change(publication, "create macro marts.share(x, n) as (sum(x) / sum(n))")
    publish(publication)
    publish(replace(publication, run_id="r1", now=MORNING + timedelta(days=1)))
    assert rows(
        publication, "select marts.share(reached, 2 * reached) from marts.fct_funnel_window"
    ) == [(0.5,)]
    change(publication, "drop macro marts.share")
    publish(replace(publication, run_id="r2", now=MORNING + timedelta(days=2)))
    with pytest.raises(duckdb.CatalogException, match="share"):
        rows(publication, "select marts.share(reached, 2) from marts.fct_funnel_window")


def test_the_copy_knows_that_its_run_was_published(publication):
    publish(publication)
    assert rows(publication, "select run_id, status, finished_at is null from ops.runs") == [
        ("r1", "published", False)
    ]
    with build_database(publication.build_db, read_only=True) as build:
        assert build.execute("select status from ops.runs").fetchall() == [("running",)]


def test_the_manifest_tells_rows_checksums_window_and_gates(publication):
    name = publish(publication)
    folder = publication.published_dir / "versions" / name
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["version"] == name
    assert (manifest["run_id"], manifest["code_version"]) == ("r1", "0.1.0")
    assert manifest["window"] == {"start": "2026-03-01", "end": "2026-03-02"}
    assert manifest["gates"] == [
        {"gate": "marts", "is_passed": True, "warnings": 0, "expectations": 1},
        {"gate": "raw", "is_passed": True, "warnings": 1, "expectations": 2},
    ]
    assert manifest["held_back"] == []
    assert manifest["rows"] == {
        **{f"ops.{table}": 0 for table in OPS_TABLES},
        "marts.dim_column": 2, "marts.dim_empty": 0, "marts.fct_funnel_window": 3,
        "ops.gate_results": 4, "ops.runs": 1,
    }  # fmt: skip
    on_disk = {
        str(path.relative_to(folder)): path
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert set(on_disk) == {
        "sluice.duckdb", "parquet/dim_column.parquet", "parquet/dim_empty.parquet",
        "parquet/fct_funnel_window.parquet",
    }  # fmt: skip
    assert manifest["files"] == {
        name: {
            "bytes": len(path.read_bytes()),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for name, path in on_disk.items()
    }


def test_pages_of_single_properties_are_a_part_of_the_version(publication, tmp_path):
    made = tmp_path / "made"
    (made / "report_pages").mkdir(parents=True)
    texts = {"report.html": "index", "report_pages/1.html": "one", "report_pages/2.html": "two"}
    for name, text in texts.items():
        (made / name).write_text(text)
    (made / "other.html").write_text("not of the page")
    first = publish(replace(publication, page=made / "report.html"))
    folder = publication.published_dir / "versions" / first
    files = json.loads((folder / "manifest.json").read_text())["files"]
    pages = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.html")}
    assert pages == texts
    for name, text in texts.items():
        content = text.encode()
        assert files[name] == {
            "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(),
        }  # fmt: skip
    # Fewer properties another night: nothing of the version before is left in the new one.
    (tmp_path / "alone.html").write_text("all")
    second = publish(replace(publication, page=tmp_path / "alone.html"))
    assert [path.name for path in (folder.parent / second).rglob("*.html")] == ["report.html"]


def test_parquet_files_hold_the_marts(publication):
    publish(publication)
    file = publication.published_dir / "current" / "parquet" / "fct_funnel_window.parquet"
    assert duckdb.sql(f"select * from '{file}'").fetchall() == rows(
        publication, "select * from marts.fct_funnel_window"
    )


def test_parquet_can_be_left_out(publication):
    name = publish(replace(publication, with_parquet=False))
    folder = publication.published_dir / "versions" / name
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "sluice.duckdb"]


def test_two_publishes_of_the_same_data_give_equal_tables(publication):
    first, second = publish(publication), publish(publication)
    assert first < second
    files = [publication.published_dir / "versions" / name for name in (first, second)]
    parquet = [
        {path.name: path.read_bytes() for path in (folder / "parquet").iterdir()}
        for folder in files
    ]
    assert parquet[0] == parquet[1]
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in files]
    assert manifests[0]["rows"] == manifests[1]["rows"]
    for table in ("marts.dim_empty", "marts.fct_funnel_window", "ops.gate_results"):
        tables = []
        for folder in files:
            with duckdb.connect(str(folder / "sluice.duckdb"), read_only=True) as connection:
                tables.append(connection.execute(f"select * from {table}").fetchall())
        assert tables[0] == tables[1]


def test_current_is_a_relative_link_so_the_folder_may_move(publication):
    name = publish(publication)
    link = publication.published_dir / "current"
    assert link.readlink() == Path("versions") / name
    moved = publication.published_dir.rename(publication.published_dir.parent / "moved")
    with published_database(moved) as connection:
        assert connection.execute("select count(*) from marts.fct_funnel_window").fetchone() == (3,)


def test_an_open_reader_keeps_its_version(publication):
    publish(publication)
    with published_database(publication.published_dir) as reader:
        change(publication, "delete from marts.fct_funnel_window where step_key = 'cart'")
        publish(publication)
        assert reader.execute("select count(*) from marts.fct_funnel_window").fetchone() == (3,)
    assert rows(publication, "select count(*) from marts.fct_funnel_window") == [(1,)]


def test_old_versions_are_pruned(publication):
    names = [publish(replace(publication, keep_versions=2)) for _ in range(4)]
    assert folders(publication) == names[2:]
    assert current_name(publication.published_dir) == names[3]


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Writing more than `size` bytes to one file fails, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def refusal(publication: Publication) -> str:
    with pytest.raises(WarehouseError) as caught:
        publish(publication)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_disk_that_takes_no_more_leaves_the_version_before(publication):
    first = publish(publication)
    change(publication, "create table marts.big as select md5(range::varchar) from range(50000)")
    with files_up_to(500_000):
        message = refusal(publication)
    assert "File too large" in message
    assert "readers still have the version before" in message
    assert folders(publication) == [first]
    assert current_name(publication.published_dir) == first
    # With room again, it goes on.
    second = publish(publication)
    assert folders(publication) == [first, second]


STEPS = ["write_database", "_write_manifest", "file_facts", "sync", "point_current_at"]


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_full_disk_at_any_step_leaves_current_and_no_half_version(publication, monkeypatch, step):
    first = publish(publication)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(publish_module, step, full)
        message = refusal(publication)
    assert "No space left on device" in message
    assert "make room" in message
    assert current_name(publication.published_dir) == first
    # What is there is whole: a version that failed at the very last step may stay.
    complete = [version.name for version in list_versions(publication.published_dir)]
    assert folders(publication) == complete
    assert len(complete) == (2 if step == "point_current_at" else 1)
    assert rows(publication, "select count(*) from marts.fct_funnel_window") == [(3,)]


@pytest.mark.parametrize("step", STEPS)
def test_a_first_publish_that_fails_publishes_nothing(publication, monkeypatch, step):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(publish_module, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        publish(publication)
    assert current_name(publication.published_dir) is None
    assert not [name for name in folders(publication) if name.startswith(".")]


def test_a_folder_that_cannot_be_made_is_named(publication):
    publication.published_dir.write_text("a file where the folder should be")
    message = refusal(publication)
    assert str(publication.published_dir) in message
    assert "permissions" in message


def test_a_read_only_folder_leaves_the_version_before(publication, monkeypatch):
    first = publish(publication)

    def denied(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "mkdir", denied)
        assert "Permission denied" in refusal(publication)
    assert folders(publication) == [first]
    assert current_name(publication.published_dir) == first


def test_a_missing_build_database_publishes_nothing(publication):
    first = publish(publication)
    publication.build_db.unlink()
    assert "build.duckdb" in refusal(publication)
    assert folders(publication) == [first]


def test_what_a_killed_run_left_is_cleared_by_the_next(publication):
    first = publish(publication)
    versions = publication.published_dir / "versions"
    shutil.copytree(versions / first, versions / ".unfinished-20260101T000000.000000Z")
    second = publish(publication)
    assert folders(publication) == [first, second]
