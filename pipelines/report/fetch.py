"""Rows of a query as frozen classes."""

from __future__ import annotations

from dataclasses import fields
from math import isfinite
from typing import Any, TypeVar

import duckdb

Row = TypeVar("Row")


def fetch(
    connection: duckdb.DuckDBPyConnection,
    kind: type[Row],
    query: str,
    parameters: dict[str, Any] | None = None,
) -> tuple[Row, ...]:
    """The rows of `query` as `kind`, whose fields are the query's columns in any order.

    NaN and infinities come as None: there is no number to show.
    """
    cursor = connection.execute(query, parameters)
    names = [column[0] for column in cursor.description or ()]
    wanted = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if set(names) != wanted:
        raise TypeError(f"{kind.__name__}: {sorted(set(names) ^ wanted)} differ")
    return tuple(
        kind(**dict(zip(names, map(_shown, row), strict=True))) for row in cursor.fetchall()
    )


def _shown(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value
