"""The database of a version: a copy of the version before, brought to today's rows.

Publishing so costs what changed and not what is stored. Where the version before cannot be used,
everything is written whole, which gives the same rows; both take them from `rows_to_publish`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from pipelines.publishing.changed_rows import is_daily, replace_changed_days, replace_if_changed
from pipelines.publishing.next_version import (
    OWN,
    PUBLISHED_SCHEMAS,
    Catalogue,
    beside_build,
    read_catalogue,
    rows_to_publish,
    tables_to_publish,
)
from pipelines.publishing.parquet_files import write_parquet
from pipelines.publishing.publication import Publication
from pipelines.publishing.versions import DATABASE, Version, current_version
from pipelines.sql_text import identifier, literal
from pipelines.warehouse.ops_tables import ops_words
from pipelines.warehouse.transactions import transaction

# The mart that lists every table and column of the marts with its description.
DICTIONARY = "dim_column"
# The file is written whole again beyond so many times its size when it last was. One night's new
# rows stand beside the old ones, whose room the next night uses: a home with 30 small days stays
# at twice its size (eight nights), a large one far below.
MOST_GROWTH = 2.5
_WORDS = f"""
    select distinct 'marts', table_name, null, table_description from marts.{DICTIONARY}
    union all
    select 'marts', table_name, column_name, description from marts.{DICTIONARY}
"""
_COMMENTS = f"""
    select schema_name, table_name, null, comment
    from duckdb_tables() where database_name = '{OWN}'
    union all
    select schema_name, table_name, column_name, comment
    from duckdb_columns() where database_name = '{OWN}'
"""

# Name, parameters and body of the functions in the schema `marts` of databases.
_MACROS = """
    select database_name, function_name, parameters, macro_definition from duckdb_functions()
    where list_contains(?, database_name) and schema_name = 'marts' and function_type = 'macro'
"""


def write_database(publication: Publication, folder: Path) -> Version | None:
    """Write the database and the Parquet files of a version into `folder`.

    Returns the version that they were made from; None when they were written whole.
    """
    before = _copy_before(publication, folder)
    target = folder / DATABASE
    with beside_build(
        publication.build_db, target, publication.published_dir, publication.kept_back
    ) as connection:
        catalogue = read_catalogue(connection)
        with transaction(connection):
            _drop_what_went(connection)
            for schema, table in tables_to_publish(connection):
                changed = _write_table(connection, catalogue, schema, table, publication.kept_back)
                if publication.with_parquet and schema == "marts":
                    is_by_day = is_daily(catalogue["build", schema, table])
                    write_parquet(connection, table, folder, before, changed, is_by_day=is_by_day)
            _describe(connection)
            _bring_macros(connection)
            # The copy knows that its own run ended well; the build database learns it afterwards.
            connection.execute(
                "update ops.runs set status = ?, finished_at = ? where run_id = ?",
                [publication.status, publication.now, publication.run_id],
            )
        connection.execute(f"checkpoint {OWN}")
    return before


def _copy_before(publication: Publication, folder: Path) -> Version | None:
    """Begin as a copy of the version before; None, and no file, when it is of no use.

    That is when there is none, when it is of other code or damaged, or when its file has grown
    too much beyond its rows.
    """
    before = current_version(publication.published_dir)
    if before is None or before.manifest["code_version"] != publication.code_version:
        return None
    compact = before.manifest.get("compact_bytes", 0)
    if before.manifest["files"][DATABASE]["bytes"] > MOST_GROWTH * compact:
        return None
    if not (before.path / DATABASE).is_file():
        return None
    # A copy needs no lock, and its checksum says whether it is what was published.
    copy = folder / DATABASE
    shutil.copyfile(before.path / DATABASE, copy)
    if before.has(DATABASE, copy):
        return before
    copy.unlink()
    return None


def _drop_what_went(connection: duckdb.DuckDBPyConnection) -> None:
    for schema in PUBLISHED_SCHEMAS:
        connection.execute(f"create schema if not exists {schema}")
    for schema, table in set(tables_to_publish(connection, OWN)) - set(
        tables_to_publish(connection)
    ):
        connection.execute(f"drop table {schema}.{table}")


def _write_table(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    schema: str,
    table: str,
    kept_back: tuple[str, ...],
) -> set[str | None] | None:
    """Bring a table to its rows; the months that changed, None where all of it was written."""
    name = f"{schema}.{table}"
    rows = rows_to_publish(catalogue, schema, table, kept_back)
    columns = catalogue["build", schema, table]
    old = catalogue.get((OWN, schema, table), {})
    if list(columns.items()) != list(old.items()):
        connection.execute(f"create or replace table {name} as {rows} order by all")
        return None
    if is_daily(columns):
        return replace_changed_days(connection, name, rows)
    return None if replace_if_changed(connection, name, rows) else set()


def _describe(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the dictionary's words, and those of `ops`, the comments of tables and columns."""
    wanted = {("ops", table, column): words for table, column, words in ops_words()}
    if ("marts", DICTIONARY) in tables_to_publish(connection):
        rows = connection.execute(_WORDS).fetchall()
        wanted |= {(schema, table, column): words for schema, table, column, words in rows}
    for schema, table, column, present in connection.execute(_COMMENTS).fetchall():
        words = wanted.get((schema, table, column))
        if words != present:
            kind, target = ("column", f".{identifier(column)}") if column else ("table", "")
            comment = "null" if words is None else literal(words)
            connection.execute(f"comment on {kind} {schema}.{table}{target} is {comment}")


def _bring_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Give readers the functions that stand beside the marts (dbt_project/macros/readers.sql)."""
    found: dict[str, dict[str, str]] = {OWN: {}, "build": {}}
    for database, name, parameters, body in connection.execute(_MACROS, [list(found)]).fetchall():
        found[database][name] = f"({', '.join(parameters)}) as {body}"
    there, wanted = found[OWN], found["build"]
    for name in there.keys() - wanted.keys():
        connection.execute(f"drop macro marts.{name}")
    for name, definition in wanted.items():
        if there.get(name) != definition:
            connection.execute(f"create or replace macro marts.{name}{definition}")
