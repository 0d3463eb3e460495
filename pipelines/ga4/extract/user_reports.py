"""Users of whole windows. Users are never added up: every window, event and device by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from pipelines.ga4.report_spec import ALL, Part, ReportSpec, snake_case


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
        user_rows(_told(answer.rows), ask.spec, part, windows)
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


def _asked_for(windows: Sequence[Period]) -> dict[tuple[date, date], Period]:
    """Different days only: on a Sunday the week is the same as the last 7 days."""
    asked: dict[tuple[date, date], Period] = {}
    for window in windows:
        asked.setdefault((window.start, window.end), window)
    return asked


def _told(rows: pa.Table) -> Callable[[Period], pa.Table]:
    """The rows of one of the windows that an answer is about."""

    def told(window: Period) -> pa.Table:
        return rows.filter(pc.equal(rows["window_name"], window.name))

    return told


def user_rows(
    told: Callable[[Period], pa.Table],
    spec: ReportSpec,
    part: Part,
    windows: Sequence[Period],
) -> pa.Table:
    """The rows of every window, with `(all)` in the columns that were not asked for.

    `told`: the part's fields and metrics of a window; windows of the same days are told once.
    """
    asked, known = _asked_for(windows), dict[str, pa.Table]()
    tables = []
    for window in windows:
        same = asked[window.start, window.end]
        if same.name not in known:
            known[same.name] = _set_apart(told(same), spec, part)
        tables.append(in_window(known[same.name], window).select(spec.own_columns))
    return pa.concat_tables(tables)


def _set_apart(rows: pa.Table, spec: ReportSpec, part: Part) -> pa.Table:
    """What visitors sent, apart from our `(all)`; and `(all)` where nothing was asked for."""
    for dimension in spec.dimensions:
        column = snake_case(dimension)
        if dimension in part.without:
            rows = rows.append_column(column, repeated(ALL, rows.num_rows))
        else:
            place = rows.schema.get_field_index(column)
            chunks = [each_text(one, partial(apart_from, ALL)) for one in rows[column].chunks]
            rows = rows.set_column(place, column, pa.chunked_array(chunks, TEXT))
    return rows
