"""Users of whole windows. Users are never added up: every window, event and device by itself."""

from __future__ import annotations

from datetime import date
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ga4.date_windows import (
    Period,
    in_window,
    newest_month,
    newest_week,
    trailing,
    window_partitions,
)
from pipelines.ga4.decode.audit import audited, refuse_foreign
from pipelines.ga4.decode.report_answer import TEXT, apart_from, each_text, repeated
from pipelines.ga4.extract.answer_pages import all_pages
from pipelines.ga4.report_query import Answer, Ask, Found
from pipelines.ga4.report_request import report_request
from pipelines.ga4.report_spec import ALL, Part, snake_case


def user_windows(end: date) -> tuple[Period, ...]:
    """7 and 28 days that end on `end`, and the newest week and month that are over by then."""
    return (trailing(7, end), trailing(28, end), newest_week(end), newest_month(end))


def pull_users(ask: Ask) -> Found:
    """The windows up to the pull's end, one request for each combination of dimensions.

    Raises AuditError and what the client raises.
    """
    windows = user_windows(ask.end)
    answers = tuple(_part(ask, part, windows) for part in ask.spec.parts)
    tables = [
        _rows(answer, ask, part, windows)
        for answer, part in zip(answers, ask.spec.parts, strict=True)
    ]
    return Found(pa.concat_tables(tables), window_partitions(windows), answers)


def _part(ask: Ask, part: Part, windows: tuple[Period, ...]) -> Answer:
    asked = tuple(_asked_for(windows).values())
    request = report_request(ask.property_id, ask.spec, part, asked)

    def attempt() -> Answer:
        answer = all_pages(ask, request, ask.spec, part)
        refuse_foreign(answer.rows["window_name"], [one.name for one in asked], "date range")
        return answer

    return audited(ask, attempt)


def _asked_for(windows: tuple[Period, ...]) -> dict[tuple[date, date], Period]:
    """Different days only: on a Sunday the week is the same as the last 7 days."""
    asked: dict[tuple[date, date], Period] = {}
    for window in windows:
        asked.setdefault((window.start, window.end), window)
    return asked


def _rows(answer: Answer, ask: Ask, part: Part, windows: tuple[Period, ...]) -> pa.Table:
    """The answer's rows for every window, with `(all)` in the columns that were not asked for."""
    asked = _asked_for(windows)
    told = answer.rows
    for column in (snake_case(name) for name in ask.spec.dimensions if name not in part.without):
        place = told.schema.get_field_index(column)
        chunks = [each_text(one, partial(apart_from, ALL)) for one in told[column].chunks]
        told = told.set_column(place, column, pa.chunked_array(chunks, TEXT))
    tables = []
    for window in windows:
        name = asked[window.start, window.end].name
        rows = told.filter(pc.equal(told["window_name"], name))
        for dimension in part.without:
            rows = rows.append_column(snake_case(dimension), repeated(ALL, rows.num_rows))
        tables.append(in_window(rows, window).select(ask.spec.own_columns))
    return pa.concat_tables(tables)
