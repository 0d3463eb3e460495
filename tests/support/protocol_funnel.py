"""RunFunnelReport of v1alpha over journeys in memory, one user after the other.

A closed funnel as Google describes it: a user is in a step when one of its events comes after an
event of the step before. Answers look like the one public recording: the block of metric headers
twice, fractions under TYPE_INTEGER, numbered names, no row for a step that nobody reached.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.analytics.data_v1alpha import types as alpha
from google.protobuf.message import Message

FunnelRequest = alpha.RunFunnelReportRequest.pb()
FunnelResponse = alpha.RunFunnelReportResponse.pb()
TOTAL = "RESERVED_TOTAL"
METRICS = (
    "activeUsers", "funnelStepCompletionRate", "funnelStepAbandonments",
    "funnelStepAbandonmentRate",
)  # fmt: skip


@dataclass(frozen=True)
class Hit:
    """One event; hits of a user are in their order."""

    user: str
    day: str
    name: str
    device: str = "mobile"
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass
class Funnels:
    """The server's journeys and habits; tests change them between calls."""

    hits: list[Hit] = field(default_factory=list)
    # How a row tells its date range: by the name it was given, or by its index in some writing.
    range_label: Callable[[int, str], str] = lambda number, name: name
    decorate: Callable[[Any], None] = lambda answer: None
    refuse: Callable[[Any], str] = lambda request: ""
    code: grpc.StatusCode = grpc.StatusCode.INVALID_ARGUMENT
    requests: list[Any] = field(default_factory=list)

    def run_funnel_report(self, request: Any, context: grpc.ServicerContext) -> Message:
        self.requests.append(request)
        if words := self.refuse(request):
            context.abort(self.code, words)
        answer = FunnelResponse(kind="analyticsData#runFunnelReport")
        several = ["dateRange"] if len(request.date_ranges) > 1 else []
        breakdown = [request.funnel_breakdown.breakdown_dimension.name]
        action = ["funnelStepNextAction"] if request.HasField("funnel_next_action") else []
        _headers(
            answer.funnel_table,
            ["funnelStepName", *filter(None, breakdown), *several],
            METRICS * 2,
        )
        _headers(answer.funnel_visualization, ["funnelStepName", *action, *several], METRICS[:1])
        for number, span in enumerate(request.date_ranges):
            label = [self.range_label(number, span.name)] if several else []
            journeys = self._journeys(span.start_date, span.end_date)
            reached, actions = _walk(request.funnel.steps, journeys)
            for split, users in _tables(reached, bool(breakdown[0])):
                for place, count in enumerate(users):
                    following = users[place + 1] if place + 1 < len(users) else 0
                    name = f"{place + 1}. {request.funnel.steps[place].name}"
                    _row(answer.funnel_table, [name, *split, *label], _numbers(count, following))
            for place, name, count in _next(request.funnel.steps, reached, actions, bool(action)):
                _row(answer.funnel_visualization, [place, *name, *label], [str(count)])
        answer.property_quota.tokens_per_day.consumed = 9
        answer.property_quota.tokens_per_day.remaining = 199_991
        self.decorate(answer)
        return answer

    def _journeys(self, first: str, last: str) -> dict[str, list[Hit]]:
        journeys: dict[str, list[Hit]] = defaultdict(list)
        for hit in self.hits:
            if first <= hit.day <= last:
                journeys[hit.user].append(hit)
        return journeys


def _walk(
    steps: Any, journeys: dict[str, list[Hit]]
) -> tuple[dict[str, list[int]], dict[int, dict[str, int]]]:
    """Users per step by device of the first step, and per step what came right after it."""
    reached: dict[str, list[int]] = defaultdict(lambda: [0] * len(steps))
    actions: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for hits in journeys.values():
        done, device = 0, ""
        for place, hit in enumerate(hits):
            if done == len(steps) or not _matches(steps[done].filter_expression, hit):
                continue
            device = device or hit.device
            reached[device][done] += 1
            after = hits[place + 1] if place + 1 < len(hits) else None
            done += 1
            is_next = done < len(steps) and after and _matches(steps[done].filter_expression, after)
            if after and not is_next:
                actions[done - 1][after.name] += 1
    return dict(reached), actions


def _matches(expression: Any, hit: Hit) -> bool:
    match expression.WhichOneof("expr"):
        case "or_group":
            return any(_matches(one, hit) for one in expression.or_group.expressions)
        case "funnel_event_filter":
            event = expression.funnel_event_filter
            return event.event_name == hit.name and _has(
                event.funnel_parameter_filter_expression, hit.parameters
            )
    raise NotImplementedError(expression)


def _has(expression: Any, parameters: dict[str, str]) -> bool:
    match expression.WhichOneof("expr"):
        case None:
            return True
        case "and_group":
            return all(_has(one, parameters) for one in expression.and_group.expressions)
    condition = expression.funnel_parameter_filter
    text = parameters.get(condition.event_parameter_name)
    if text is None:
        return False
    if condition.WhichOneof("one_filter") == "numeric_filter":
        return int(text) >= condition.numeric_filter.value.int64_value
    return text == condition.string_filter.value


def _tables(reached: dict[str, list[int]], is_split: bool) -> Iterator[tuple[list[str], list[int]]]:
    total = [sum(counts) for counts in zip(*reached.values(), strict=True)]
    yield ([TOTAL] if is_split else []), total
    if is_split:
        for device, counts in reached.items():
            yield [device], counts


def _next(
    steps: Any, reached: dict[str, list[int]], actions: dict[int, dict[str, int]], is_split: bool
) -> Iterator[tuple[str, list[str], int]]:
    for place, step in enumerate(steps):
        name, users = f"{place + 1}. {step.name}", sum(one[place] for one in reached.values())
        if users:
            yield name, [TOTAL] if is_split else [], users
        if is_split:
            for action, count in actions[place].items():
                yield name, [action], count


def _numbers(users: int, following: int) -> list[str]:
    if users == 0:
        return []
    lost = users - following
    return [str(users), str(following / users), str(lost), str(lost / users)]


def _headers(report: Any, dimensions: list[str], metrics: tuple[str, ...]) -> None:
    for name in dimensions:
        report.dimension_headers.add(name=name)
    for name in metrics:
        report.metric_headers.add(name=name, type_=alpha.MetricType.TYPE_INTEGER)


def _row(report: Any, dimensions: list[str], metrics: list[str]) -> None:
    """A step without users has no row."""
    if not metrics:
        return
    row = report.rows.add()
    for text in dimensions:
        row.dimension_values.add(value=text)
    for text in metrics:
        row.metric_values.add(value=text)
