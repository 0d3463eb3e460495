"""Faults of dimensions and metrics: other SQL behind the same names, for one request."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import duckdb

from pipelines.emulator.server.errors import EmulatorError
from pipelines.emulator.server.faults.actions import Other, Rename
from pipelines.emulator.server.faults.book import Effects
from pipelines.emulator.server.faults.data import SESSION, quoted, share_of
from pipelines.emulator.server.fields import Catalogue, Dimension
from pipelines.emulator.server.metrics import INTEGER, Metric, metrics_by_name
from pipelines.emulator.server.tables import source

OTHER = "(other)"


def faulty_fields(
    cursor: duckdb.DuckDBPyConnection, hits: str, effects: Effects, fields: Catalogue
) -> Catalogue:
    """The catalogue as this request sees it. Raises EmulatorError for an unknown dimension."""
    dimensions, metrics = dict(fields.dimensions), dict(metrics_by_name(effects.making))
    for do in effects.dos:
        if do.rename:
            one = _found(dimensions, do.rename.dimension)
            dimensions[one.api_name] = _renamed(one, do.rename)
        if do.other and do.other.dimension:
            one = _found(dimensions, do.other.dimension)
            dimensions[one.api_name] = _rolled_up(cursor, hits, one, do.other)
        for name in do.restrict.metrics if do.restrict else ():
            if name in metrics:
                metrics[name] = _zero(metrics[name])
        for name in do.hide_fields:
            dimensions.pop(name, None)
            metrics.pop(name, None)
    return Catalogue(dimensions, metrics)


def _found(dimensions: dict[str, Dimension], name: str) -> Dimension:
    if name not in dimensions:
        raise EmulatorError(f"The faults name the dimension {name}, which is not there.")
    return dimensions[name]


def _renamed(one: Dimension, rename: Rename) -> Dimension:
    old, new = quoted(rename.old), quoted(rename.new)
    return replace(one, sql=f"CASE WHEN {one.sql} = {old} THEN {new} ELSE {one.sql} END")


def _rolled_up(
    cursor: duckdb.DuckDBPyConnection, hits: str, one: Dimension, other: Other
) -> Dimension:
    if other.share is not None:
        rolled = share_of(SESSION, other.share)
        return replace(one, sql=f"CASE WHEN {rolled} THEN '{OTHER}' ELSE {one.sql} END")
    rows: list[Any] = cursor.execute(
        f"SELECT {one.sql} FROM {source(one.scope == 'item', hits)} "
        "GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT ?",
        [other.keep],
    ).fetchall()
    kept = ", ".join(quoted(row[0]) for row in rows) or "NULL"
    return replace(one, sql=f"CASE WHEN {one.sql} IN ({kept}) THEN {one.sql} ELSE '{OTHER}' END")


def _zero(one: Metric) -> Metric:
    return replace(one, sql="0" if one.type == INTEGER else "0e0")
