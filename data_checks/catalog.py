"""What the build database holds: tables, their columns, segments, reports pulled. Reads only.

The suites are built from this, so that no raw table is written down twice: which tables exist
follows from the segments and the naming convention, which columns are keys from their types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from data_checks.model import Window

DEFAULT_SEGMENTS = ("all", "device", "channel", "country", "visitor")
_NOT_MEASURED = frozenset({"property_id", "date", "pulled_at", "pull_id"})
_NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")


@dataclass(frozen=True)
class Catalog:
    """`columns`: `schema.table` → column → DuckDB type. `pulled`: reports that hold rows.

    `segments`: names in the order of the segments seed, or the default before it is loaded.
    `top_segments`: those of which only the values with most sessions are pulled.
    `fetched`: raw tables that a second source has filled for one of the properties.
    """

    columns: Mapping[str, Mapping[str, str]]
    segments: tuple[str, ...] = DEFAULT_SEGMENTS
    top_segments: frozenset[str] = frozenset()
    pulled: frozenset[str] = frozenset()
    fetched: frozenset[str] = frozenset()

    def has(self, table_name: str) -> bool:
        """Whether `schema.table` exists."""
        return table_name in self.columns

    def reports(self) -> tuple[str, ...]:
        """Reports that have a raw table (`raw.ga4_<report>`), in name order."""
        prefix = "raw.ga4_"
        return tuple(sorted(t.removeprefix(prefix) for t in self.columns if t.startswith(prefix)))

    @property
    def whole_segments(self) -> tuple[str, ...]:
        """Segments whose values add up to the whole property."""
        return tuple(name for name in self.segments if name not in self.top_segments)

    def dimensions(self, table_name: str) -> tuple[str, ...]:
        """Key columns of a raw table beside property and date: its text columns."""
        return self._of_types(table_name, ("VARCHAR",))

    def metrics(self, table_name: str) -> tuple[str, ...]:
        """Number columns of a raw table."""
        return self._of_types(table_name, _NUMERIC)

    def _of_types(self, table_name: str, types: tuple[str, ...]) -> tuple[str, ...]:
        columns = self.columns.get(table_name, {})
        return tuple(
            name
            for name, kind in columns.items()
            if name not in _NOT_MEASURED and kind.upper().startswith(types)
        )


def read_catalog(
    connection: duckdb.DuckDBPyConnection, window: Window, properties: Sequence[str]
) -> Catalog:
    """The catalog as the checks of `window` and `properties` need it."""
    rows = connection.execute(
        "select table_schema || '.' || table_name, column_name, data_type"
        " from information_schema.columns where table_catalog = current_database()"
        " order by table_schema, table_name, ordinal_position"
    ).fetchall()
    columns: dict[str, dict[str, str]] = {}
    for table_name, column, kind in rows:
        columns.setdefault(table_name, {})[column] = kind
    segments = _segments(connection, columns)
    return Catalog(
        columns,
        tuple(segments) or DEFAULT_SEGMENTS,
        frozenset(name for name, is_partition in segments.items() if not is_partition),
        _pulled(connection, columns, window, properties),
        _fetched(connection, columns, properties),
    )


def _segments(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, Mapping[str, str]]
) -> dict[str, bool]:
    """Segment of the seed → whether its values add up; empty before the first seed run."""
    if not {"segment_name", "position", "is_partition"} <= columns.get("seeds.segments", {}).keys():
        return {}
    found = connection.execute(
        "select segment_name, is_partition from seeds.segments"
        " where segment_name is not null order by position"
    ).fetchall()
    return {name: is_partition is not False for name, is_partition in found}


def _pulled(
    connection: duckdb.DuckDBPyConnection,
    columns: Mapping[str, Mapping[str, str]],
    window: Window,
    properties: Sequence[str],
) -> frozenset[str]:
    """Reports of which a loaded pull of the window brought rows."""
    wanted = {"property_id", "report", "date", "status", "row_count"}
    if not wanted <= columns.get("ops.pulls", {}).keys():
        return frozenset()
    found = connection.execute(
        "select distinct report from ops.pulls where status = 'loaded' and row_count > 0"
        " and date between $start and $end"
        " and property_id in (select unnest($properties::varchar[]))",
        {"start": window.start, "end": window.end, "properties": list(properties)},
    ).fetchall()
    return frozenset(report for (report,) in found)


def _fetched(
    connection: duckdb.DuckDBPyConnection,
    columns: Mapping[str, Mapping[str, str]],
    properties: Sequence[str],
) -> frozenset[str]:
    """Raw tables with a fetch, also one that failed."""
    if "ops.fetches" not in columns:
        return frozenset()
    found = connection.execute(
        "select distinct 'raw.' || table_name from ops.fetches"
        " where property_id in (select unnest($properties::varchar[]))",
        {"properties": list(properties)},
    ).fetchall()
    return frozenset(table for (table,) in found)
