"""Rows of a property that lie in some partitions: such as its days, or a day and a window."""

from __future__ import annotations

import duckdb
import pyarrow as pa


def count_rows(
    connection: duckdb.DuckDBPyConnection, table: str, property_id: str, parts: pa.Table
) -> int:
    """How many rows of `table` are in one of the partitions; a column of `parts` is one of its."""
    connection.register("parts", parts)
    (count,) = connection.execute(
        f"select count(*) from {table} as stored semi join parts as part "
        f"on {_is_in_part(parts)} where stored.property_id = ?",
        [property_id],
    ).fetchone() or (0,)
    connection.unregister("parts")
    return int(count)


def delete_rows(
    connection: duckdb.DuckDBPyConnection, table: str, property_id: str, parts: pa.Table
) -> None:
    """Delete those rows."""
    connection.register("parts", parts)
    connection.execute(
        f"delete from {table} as stored using parts as part "
        f"where stored.property_id = ? and {_is_in_part(parts)}",
        [property_id],
    )
    connection.unregister("parts")


def _is_in_part(parts: pa.Table) -> str:
    """SQL: a row of `stored` lies in the partition `part`."""
    return " and ".join(f"stored.{name} = part.{name}" for name in parts.column_names)
