"""What is in tables of the build database: how many rows, and which columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.sql_text import identifier, literal
from pipelines.warehouse.connect import build_database

Relation = tuple[str, str]


@dataclass(frozen=True)
class TableFacts:
    """Rows, and column → DuckDB type in the table's order."""

    rows: int
    columns: dict[str, str]


def table_facts(build_db: Path, relations: Iterable[Relation]) -> dict[Relation, TableFacts]:
    """(schema, table or view) → its facts; one query for all rows, one for all columns."""
    wanted = sorted(set(relations))
    if not wanted:
        return {}
    counts = " union all ".join(
        f"select {literal(schema)}, {literal(table)}, count(*) "
        f"from {identifier(schema)}.{identifier(table)}"
        for schema, table in wanted
    )
    with build_database(build_db) as connection:
        columns = table_columns(connection)
        rows = connection.execute(counts).fetchall()
    return {(schema, table): TableFacts(n, columns[schema, table]) for schema, table, n in rows}


def table_columns(connection: duckdb.DuckDBPyConnection) -> dict[Relation, dict[str, str]]:
    """(schema, table or view) → column → DuckDB type, in the table's order."""
    found: dict[Relation, dict[str, str]] = {}
    for schema, table, column, kind in connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where database_name = current_database() order by column_index"
    ).fetchall():
        found.setdefault((schema, table), {})[column] = kind
    return found
