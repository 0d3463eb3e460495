"""Makes one published version: the audited copy of `marts` and `ops`, complete or not at all.

Everything is written to an unfinished folder, flushed to the disk and renamed; only then does
`current` move. A full disk or a kill leaves `current` where it was.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from pipelines.clock import Clock
from pipelines.errors import WarehouseError
from pipelines.file_modes import share
from pipelines.monitoring.home_lock import exclusive
from pipelines.publishing.database import write_database
from pipelines.publishing.publication import Publication
from pipelines.publishing.versions import (
    DATABASE,
    MANIFEST,
    PAGE,
    SWITCH_LOCK,
    Version,
    file_facts,
    pages_beside,
    point_current_at,
    prune,
    remove_unfinished,
    sync,
    unfinished_path,
    versions_dir,
)
from pipelines.warehouse.connect import quiet


def publish(publication: Publication) -> str:
    """Write a version, make it current, prune old ones; returns its name.

    Raises WarehouseError when the disk is full or not writable; `current` then stays.
    """
    published_dir = publication.published_dir
    unfinished, final = unfinished_path(published_dir, Clock().now())
    with _nothing_left_behind(unfinished):
        versions_dir(published_dir).mkdir(parents=True, exist_ok=True)
        # Before anything is written: it may be just the room that this version needs.
        remove_unfinished(published_dir)
        unfinished.mkdir()
        before = write_database(publication, unfinished)
        if publication.page:
            _copy_page(publication.page, unfinished / PAGE)
        _write_manifest(publication, unfinished, final.name, before)
        share(published_dir, publication.group)
        for path in sorted(unfinished.rglob("*"), reverse=True):
            sync(path)
        sync(unfinished)
        unfinished.rename(final)
        sync(final.parent)
        with exclusive(published_dir / SWITCH_LOCK):
            point_current_at(published_dir, final.name)
    with exclusive(published_dir / SWITCH_LOCK):
        prune(published_dir, publication.keep_versions)
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


def _write_manifest(
    publication: Publication, folder: Path, name: str, before: Version | None
) -> None:
    files = {
        str(path.relative_to(folder)): file_facts(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
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
        "files": files,
        # Of the database when it was last written whole: its growth is measured by it.
        "compact_bytes": (before.manifest["compact_bytes"] if before else files[DATABASE]["bytes"]),
    }
    text = json.dumps(manifest, indent=2) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None
