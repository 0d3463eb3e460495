"""The events of date ranges as arrays, ready to be walked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa

from pipelines.emulator.server.dates import DateRange
from pipelines.emulator.server.errors import invalid_argument
from pipelines.emulator.server.filters import Condition
from pipelines.emulator.server.funnel.request import FunnelRequest
from pipelines.emulator.server.funnel.walk import Flags, Places


@dataclass(frozen=True)
class Events:
    """Events of users, sorted by user and time; `users` are numbered from 0.

    `breakdown`, `action` and `date` hold one text per event, and are there when asked for.
    """

    users: Places
    moments: Places
    matches: tuple[Flags, ...]
    texts: dict[str, pa.DictionaryArray]


def read_events(
    cursor: duckdb.DuckDBPyConnection, hits: str, request: FunnelRequest
) -> Iterator[tuple[DateRange, Events]]:
    """The events of every date range, read at once: a query takes longer to be planned than to
    read a day. ApiError for a regular expression that is none.
    """
    query = _query(request, hits)
    try:
        table = cursor.execute(query.sql, query.parameters).to_arrow_table()
    except duckdb.InvalidInputException as error:
        reason = str(error).removeprefix("Invalid Input Error: ")
        raise invalid_argument(f"Invalid regular expression: {reason}") from error
    numbers = table["date_range"].to_numpy()
    bounds = np.searchsorted(numbers, range(len(request.date_ranges) + 1)).tolist()
    for dates, (start, end) in zip(request.date_ranges, pairwise(bounds), strict=True):
        yield dates, _events(request, table.slice(start, end - start))


def _events(request: FunnelRequest, table: pa.Table) -> Events:
    users = table["user_id"].to_numpy()
    numbered = np.zeros(len(users), dtype=np.int64)
    numbered[1:] = np.cumsum(users[1:] != users[:-1])
    return Events(
        users=numbered,
        moments=table["moment"].to_numpy(),
        matches=tuple(
            table[f"step_{index}"].to_numpy().astype(bool) for index in range(len(request.steps))
        ),
        texts={name: table[name].combine_chunks().dictionary_encode() for name in _texts(request)},
    )


def _texts(request: FunnelRequest) -> dict[str, str]:
    """Name → SQL of the texts that the request needs of each event."""
    texts = {}
    if request.breakdown:
        texts["breakdown"] = request.breakdown.dimension.sql
    if request.next_action:
        texts["action"] = request.next_action.dimension.sql
    if request.is_trended:
        texts["date"] = "date_text"
    return texts


def _query(request: FunnelRequest, hits: str) -> Condition:
    flags = [f"({step.condition.sql}) AS step_{i}" for i, step in enumerate(request.steps)]
    texts = [f"{sql} AS {name}" for name, sql in _texts(request).items()]
    columns = ", ".join(("date_range", "user_id", "moment", "hit_id", *flags, *texts))
    any_step = " OR ".join(f"step_{i}" for i in range(len(request.steps)))
    kept = "true" if request.needs_all_events else any_step
    ranges = ", ".join("(?, ?, ?)" for _ in request.date_ranges)
    bounds = [(i, dates.start, dates.end) for i, dates in enumerate(request.date_ranges)]
    return Condition(
        f"SELECT * FROM (SELECT {columns} FROM {hits} "
        f"JOIN (VALUES {ranges}) AS ranges (date_range, first_day, last_day) "
        "ON event_date BETWEEN first_day AND last_day "
        f"WHERE event_date BETWEEN ? AND ? AND ({request.where.sql})) "
        f"WHERE {kept} ORDER BY date_range, user_id, moment, hit_id",
        (
            *(value for step in request.steps for value in step.condition.parameters),
            *(value for bound in bounds for value in bound),
            min(dates.start for dates in request.date_ranges),
            max(dates.end for dates in request.date_ranges),
            *request.where.parameters,
        ),
    )
