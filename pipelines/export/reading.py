"""An export's files as rows for SQL, and what is wrong with a file in one sentence."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from io import BytesIO

import duckdb

from pipelines.export.columns import JSON_COLUMNS, REQUIRED, Columns
from pipelines.export.errors import DayError, ExportError, in_one_line, unreadable
from pipelines.export.files import ExportFile
from pipelines.export.object_store import attach, is_object, not_read
from pipelines.sql_text import literal
from pipelines.warehouse.connect import quiet
from pipelines.wording import shortened

# What DuckDB's words have beside the reason → what is left of it.
_NOT_SAID = {
    r"^[\w ]+ Error: ": "",
    r"""( in file)? ["']it["'],?""": "",
    # One too many for some faults, one too few for others.
    r"( at byte \d+)? in line \d+": "",
    r"(but got \w+): .*": r"\1",
    r': value ".*" is': ": a value is",
}


def columns_of(connection: duckdb.DuckDBPyConnection, files: Sequence[ExportFile]) -> Columns:
    """The columns of files of one format; raises DayError where they are no export's."""
    if is_object(files[0].path):
        attach(connection, files[0].path)
    for file in files:
        _refuse_cut(connection, file)
    try:
        found = connection.sql(f"SELECT * FROM {relation(files)} LIMIT 0")
        columns = Columns(dict(zip(found.columns, found.types, strict=True)))
    except (duckdb.Error, UnicodeError) as error:
        raise broken(files, error) from error
    if missing := [name for name in REQUIRED if not columns.has(name)]:
        raise _no_export(files[0], f"has no column {', '.join(missing)}")
    for name in ("event_params", "items"):
        if columns.has(name) and not columns.is_list_of_records(name):
            kind = columns.types[name].id
            raise _no_export(files[0], f"has {name} of type {kind}, which is no list of records")
    return columns


def _refuse_cut(connection: duckdb.DuckDBPyConnection, file: ExportFile) -> None:
    """DuckDB takes a packed file that ends too early for one that is over."""
    if file.size == 0:
        # Says why, where nobody could look at it.
        file.checksum()
        raise DayError(
            f"The export file {in_one_line(file.path)} is empty: write it anew from BigQuery."
        )
    if file.is_gzip:
        try:
            with gzip.open(_bytes_of(connection, file)) as packed:
                while packed.read(1 << 20):
                    pass
        except duckdb.Error as error:
            raise broken([file], error) from error
        except (OSError, EOFError, zlib.error) as error:
            raise unreadable(file.path, str(error)) from error


def _bytes_of(connection: duckdb.DuckDBPyConnection, file: ExportFile) -> str | BytesIO:
    if not is_object(file.path):
        return file.path
    sql = f"SELECT content FROM read_blob({literal(file.path)})"
    (content,) = connection.execute(sql).fetchone() or (b"",)
    return BytesIO(content)


def _no_export(file: ExportFile, why: str) -> DayError:
    return DayError(
        f"The export file {in_one_line(file.path)} {why}: it is not a GA4 export in BigQuery's "
        "schema; correct 'path', or export the table again."
    )


def by_format(files: Sequence[ExportFile]) -> list[list[ExportFile]]:
    """The Parquet files, those that are packed, and the others; no empty list."""
    groups: dict[tuple[bool, bool], list[ExportFile]] = {}
    for file in files:
        groups.setdefault((file.is_parquet, file.is_gzip), []).append(file)
    return list(groups.values())


def relation(files: Sequence[ExportFile]) -> str:
    """FROM: the rows of files of one format."""
    listed = f"[{', '.join(literal(file.path) for file in files)}]"
    if files[0].is_parquet:
        return f"read_parquet({listed}, union_by_name = true)"
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in JSON_COLUMNS.items())
    return (
        f"read_json({listed}, columns = {{{columns}}}, format = 'newline_delimited', "
        f"compression = '{'gzip' if files[0].is_gzip else 'uncompressed'}', "
        "maximum_object_size = 67108864)"
    )


def broken(files: Sequence[ExportFile], error: duckdb.Error | UnicodeError) -> ExportError:
    """Names the file that DuckDB stumbled over, where its words tell which; repeats no content."""
    told = str(error)
    # Of an object they may have the server's own address.
    path = next((file.path for file in files if file.path.split("://")[-1] in told), files[0].path)
    if is_object(path) and (of_store := not_read(path, error)):
        return of_store
    words = told.replace(path, "it").splitlines()[0]
    for pattern, left in _NOT_SAID.items():
        words = re.sub(pattern, left, words)
    return unreadable(path, shortened(words.rstrip(" .!")))


def days_inside(file: ExportFile) -> list[date]:
    """The days of a file whose name tells none. Raises DayError where it cannot be read."""
    with quiet(duckdb.connect(":memory:")) as connection:
        columns_of(connection, [file])
        try:
            found = connection.execute(
                "SELECT DISTINCT day FROM (SELECT CAST(event_date AS VARCHAR) AS day "
                f"FROM {relation([file])}) WHERE regexp_matches(day, '^[0-9]{{8}}$') ORDER BY 1"
            ).fetchall()
        except duckdb.Error as error:
            raise broken([file], error) from error
    days = []
    for (text,) in found:
        with suppress(ValueError):
            days.append(datetime.strptime(text, "%Y%m%d").date())
    if not days:
        raise _no_export(file, "has no row with an event_date")
    return days
