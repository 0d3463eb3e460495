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
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines.clock import Clock
from pipelines.errors import WarehouseError
from pipelines.publishing.next_version import (
    PUBLISHED_SCHEMAS,
    attached,
    quoted,
    rows_to_publish,
    tables_to_publish,
)
from pipelines.publishing.versions import (
    DATABASE,
    MANIFEST,
    PAGE,
    pages_beside,
    point_current_at,
    prune,
    sync,
    unfinished_path,
    versions_dir,
)
from pipelines.warehouse.connect import quiet
from pipelines.warehouse.ops import transaction
from pipelines.warehouse.statuses import RunStatus

# The mart that lists every table and column of the marts with its description.
DICTIONARY = "dim_column"


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
    # The page that goes with it.
    page: Path | None = None
    # The stamp of the publication. The folder's name is the machine's time, whatever the home's:
    # names are in the order of publication.
    now: datetime = field(kw_only=True)

    @property
    def status(self) -> RunStatus:
        """How the run ends."""
        return RunStatus.PARTLY_PUBLISHED if self.kept_back else RunStatus.PUBLISHED


def publish(publication: Publication) -> str:
    """Write a version, make it current, prune old ones; returns its name.

    Raises WarehouseError when the disk is full or not writable; `current` then stays.
    """
    unfinished, final = unfinished_path(publication.published_dir, Clock().now())
    with _nothing_left_behind(unfinished):
        versions_dir(publication.published_dir).mkdir(parents=True, exist_ok=True)
        unfinished.mkdir()
        _copy_database(publication, unfinished)
        if publication.page:
            _copy_page(publication.page, unfinished / PAGE)
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


def _copy_page(page: Path, target: Path) -> None:
    shutil.copyfile(page, target)
    if pages_beside(page).is_dir():
        shutil.copytree(pages_beside(page), pages_beside(target))


def _copy_database(publication: Publication, folder: Path) -> None:
    kept_back = publication.kept_back
    with quiet(duckdb.connect(str(folder / DATABASE))) as connection:
        with attached(connection, publication.build_db, publication.published_dir, kept_back):
            for schema in PUBLISHED_SCHEMAS:
                connection.execute(f"create schema {schema}")
            for schema, table in tables_to_publish(connection):
                _copy_table(connection, schema, table, kept_back)
                if publication.with_parquet and schema == "marts":
                    (folder / "parquet").mkdir(exist_ok=True)
                    target = quoted(folder / "parquet" / f"{table}.parquet")
                    connection.execute(f"copy {schema}.{table} to '{target}' (format parquet)")
            _describe(connection)
        # The copy knows that its own run ended well; the build database learns it afterwards.
        connection.execute(
            "update ops.runs set status = ?, finished_at = ? where run_id = ?",
            [publication.status, publication.now, publication.run_id],
        )
        connection.execute("checkpoint")


def _copy_table(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, kept_back: tuple[str, ...]
) -> None:
    """Rows in a fixed order: equal nights give equal files."""
    rows = rows_to_publish(connection, schema, table, kept_back)
    connection.execute(f"create table {schema}.{table} as {rows} order by all")


def _describe(connection: duckdb.DuckDBPyConnection) -> None:
    """The dictionary's words as comments, in one transaction: each alone is flushed to the disk."""
    if ("marts", DICTIONARY) not in tables_to_publish(connection):
        return
    comments = connection.execute(
        f"select distinct table_name, null, table_description from marts.{DICTIONARY} union all "
        f"select table_name, column_name, description from marts.{DICTIONARY}"
    ).fetchall()
    with transaction(connection):
        for table, column, words in comments:
            kind = "column" if column else "table"
            target = f'marts.{table}."{column}"' if column else f"marts.{table}"
            connection.execute(f"comment on {kind} {target} is '{quoted(words)}'")


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
        "published_at": publication.now.isoformat(timespec="seconds"),
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
