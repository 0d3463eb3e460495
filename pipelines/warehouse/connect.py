"""Opens DuckDB files, always in a `with` block; a run keeps the build database open all along."""

from __future__ import annotations

import resource
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.errors import WarehouseError
from pipelines.file_modes import keep_private
from pipelines.sql_text import literal
from pipelines.warehouse.schema import OPS_TABLES, make_tables


@contextmanager
def build_database(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """The build database with its schemas and `ops` tables in place.

    Raises WarehouseError when the file is locked by another process, unreadable or not there
    (`read_only`).
    """
    if path in _KEPT:
        with quiet(_KEPT[path].cursor()) as cursor:
            yield cursor
        return
    if not read_only:
        path.parent.mkdir(parents=True, exist_ok=True)
        keep_private(path.parent)
    with _open(path, read_only=read_only) as connection:
        if path.stat().st_size < LEAST_SHARED_BYTES:
            connection.execute("set threads = 1")
        if not read_only:
            connection.execute(f"set wal_autocheckpoint = '{MOST_LOG}'")
            connection.execute("create schema if not exists raw")
            make_tables(connection, "ops", OPS_TABLES)
        yield connection


@contextmanager
def kept_open(path: Path) -> Iterator[None]:
    """Keep the build database open: within this process, dbt included, every opening shares it.

    A night opens it some twenty times, 40 ms each, and whoever closed it last would write all its
    changes from the log into the file. Raises what `build_database` raises.
    """
    with build_database(path) as connection:
        _KEPT[path] = connection
        try:
            yield
        finally:
            del _KEPT[path]


def scratch_database(spill: Path) -> duckdb.DuckDBPyConnection:
    """An empty database in memory, which goes on in the folder `spill` where memory ends.

    DuckDB minds the limit of a machine or a container, but not a process's own (`ulimit -d`).
    """
    connection = quiet(duckdb.connect(":memory:"))
    connection.execute("set temp_directory = ?", [str(spill)])
    limits = (resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
    if set_limits := [limit for limit in limits if limit != resource.RLIM_INFINITY]:
        mebibytes = int(min(set_limits) * SHARE_OF_LIMIT / 2**20)
        connection.execute(f"set memory_limit = '{mebibytes} MiB'")
    return connection


_KEPT: dict[Path, duckdb.DuckDBPyConnection] = {}
# The queries of a smaller build database are too short to be shared between processors: waking
# threads for each of them took a sixteenth of a night, and near half of the storing of a pull. dbt
# builds two models at a time all the same.
LEAST_SHARED_BYTES = 256_000_000
# DuckDB writes files that its version 1.0 could read, unless told otherwise. Closing a build
# database in today's format takes a quarter of the time, and nobody but Sluice reads it. Each text
# of a new table takes a block of memory: in blocks of 256 kB, the usual ones, a small shop's tables
# took 180 MB more, and twice the room in the file. Five million rows take as long in these.
NEW_FILE = "storage_version 'v1.5.0', block_size 65536"
# What a query may take of a process's memory: beside it are Python's libraries, and what DuckDB
# does not count.
SHARE_OF_LIMIT = 0.5
# DuckDB moves its log into the file whenever it holds 16 MB, ten times in the night of a small
# shop, which took a tenth of the night's CPU; a night over two stored years writes more than 64 MB.
# What is in the log is in memory, too.
MOST_LOG = "128MB"


@contextmanager
def published_database(published_dir: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The current published version, read-only; also while another program writes to its file.

    Raises WarehouseError when nothing was published yet.
    """
    with published_file(published_dir) as path, _open(path, read_only=True) as connection:
        yield connection


@contextmanager
def published_file(published_dir: Path) -> Iterator[Path]:
    """The file of the current published version, or a copy that other programs can read.

    Raises WarehouseError when nothing was published yet.
    """
    path = published_dir / "current" / "sluice.duckdb"
    if not path.exists():
        link = published_dir / "current"
        if link.is_symlink():
            raise WarehouseError(
                f"The version that readers see, {link.readlink().name}, has no {path.name}: "
                "run 'sluice rollback', or 'sluice nightly' to publish another."
            )
        raise WarehouseError(
            f"Nothing is published in {published_dir} yet: run 'sluice nightly' or 'sluice demo'."
        )
    with unlocked(path.resolve()) as free:
        yield free


@contextmanager
def unlocked(path: Path) -> Iterator[Path]:
    """A published database, or a copy of it where another program has it open for writing.

    DuckDB then refuses every other reader, but its lock does not stop a copy: whoever looks at
    what is published must never stop a run. The copy is gone afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="sluice-") as folder:
        copy = Path(folder) / path.name
        if _is_locked(path):
            shutil.copyfile(path, copy)
        yield copy if copy.exists() else path


def _is_locked(path: Path) -> bool:
    try:
        duckdb.connect(str(path), read_only=True).close()
    except duckdb.IOException as error:
        return _names_a_lock(error)
    return False


def _names_a_lock(error: duckdb.IOException) -> bool:
    return "Could not set lock" in str(error)


def quiet(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The same connection as on every machine.

    Without DuckDB's own progress bar, which would print amid our lines, and with moments in UTC
    whatever the machine's zone is: it would decide about their days.
    """
    connection.execute("set enable_progress_bar = false; set TimeZone = 'UTC'")
    return connection


def _make(path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(str(path))} ({NEW_FILE})")


def _open(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        if not (read_only or path.exists()):
            _make(path)
        return quiet(duckdb.connect(str(path), read_only=read_only))
    except duckdb.ConnectionException:
        # This process has the file open for writing: a cursor of dbt's that nobody has collected
        # yet, most often one that a failed model left in its traceback.
        return quiet(duckdb.connect(str(path)))
    except duckdb.IOException as error:
        problem = "is open in another process" if _names_a_lock(error) else "cannot be opened"
        raise WarehouseError(
            f"The database {path} {problem}: {str(error).splitlines()[0]}"
        ) from error
