"""Makes one published version: the audited copy of `marts` and `ops`, complete or not at all.

Everything is written to an unfinished folder, flushed to the disk and renamed; only then does
`current` move. A full disk or a kill leaves `current` where it was.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines.errors import WarehouseError
from pipelines.warehouse.connect import quiet
from pipelines.warehouse.runs import PARTLY_PUBLISHED, PUBLISHED
from pipelines.warehouse.versions import (
    DATABASE,
    MANIFEST,
    point_current_at,
    prune,
    sync,
    unfinished_path,
    versions_dir,
)

PUBLISHED_SCHEMAS = ("marts", "ops")


@dataclass(frozen=True)
class Publication:
    """What to publish, and what the manifest says about it."""

    build_db: Path
    published_dir: Path
    run_id: str
    code_version: str
    window_start: str
    window_end: str
    keep_versions: int
    with_parquet: bool
    # Properties that this run holds back: readers keep their rows of the version before.
    kept_back: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """How the run ends."""
        return PARTLY_PUBLISHED if self.kept_back else PUBLISHED


def publish(publication: Publication) -> str:
    """Write a version, make it current, prune old ones; returns its name.

    Raises WarehouseError when the disk is full or not writable; `current` then stays.
    """
    unfinished, final = unfinished_path(publication.published_dir, datetime.now(UTC))
    with _nothing_left_behind(unfinished):
        versions_dir(publication.published_dir).mkdir(parents=True, exist_ok=True)
        unfinished.mkdir()
        _copy_database(publication, unfinished)
        _write_manifest(publication, unfinished, final.name)
        for path in sorted(unfinished.rglob("*"), reverse=True):
            sync(path)
        sync(unfinished)
        unfinished.rename(final)
        sync(final.parent)
        point_current_at(publication.published_dir, final.name)
    prune(publication.published_dir, publication.keep_versions)
    return final.name


@contextmanager
def _nothing_left_behind(unfinished: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, duckdb.IOException, duckdb.TransactionException) as error:
        # A full disk at the commit is a TransactionException.
        shutil.rmtree(unfinished, ignore_errors=True)
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise WarehouseError(
            f"The new version could not be written to {unfinished.parent} ({reason}): make room "
            "or correct the permissions, then run again; readers still have the version before."
        ) from error
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _copy_database(publication: Publication, folder: Path) -> None:
    with quiet(duckdb.connect(str(folder / DATABASE))) as connection:
        connection.execute(f"attach '{_quoted(publication.build_db)}' as build (read_only)")
        previous = publication.published_dir / "current" / DATABASE
        if publication.kept_back and previous.exists():
            connection.execute(f"attach '{_quoted(previous.resolve())}' as previous (read_only)")
        for schema in PUBLISHED_SCHEMAS:
            connection.execute(f"create schema {schema}")
        for schema, table in _tables(connection):
            _copy_table(connection, schema, table, publication.kept_back)
            if publication.with_parquet and schema == "marts":
                (folder / "parquet").mkdir(exist_ok=True)
                target = _quoted(folder / "parquet" / f"{table}.parquet")
                connection.execute(f"copy {schema}.{table} to '{target}' (format parquet)")
        # The copy knows that its own run ended well; the build database learns it afterwards.
        connection.execute(
            "update ops.runs set status = ?, finished_at = ? where run_id = ?",
            [publication.status, datetime.now(UTC), publication.run_id],
        )
        for database in ("build", "previous"):
            connection.execute(f"detach database if exists {database}")
        connection.execute("checkpoint")


def _tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name = 'build' and list_contains(?, schema_name) order by all",
        [list(PUBLISHED_SCHEMAS)],
    ).fetchall()


def _copy_table(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, kept_back: tuple[str, ...]
) -> None:
    """Rows in a fixed order (equal nights give equal files), and the descriptions as comments."""
    rows = _rows(connection, schema, table, kept_back)
    connection.execute(f"create table {schema}.{table} as {rows} order by all")
    name = [schema, table]
    comments = connection.execute(
        "select null, comment from duckdb_tables() where database_name = 'build' "
        "and schema_name = ? and table_name = ? and comment is not null union all "
        "select column_name, comment from duckdb_columns() where database_name = 'build' "
        "and schema_name = ? and table_name = ? and comment is not null",
        name + name,
    ).fetchall()
    for column, comment in comments:
        kind = "column" if column else "table"
        target = f'{schema}.{table}."{column}"' if column else f"{schema}.{table}"
        connection.execute(f"comment on {kind} {target} is '{_quoted(comment)}'")


def _rows(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, kept_back: tuple[str, ...]
) -> str:
    """SQL of a table's rows: of properties that are held back, those of the version before."""
    source = f"build.{schema}.{table}"
    if schema != "marts" or not kept_back or not _has_property(connection, "build", table):
        return f"select * from {source}"
    names = ", ".join(f"'{_quoted(name)}'" for name in kept_back)
    fresh = f"select * from {source} where property_id not in ({names})"
    if not _has_property(connection, "previous", table):
        return fresh
    old = _as_today(connection, schema, table)
    kept = f"select {old} from previous.{schema}.{table} where property_id in ({names})"
    return f"{fresh} union all {kept}"


def _as_today(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> str:
    """Select list that gives rows of the version before today's columns and types.

    Columns that came since are NULL, those that went are left out.
    """
    names = connection.execute(
        "select today.column_name, today.data_type, old.column_name is not null "
        "from duckdb_columns() as today left join duckdb_columns() as old "
        "on old.database_name = 'previous' and old.schema_name = today.schema_name "
        "and old.table_name = today.table_name and old.column_name = today.column_name "
        "where today.database_name = 'build' and today.schema_name = ? and today.table_name = ? "
        "order by today.column_index",
        [schema, table],
    ).fetchall()
    return ", ".join(
        f"cast({_identifier(name) if is_there else 'null'} as {kind}) as {_identifier(name)}"
        for name, kind, is_there in names
    )


def _has_property(connection: duckdb.DuckDBPyConnection, database: str, table: str) -> bool:
    found = connection.execute(
        "select 1 from duckdb_columns() where database_name = ? and schema_name = 'marts' "
        "and table_name = ? and column_name = 'property_id'",
        [database, table],
    ).fetchone()
    return found is not None


def _write_manifest(publication: Publication, folder: Path, name: str) -> None:
    with quiet(duckdb.connect(str(folder / DATABASE), read_only=True)) as connection:
        rows = {
            f"{schema}.{table}": _one(connection, f"select count(*) from {schema}.{table}")
            for schema, table in connection.execute(
                "select schema_name, table_name from duckdb_tables() order by all"
            ).fetchall()
        }
        gates = connection.execute(
            "select gate, bool_and(is_success or severity <> 'critical'), "
            "count_if(not is_success and severity = 'warning'), count(*) "
            "from ops.gate_results where run_id = ? group by gate order by gate",
            [publication.run_id],
        ).fetchall()
    manifest: dict[str, Any] = {
        "version": name,
        "run_id": publication.run_id,
        "code_version": publication.code_version,
        "published_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "window": {"start": publication.window_start, "end": publication.window_end},
        "gates": [
            {"gate": gate, "is_passed": passed, "warnings": warnings, "expectations": count}
            for gate, passed, warnings, count in gates
        ],
        "held_back": list(publication.kept_back),
        "rows": rows,
        "files": {
            str(path.relative_to(folder)): {
                "bytes": path.stat().st_size,
                "sha256": _sha256(path),
            }
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        },
    }
    text = json.dumps(manifest, indent=2) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def _quoted(text: object) -> str:
    return str(text).replace("'", "''")


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
