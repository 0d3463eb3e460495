"""Inserts into the `ops` tables; every writer of the pipeline's memory uses this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.warehouse.schema import OPS_TABLES


def insert_rows(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[dict[str, Any]]
) -> None:
    """Append `rows` (equal keys, all of them columns of `ops.<table>`); nothing for no rows.

    Columns travel as parameters: of the few rows of a pull a quarter of what an Arrow table takes.
    """
    if not rows:
        return
    names = [name for name in OPS_TABLES[table] if name in rows[0]]
    connection.execute(
        f"insert into ops.{table} ({', '.join(names)}) "
        f"select {', '.join('unnest(?)' for _ in names)}",
        [[row[name] for row in rows] for name in names],
    )


def insert_table(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    """Append many rows; as `insert_rows`."""
    if not rows.num_rows:
        return
    names = ", ".join(name for name in OPS_TABLES[table] if name in rows.column_names)
    connection.register("ops_rows", rows)
    connection.execute(f"insert into ops.{table} ({names}) select {names} from ops_rows")
    connection.unregister("ops_rows")
