"""Closed funnels of users through v1alpha, which may break any day: always optional."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from google.analytics.data_v1alpha import types as alpha

from pipelines.config.tracking_plan import Funnel, FunnelStep
from pipelines.ga4.api_errors import Ga4Error, RequestRefusedError
from pipelines.ga4.date_windows import Period, days_between, in_window, trailing, window_partitions
from pipelines.ga4.decode.audit import audited
from pipelines.ga4.decode.funnel_answer import (
    fill_steps,
    read_steps,
    refuse_growth,
    with_known_totals,
)
from pipelines.ga4.decode.report_answer import Flags, read_quota
from pipelines.ga4.extract.value_ranking import top_values
from pipelines.ga4.funnel_request import (
    DEVICE,
    MAX_DATE_RANGES,
    funnel_request,
    next_action_request,
    range_name,
)
from pipelines.ga4.report_query import Answer, Ask, Found, no_rows
from pipelines.ga4.report_request import fingerprint
from pipelines.ga4.report_spec import ALL, ALL_DEVICES, Metric, ReportSpec

WINDOW_DAYS = 28
NEXT_ACTION = "funnelStepNextAction"
EVENT_COUNT = Metric("eventCount")


def pull_funnels(ask: Ask) -> Found:
    """Every funnel of the spec for the 28 days up to the end, and (no lift funnel) day by day.

    An event that was not sent in these 28 days is no step: an optional step is left out of its
    funnel, and a lift funnel that needs it is not asked for. Which steps the days were asked for
    is the version of the pull; where nobody could say what was sent, the spec's. Raises AuditError,
    what the client raises, and RequestRefusedError when every funnel is refused; one of several is
    only noted.
    """
    window = trailing(WINDOW_DAYS, ask.end)
    seen, answers = _events_seen(ask, window)
    days = days_between(ask.start, ask.end)

    def count(
        funnel: Funnel, steps: Sequence[FunnelStep], periods: Sequence[Period]
    ) -> Iterator[Answer]:
        return (_answer(ask, funnel, steps, some) for some in _chunks(periods))

    return found_funnels(ask.spec, window, days, seen, count, answers)


def found_funnels(
    spec: ReportSpec,
    window: Period,
    asked: Sequence[date],
    seen: set[str] | None,
    count: Callable[[Funnel, Sequence[FunnelStep], Sequence[Period]], Iterable[Answer]],
    before: Sequence[Answer] = (),
) -> Found:
    """Every funnel of `spec`, as `count` tells its steps over periods: `window` and `asked` days.

    `seen`: events of the window, None where nobody knows; `before`: answers that told it.
    """
    days = [trailing(1, day) for day in asked]
    answers, notes, refused = list(before), list[str](), list[RequestRefusedError]()
    by_day: dict[str, list[FunnelStep]] = {}
    for funnel in spec.funnels:
        steps, left_out = _tracked(funnel, seen)
        if left_out:
            notes.append(f"{funnel.name} without {', '.join(left_out)} (no such event)")
        if left_out and funnel.is_lift:
            continue
        if not funnel.is_lift:
            by_day[funnel.name] = steps
        try:
            answers += count(funnel, steps, (window,) if funnel.is_lift else (window, *days))
        except RequestRefusedError as error:
            refused.append(error)
            notes.append(f"{funnel.name} not at all ({error})")
    if refused and not any("funnel" in answer.rows.column_names for answer in answers):
        raise refused[0]
    version = None if seen is None else _version(by_day)
    return _found(spec, answers, (window, *days), notes, version)


def pull_next_actions(ask: Ask) -> Found:
    """What users did after each step of the spec's funnels, over the 28 days up to the end.

    The row `(all)` has all users of the step. Raises AuditError and what the client raises.
    """
    window = trailing(WINDOW_DAYS, ask.end)
    answers = [_actions(ask, funnel, window) for funnel in ask.spec.funnels]
    return _found(ask.spec, answers, (window,), [])


def _found(
    spec: ReportSpec,
    answers: Sequence[Answer],
    periods: Sequence[Period],
    notes: Sequence[str],
    version: int | None = None,
) -> Found:
    schema = no_rows(spec).schema
    tables = [_with_nulls(one.rows, schema) for one in answers if "funnel" in one.rows.column_names]
    rows = pa.concat_tables([no_rows(spec), *tables])
    return Found(
        rows, window_partitions(periods), tuple(answers), notes=tuple(notes), version=version
    )


def _with_nulls(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of a schema; those that GA4 does not tell are empty."""
    return pa.table(
        [
            rows[field.name]
            if field.name in rows.column_names
            else pa.nulls(rows.num_rows, field.type)
            for field in schema
        ],
        schema=schema,
    )


def _events_seen(ask: Ask, window: Period) -> tuple[set[str] | None, list[Answer]]:
    """Events of the steps, as far as they were sent in `window`; not asked where none may lack.

    None where GA4 left out events, or may have: one without a row may have been sent. Raises
    Ga4Error where it reports none at all: that proves no step to be untracked, and funnels without
    their steps must not take the place of those that are stored.
    """
    steps = [(funnel, step) for funnel in ask.spec.funnels for step in funnel.steps]
    if not any(step.is_optional or funnel.is_lift for funnel, step in steps):
        return set(), []
    wanted = event_names(ask.spec)
    values, answer = top_values(ask, "eventName", EVENT_COUNT, window, among=wanted)
    if not answer.is_exhaustive:
        return None, [answer]
    if not values:
        raise Ga4Error(
            f"GA4 reports none of the funnels' events of property {ask.property_id} from "
            f"{window.start} to {window.end}, so {ask.what} was not asked for; what was loaded "
            "before stays."
        )
    return set(values), [answer]


def event_names(spec: ReportSpec) -> list[str]:
    """The events of all steps of a spec's funnels, in the order of their names."""
    micros = (step.micro_conversion for funnel in spec.funnels for step in funnel.steps)
    return sorted({name for micro in micros if micro for name in micro.event_names})


def _tracked(funnel: Funnel, seen: set[str] | None) -> tuple[list[FunnelStep], list[str]]:
    """The steps to ask for, and the keys of those whose events nobody sends (`_events_seen`)."""
    steps, left_out = list[FunnelStep](), list[str]()
    for step in funnel.steps:
        names = step.micro_conversion.event_names if step.micro_conversion else ()
        may_lack = step.is_optional or funnel.is_lift
        if may_lack and seen is not None and seen.isdisjoint(names):
            left_out.append(step.key)
        else:
            steps.append(step)
    return steps, left_out


def _version(funnels: dict[str, list[FunnelStep]]) -> int:
    """A number that changes with the steps of the funnels that are asked for day by day."""
    meanings = [
        (name, step.number, step.key, micro and (micro.event_names, micro.conditions))
        for name, steps in funnels.items()
        for step in steps
        for micro in (step.micro_conversion,)
    ]
    return zlib.crc32(repr(meanings).encode()) >> 1


def _chunks(periods: Sequence[Period]) -> Iterator[Sequence[Period]]:
    for start in range(0, len(periods), MAX_DATE_RANGES):
        yield periods[start : start + MAX_DATE_RANGES]


def _answer(
    ask: Ask, funnel: Funnel, steps: Sequence[FunnelStep], periods: Sequence[Period]
) -> Answer:
    names = [range_name(period) for period in periods]

    def read(message: Any) -> pa.Table:
        found = read_steps(message.funnel_table, DEVICE, names, len(steps), ask.spec.name)
        filled = fill_steps(found, len(steps))
        if not message.funnel_table.metadata.sampling_metadatas:
            refuse_growth(filled)
        return _named(filled, funnel, steps, periods, "device_category")

    return ask_funnel(ask, funnel_request(ask.property_id, steps, periods), read)


def _actions(ask: Ask, funnel: Funnel, window: Period) -> Answer:
    def read(message: Any) -> pa.Table:
        report, names = message.funnel_visualization, [range_name(window)]
        found, known = (
            read_steps(one, NEXT_ACTION, names, len(funnel.steps), ask.spec.name, ALL)
            for one in (report, message.funnel_table)
        )
        rows = with_known_totals(found, known)
        every = pa.repeat(ALL_DEVICES, rows.num_rows)
        named = _named(rows, funnel, funnel.steps, (window,), "next_action")
        return named.append_column("device_category", every)

    request = next_action_request(ask.property_id, funnel.steps, window)
    return ask_funnel(ask, request, read)


def ask_funnel(
    ask: Ask, request: alpha.RunFunnelReportRequest, read: Callable[[Any], pa.Table]
) -> Answer:
    """The audited answer to one request, as `read` makes rows of it.

    Raises AuditError and what the client raises.
    """

    def attempt() -> Answer:
        message = ask.client.run_funnel_report(request, what=ask.what)
        reports = (message.funnel_table, message.funnel_visualization)
        sampled = any(len(one.metadata.sampling_metadatas) > 0 for one in reports)
        quota = read_quota(message)
        tokens = quota.get("tokens_per_day", (0, 0))[0]
        flags = Flags(is_sampled=sampled)
        return Answer(read(message), flags, 1, tokens, quota, fingerprint(request))

    return audited(ask, attempt)


def _named(
    rows: pa.Table,
    funnel: Funnel,
    steps: Sequence[FunnelStep],
    periods: Sequence[Period],
    value: str,
) -> pa.Table:
    """The API's names of ranges and steps → dates, and the seed's numbers and keys.

    `value`: what the values of `read_steps` are: `device_category` or `next_action`.
    """
    place = pc.subtract(rows["number"], pa.scalar(1, pa.int32()))
    numbers = pa.array([step.number for step in steps], pa.int32())
    keys = pa.array([step.key for step in steps], pa.string())
    named = pa.table(
        {
            "range_name": rows["range_name"],
            "funnel": pa.repeat(funnel.name, rows.num_rows),
            value: rows["value"],
            "step_number": numbers.take(place.combine_chunks()),
            "step_key": keys.take(place.combine_chunks()),
            "active_users": rows["active_users"],
        }
    )
    return pa.concat_tables(
        in_window(named.filter(pc.equal(named["range_name"], range_name(period))), period)
        for period in periods
    ).drop_columns(["range_name"])
