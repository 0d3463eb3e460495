"""Runs a checked `FunnelRequest` on a store and writes the `RunFunnelReportResponse`.

With the oddities of a recorded answer (docs/ga4.md): the table's metric headers twice and values
once, fractions under TYPE_INTEGER, numbered step names, no row for a step that nobody reached.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.analytics.data_v1alpha import types as alpha

from pipelines.emulator.server.admission import Call
from pipelines.emulator.server.funnel.counts import (
    TOTAL,
    Count,
    table_counts,
    visible_counts,
    walk_events,
)
from pipelines.emulator.server.funnel.events import read_events
from pipelines.emulator.server.funnel.request import FunnelRequest
from pipelines.emulator.server.making import Making
from pipelines.emulator.server.validate import DATE_RANGE
from pipelines.emulator.server.wire import format_metric

RunFunnelReportResponse = alpha.RunFunnelReportResponse.pb()
DimensionHeader = alpha.DimensionHeader.pb()
MetricHeader = alpha.MetricHeader.pb()
Row = alpha.Row.pb()
_INTEGER = alpha.MetricType.TYPE_INTEGER
_TABLE_METRICS = (
    "activeUsers",
    "funnelStepCompletionRate",
    "funnelStepAbandonments",
    "funnelStepAbandonmentRate",
)


def run_funnel_report(call: Call, request: FunnelRequest) -> Any:
    """The raw response, still without a property quota; ApiError for a bad expression."""
    table: list[Count] = []
    visible: list[Count] = []
    for dates, events in read_events(call.cursor, call.hits, request):
        steps = walk_events(request, events)
        table += table_counts(events, steps, dates.name)
        visible += visible_counts(request, events, steps, dates.name)
    made = call.effects.making
    response = RunFunnelReportResponse(kind="analyticsData#runFunnelReport")
    _write_table(response.funnel_table, request, table, made)
    _write_visualization(response.funnel_visualization, request, visible, made)
    return response


def _write_table(report: Any, request: FunnelRequest, counts: list[Count], made: Making) -> None:
    """The breakdown's values are those with most users in the first step they are found in."""
    split = request.breakdown
    name = split.dimension.api_name if split else ""
    _write_headers(report, request, name, (*_TABLE_METRICS, *_TABLE_METRICS))
    first = min((one.step for one in counts if one.value != TOTAL and one.users), default=0)
    ranked = _ranked((one for one in counts if one.step == first), split.limit if split else 0)
    rows = _ordered(counts, dict.fromkeys(range(len(request.steps)), ranked), request)
    last = len(request.steps) - 1
    for one in rows[: request.limit]:
        lost = 0 if one.step == last else one.users - one.went_on
        row = _row_text(request, one, name)
        users, left = made.users_of(one.users, row), made.users_of(lost, f"{row} lost")
        numbers = (users, one.went_on / one.users, left, lost / one.users)
        _write_row(report, request, one, numbers, has_split=bool(split))


def _write_visualization(
    report: Any, request: FunnelRequest, counts: list[Count], made: Making
) -> None:
    """Active users only; next actions are ranked within each step, dates stay in their order."""
    action = request.next_action
    name = "date" if request.is_trended else "funnelStepNextAction" if action else ""
    _write_headers(report, request, name, ("activeUsers",))
    by_step: dict[int, dict[str, int]] = {}
    for step in range(len(request.steps)):
        own = [one for one in counts if one.step == step]
        if request.is_trended:
            by_step[step] = {value: int(value) for value in {one.value for one in own}}
        else:
            by_step[step] = _ranked(own, action.limit if action else 0)
    for one in _ordered(counts, by_step, request)[: request.limit]:
        users = made.users_of(one.users, _row_text(request, one, name))
        _write_row(report, request, one, (users,), has_split=bool(name))


def _row_text(request: FunnelRequest, one: Count, split: str) -> str:
    """What tells a row from those of all other funnels, dates and splits."""
    (dates,) = (dates for dates in request.date_ranges if dates.name == one.range_name)
    labels = [step.label for step in request.steps]
    return f"{labels} {one.step} {split} {one.value} {dates.start} {dates.end}"


def _ranked(counts: Iterable[Count], limit: int) -> dict[str, int]:
    """The `limit` values with most users, over all date ranges → their places."""
    found: Counter[str] = Counter()
    for one in counts:
        if one.value != TOTAL:
            found[one.value] += one.users
    best = sorted(found, key=lambda value: (-found[value], value))[:limit]
    return {value: place for place, value in enumerate(best)}


def _ordered(
    counts: Iterable[Count], places: Mapping[int, Mapping[str, int]], request: FunnelRequest
) -> list[Count]:
    """The rows to show: by step, its total first, then its values, then by date range."""
    ranges = [dates.name for dates in request.date_ranges]
    ranked = [
        (one.step, places[one.step].get(one.value, -1), ranges.index(one.range_name), one)
        for one in counts
        if one.users and (one.value == TOTAL or one.value in places[one.step])
    ]
    return [one for *_, one in sorted(ranked)]


def _write_headers(report: Any, request: FunnelRequest, split: str, metrics: Sequence[str]) -> None:
    names = ("funnelStepName", split, DATE_RANGE if len(request.date_ranges) > 1 else "")
    report.dimension_headers.extend(DimensionHeader(name=name) for name in names if name)
    report.metric_headers.extend(MetricHeader(name=name, type_=_INTEGER) for name in metrics)


def _write_row(
    report: Any, request: FunnelRequest, one: Count, numbers: Sequence[float], has_split: bool
) -> None:
    texts = [request.steps[one.step].label]
    if has_split:
        texts.append(one.value)
    if len(request.date_ranges) > 1:
        texts.append(one.range_name)
    report.rows.append(
        Row(
            dimension_values=[{"value": text} for text in texts],
            metric_values=[{"value": format_metric(number)} for number in numbers],
        )
    )
