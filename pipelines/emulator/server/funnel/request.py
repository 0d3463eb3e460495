"""A `RunFunnelReportRequest` → a `FunnelRequest` that can be answered, or why not.

Sentences that no public record of Google's shows are ours, in its style.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from google.analytics.data_v1alpha import types as alpha

from pipelines.emulator.server.dates import DateRange, read_date_ranges
from pipelines.emulator.server.errors import invalid_argument, invalid_field, unimplemented
from pipelines.emulator.server.fields import Catalogue, Dimension
from pipelines.emulator.server.filters import Condition, compile_filter
from pipelines.emulator.server.funnel.steps import step_condition
from pipelines.emulator.server.store import EventStore
from pipelines.emulator.server.validate import DEFAULT_LIMIT, MAX_LIMIT, filtered

MAX_SEGMENTS = 4
_MAX_BREAKDOWN, _MAX_NEXT_ACTIONS, _DEFAULT_VALUES = 15, 5, 5
_NEXT_ACTIONS = frozenset(("eventName", "pagePath", "pageTitle", "pageLocation"))
_TRENDED = alpha.RunFunnelReportRequest.FunnelVisualizationType.TRENDED_FUNNEL


@dataclass(frozen=True)
class Step:
    """One step: `label` as the answer shows it; `within` is µs since the step before."""

    label: str
    condition: Condition
    is_direct: bool
    within: int | None


@dataclass(frozen=True)
class Split:
    """A dimension that the answer is split by, and how many of its values are shown."""

    dimension: Dimension
    limit: int


@dataclass(frozen=True)
class FunnelRequest:
    """A request whose every name and number has been checked."""

    steps: tuple[Step, ...]
    is_open: bool
    date_ranges: tuple[DateRange, ...]
    where: Condition
    breakdown: Split | None
    next_action: Split | None
    is_trended: bool
    limit: int

    @property
    def days(self) -> int:
        """Days that are read, over all date ranges."""
        return sum(one.days for one in self.date_ranges)

    @property
    def width(self) -> int:
        """Steps and splits: what the token price counts in the place of dimensions."""
        return len(self.steps) + bool(self.breakdown) + bool(self.next_action)

    @property
    def needs_all_events(self) -> bool:
        """Whether events that match no step matter: what directly follows, what comes next."""
        return bool(self.next_action) or any(step.is_direct for step in self.steps)


def read_funnel(request: Any, fields: Catalogue, store: EventStore, today: date) -> FunnelRequest:
    """Checks a raw `RunFunnelReportRequest`; raises ApiError."""
    if len(request.segments) > MAX_SEGMENTS:
        raise invalid_argument(f"Requests are limited to {MAX_SEGMENTS} segments.")
    if request.segments:
        raise unimplemented("segments")
    if not request.funnel.steps:
        raise invalid_argument("A funnel with at least one step is required.")
    is_trended = request.funnel_visualization_type == _TRENDED
    next_action = _next_action(request, fields)
    if is_trended and next_action:
        raise unimplemented("next actions of a trended funnel")
    filtered(request.dimension_filter, fields.dimensions, "dimension")
    if request.limit < 0:
        raise invalid_argument(f"limit must be positive. The API received limit = {request.limit}")
    return FunnelRequest(
        steps=tuple(
            _step(number, one, fields, store) for number, one in enumerate(request.funnel.steps, 1)
        ),
        is_open=request.funnel.is_open_funnel,
        date_ranges=read_date_ranges(request.date_ranges, today),
        where=compile_filter(request.dimension_filter, lambda name: fields.dimensions[name].sql),
        breakdown=_breakdown(request, fields),
        next_action=next_action,
        is_trended=is_trended,
        limit=min(request.limit or DEFAULT_LIMIT, MAX_LIMIT),
    )


def _step(number: int, one: Any, fields: Catalogue, store: EventStore) -> Step:
    if one.filter_expression.WhichOneof("expr") is None:
        raise invalid_argument(f"The filterExpression of funnel step {number} is required.")
    within = None
    if one.HasField("within_duration_from_prior_step"):
        within = one.within_duration_from_prior_step.ToMicroseconds()
    return Step(
        label=f"{number}. {one.name}",
        condition=step_condition(one.filter_expression, fields, store),
        is_direct=one.is_directly_followed_by,
        within=within,
    )


def _breakdown(request: Any, fields: Catalogue) -> Split | None:
    if not request.HasField("funnel_breakdown"):
        return None
    asked = request.funnel_breakdown
    return _split(asked.breakdown_dimension, asked.limit, _MAX_BREAKDOWN, "funnelBreakdown", fields)


def _next_action(request: Any, fields: Catalogue) -> Split | None:
    if not request.HasField("funnel_next_action"):
        return None
    asked = request.funnel_next_action
    name = asked.next_action_dimension.name
    if name in fields.dimensions and name not in _NEXT_ACTIONS:
        raise invalid_argument(
            f"Field {name} is not supported as nextActionDimension. Next action only supports "
            "eventName and most Page / Screen dimensions."
        )
    return _split(
        asked.next_action_dimension, asked.limit, _MAX_NEXT_ACTIONS, "funnelNextAction", fields
    )


def _split(dimension: Any, limit: int, most: int, where: str, fields: Catalogue) -> Split:
    if dimension.HasField("dimension_expression"):
        raise unimplemented("dimension expressions")
    if dimension.name not in fields.dimensions:
        raise invalid_field(dimension.name, "dimension")
    found = fields.dimensions[dimension.name]
    if found.scope == "item":
        raise unimplemented("item dimensions in funnels")
    if not 0 <= limit <= most:
        raise invalid_argument(
            f"The limit of {where} must exceed zero and cannot exceed {most}. "
            f"The API received limit = {limit}"
        )
    return Split(found, limit or _DEFAULT_VALUES)
