"""What is in an export's files, at a glance: for the doctor, before anything is landed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb

from pipelines.export.errors import DayError
from pipelines.export.files import ExportFile
from pipelines.export.flat import order_id, parameter
from pipelines.export.reading import broken, by_format, columns_of, relation
from pipelines.warehouse.connect import quiet

# Columns that newer exports have, and what is not known without them.
OPTIONAL = {
    "session_traffic_source_last_click": "channels come from source, medium and campaign instead",
    "is_active_user": "active users are told by their engagement instead",
    "items": "there are no products and lists",
}


@dataclass
class Survey:
    """Rows of files, by event name: events, sessions and orders; and what is lacking.

    `parameters`: event parameter → rows that carry it. `missing`: columns of `OPTIONAL` that no
    file has.
    """

    rows: int = 0
    without_user: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    sessions: Counter[str] = field(default_factory=Counter)
    orders: Counter[str] = field(default_factory=Counter)
    parameters: Counter[str] = field(default_factory=Counter)
    missing: set[str] = field(default_factory=lambda: set(OPTIONAL))


def survey(files: Sequence[ExportFile], parameters: Sequence[str]) -> Survey:
    """Read event names, sessions and the named parameters of `files`; raises DayError."""
    found = Survey()
    with quiet(duckdb.connect(":memory:")) as connection:
        for group in by_format(files):
            columns = columns_of(connection, group)
            found.missing -= {name for name in OPTIONAL if columns.has(name)}
            names, texts = columns.parameters()
            carried = ", ".join(f"count({parameter(name)})" for name in parameters)
            order = order_id(columns)
            try:
                rows = connection.execute(
                    f"""
SELECT event_name, count(*), count(*) - count(user_pseudo_id),
    count(DISTINCT (user_pseudo_id, {parameter("ga_session_id")}))
        FILTER (user_pseudo_id IS NOT NULL AND {parameter("ga_session_id")} IS NOT NULL),
    count(DISTINCT {order}) FILTER (event_name = 'purchase') {"," if parameters else ""} {carried}
FROM (SELECT *, {names} AS param_names, {texts} AS param_texts FROM {relation(group)})
WHERE event_name IS NOT NULL GROUP BY event_name
"""
                ).fetchall()
            except duckdb.Error as error:
                raise broken(group, error) from error
            for name, count, without_user, sessions, orders, *carrying in rows:
                found.rows += count
                found.without_user += without_user
                found.counts[name] += count
                found.sessions[name] += sessions
                found.orders[name] += orders
                found.parameters.update(dict(zip(parameters, carrying, strict=True)))
    if not found.rows:
        raise DayError(
            f"The export file {files[0].path} holds no event: it is not a GA4 export in "
            "BigQuery's schema, or empty; write it anew from BigQuery."
        )
    return found
