"""What is in tables of the build database: how many rows, and which columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

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
    columns: dict[Relation, dict[str, str]] = {relation: {} for relation in wanted}
    with build_database(build_db) as connection:
        for schema, table, name, kind in connection.execute(
            "select schema_name, table_name, column_name, data_type from duckdb_columns() "
            "where database_name = current_database() order by column_index"
        ).fetchall():
            if (schema, table) in columns:
                columns[schema, table][name] = kind
        rows = connection.execute(counts).fetchall()
    return {(schema, table): TableFacts(n, columns[schema, table]) for schema, table, n in rows}
