"""Rows of a property that lie in some partitions: such as its days, or a day and a window."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa


def count_rows(
    connection: duckdb.DuckDBPyConnection, table: str, property_id: str, parts: pa.Table
) -> int:
    """How many rows of `table` are in one of the partitions; a column of `parts` is one of its."""
    (count,) = connection.execute(
        f"select count(*) from {table} where {_is_in_parts(parts)}", _named(property_id, parts)
    ).fetchone() or (0,)
    return int(count)


def delete_rows(
    connection: duckdb.DuckDBPyConnection, table: str, property_id: str, parts: pa.Table
) -> None:
    """Delete those rows."""
    connection.execute(
        f"delete from {table} where {_is_in_parts(parts)}", _named(property_id, parts)
    )


def _is_in_parts(parts: pa.Table) -> str:
    """SQL: a row is of the property, and lies in one of the partitions."""
    names = parts.column_names
    listed = ", ".join(f"unnest(${name})" for name in names)
    return f"property_id = $property_id and ({', '.join(names)}) in (select {listed})"


def _named(property_id: str, parts: pa.Table) -> dict[str, Any]:
    """The values of that SQL: partitions are few, and need no table of their own."""
    return {**parts.to_pydict(), "property_id": property_id}
