"""Reports by day: one row per date and values of the dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ga4.api_errors import AuditError, RequestRefusedError
from pipelines.ga4.date_windows import Period, days_between, trailing
from pipelines.ga4.decode.audit import audited
from pipelines.ga4.decode.report_answer import repeated
from pipelines.ga4.extract.answer_pages import all_pages
from pipelines.ga4.extract.value_ranking import top_values
from pipelines.ga4.report_catalog import SESSIONS
from pipelines.ga4.report_query import Answer, Ask, Found, no_rows
from pipelines.ga4.report_request import report_request
from pipelines.ga4.report_spec import DATE, Part

RANKING_DAYS = 28


def pull_days(ask: Ask) -> Found:
    """Every day of the pull in one request per part.

    A report with `top` first asks for the values with most sessions in the 28 days up to the
    end. Rows whose date cannot be read are set aside. Raises AuditError and what the client
    raises, a refusal also where every part met one.
    """
    spec, known = ask.spec, ask.custom_dimensions
    asked = [part for part in spec.parts if known is None or part.parameters <= known]
    skipped = [part for part in spec.parts if part not in asked]
    among, ranking = _wanted_values(ask)
    if spec.top is not None and not among:
        asked = []
    answered, refused, notes = _answers(ask, asked, among)
    rows, quarantined = no_rows(spec), None
    if answered:
        table = pa.concat_tables(with_constants(one.rows, part) for part, one in answered)
        days = days_of(table[DATE])
        place = table.schema.get_field_index(DATE)
        rows = table.set_column(place, DATE, days)
        if days.null_count:
            rows, quarantined = rows.filter(days.is_valid()), table.filter(days.is_null())
    asked_days = days_between(ask.start, ask.end)
    return Found(
        rows,
        pa.table({DATE: pa.array(asked_days, pa.date32())}),
        (*ranking, *(answer for _, answer in answered)),
        quarantined,
        skipped=_names(skipped),
        refused=refused,
        notes=notes,
    )


def days_of(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """YYYYMMDD (`TEXT`) → date32; NULL for what is no real day (`20260231`, `(other)`)."""
    chunks = [_days(chunk.dictionary).take(chunk.indices) for chunk in texts.chunks]
    return pa.chunked_array(chunks, pa.date32())


def _days(texts: pa.Array) -> pa.Array:
    digits = pc.if_else(pc.match_substring_regex(texts, r"^\d{8}$"), texts, None)
    parsed = pc.strptime(digits, format="%Y%m%d", unit="s", error_is_null=True)
    # 31 February parses as a day of March.
    is_same = pc.equal(pc.strftime(parsed, format="%Y%m%d"), texts)
    return pc.if_else(is_same, pc.cast(parsed, pa.date32()), None)


def _wanted_values(ask: Ask) -> tuple[list[str], tuple[Answer, ...]]:
    if ask.spec.top is None:
        return [], ()
    period = trailing(RANKING_DAYS, ask.end)
    values, answer = top_values(ask, ask.spec.dimensions[-1], SESSIONS, period, top=ask.spec.top)
    return values, (answer,)


def _answers(
    ask: Ask, parts: Sequence[Part], among: list[str]
) -> tuple[list[tuple[Part, Answer]], tuple[str, ...], tuple[str, ...]]:
    """The parts with their answers, the names of those that are left out, and a note of them.

    Where nobody knows which event parameters are registered, GA4's refusal tells that one is not.
    """
    answered, refused = list[tuple[Part, Answer]](), list[tuple[Part, RequestRefusedError]]()
    for part in parts:
        try:
            answered.append((part, _part(ask, part, among)))
        except RequestRefusedError as error:
            if ask.custom_dimensions is not None or not part.parameters:
                raise
            refused.append((part, error))
    if not refused:
        return answered, (), ()
    if not answered:
        raise refused[0][1]
    names = _names([part for part, _ in refused])
    return answered, names, (f"{', '.join(names)} not at all ({refused[0][1]})",)


def _names(parts: Sequence[Part]) -> tuple[str, ...]:
    return tuple(name for part in parts for name in part.constants.values())


def _part(ask: Ask, part: Part, among: list[str]) -> Answer:
    period = Period("", ask.start, ask.end)
    request = report_request(ask.property_id, ask.spec, part, [period], among)

    def attempt() -> Answer:
        answer = all_pages(ask, request, ask.spec, part)
        _refuse_foreign_days(answer.rows, period)
        return answer

    return audited(ask, attempt)


def _refuse_foreign_days(rows: pa.Table, asked: Period) -> None:
    bounds = pc.min_max(days_of(rows[DATE])).as_py()
    first, last = bounds["min"], bounds["max"]
    if first is not None and (first < asked.start or last > asked.end):
        raise AuditError(f"The answer holds days from {first} to {last}.")


def with_constants(rows: pa.Table, part: Part) -> pa.Table:
    """The rows with the columns of their part that no answer carries, after the first one."""
    for name, value in reversed(part.constants.items()):
        rows = rows.add_column(1, name, repeated(value, rows.num_rows))
    return rows
