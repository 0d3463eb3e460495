"""The events of one date range as arrays, ready to be walked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
    cursor: duckdb.DuckDBPyConnection, request: FunnelRequest, dates: DateRange
) -> Events:
    """Runs the query of one date range; ApiError for a regular expression that is none."""
    query = _query(request, dates)
    try:
        table = cursor.execute(query.sql, query.parameters).to_arrow_table()
    except duckdb.InvalidInputException as error:
        reason = str(error).removeprefix("Invalid Input Error: ")
        raise invalid_argument(f"Invalid regular expression: {reason}") from error
    users = _numbers(table, "user_id")
    numbered = np.zeros(len(users), dtype=np.int64)
    numbered[1:] = np.cumsum(users[1:] != users[:-1])
    return Events(
        users=numbered,
        moments=_numbers(table, "moment"),
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


def _query(request: FunnelRequest, dates: DateRange) -> Condition:
    flags = [f"({step.condition.sql}) AS step_{i}" for i, step in enumerate(request.steps)]
    texts = [f"{sql} AS {name}" for name, sql in _texts(request).items()]
    columns = ", ".join(("user_id", "moment", "hit_id", *flags, *texts))
    any_step = " OR ".join(f"step_{i}" for i in range(len(request.steps)))
    kept = "true" if request.needs_all_events else any_step
    return Condition(
        f"SELECT * FROM (SELECT {columns} FROM hits WHERE event_date BETWEEN ? AND ? "
        f"AND ({request.where.sql})) WHERE {kept} ORDER BY user_id, moment, hit_id",
        (
            *(value for step in request.steps for value in step.condition.parameters),
            dates.start,
            dates.end,
            *request.where.parameters,
        ),
    )


def _numbers(table: pa.Table, column: str) -> Any:
    return table[column].to_numpy()
