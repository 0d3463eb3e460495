"""Makes the tables that the pipeline itself writes: those of `ops` (ops_tables), and raw ones.

Raw tables take their columns from their `ReportSpec`; everything below is dbt's.
"""

from collections.abc import Mapping

import duckdb

from pipelines.warehouse.ops_tables import TABLES
from pipelines.warehouse.transactions import transaction

# Table → column → type.
OPS_TABLES: dict[str, dict[str, str]] = {
    name: {column: kind for column, (kind, _) in table.columns.items()}
    for name, table in TABLES.items()
}


def make_tables(
    connection: duckdb.DuckDBPyConnection, schema: str, tables: Mapping[str, Mapping[str, str]]
) -> None:
    """Create a schema's tables (name → column → type), and the columns that older ones lack: all or
    none of them.
    """
    there: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = ?", [schema]
    ).fetchall():
        there.setdefault(table, set()).add(column)
    # One by one they took twice as long: each went to the disk by itself.
    with transaction(connection):
        connection.execute(f"create schema if not exists {schema}")
        for table, columns in tables.items():
            if table not in there:
                body = ", ".join(f"{name} {kind}" for name, kind in columns.items())
                connection.execute(f"create table {schema}.{table} ({body})")
            for name, kind in columns.items():
                if name not in there.get(table, columns):
                    bare = kind.removesuffix(" PRIMARY KEY").removesuffix(" NOT NULL")
                    connection.execute(f"alter table {schema}.{table} add column {name} {bare}")
