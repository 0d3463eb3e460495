"""From a funnel of the tracking plan to the v1alpha RunFunnelReport request."""

from __future__ import annotations

from collections.abc import Sequence

from google.analytics.data_v1alpha import types as alpha

from pipelines.config.tracking_plan import FunnelStep, MicroConversion, ParameterCondition
from pipelines.ga4.date_windows import Period
from pipelines.ga4.report_request import PAGE_ROWS

MAX_DATE_RANGES = 4
# The API's upper ends (docs/ga4.md, "Funnels").
BREAKDOWN_VALUES = 15
NEXT_ACTIONS = 5
DEVICE = "deviceCategory"
# What the step `sessions` looks for: GA4 sends this event itself, it cannot be renamed.
SESSION_START = "session_start"


def funnel_request(
    property_id: str,
    steps: Sequence[FunnelStep],
    periods: Sequence[Period],
    breakdown: str = DEVICE,
) -> alpha.RunFunnelReportRequest:
    """Users who went through `steps` in this order, in total and by device or another dimension."""
    return alpha.RunFunnelReportRequest(
        property=f"properties/{property_id}",
        date_ranges=[_date_range(period) for period in periods],
        funnel=_closed(steps),
        funnel_breakdown=alpha.FunnelBreakdown(
            breakdown_dimension=alpha.Dimension(name=breakdown), limit=BREAKDOWN_VALUES
        ),
        limit=PAGE_ROWS,
        return_property_quota=True,
    )


def next_action_request(
    property_id: str, steps: Sequence[FunnelStep], period: Period
) -> alpha.RunFunnelReportRequest:
    """The events that follow each step most often, before the next step is reached."""
    return alpha.RunFunnelReportRequest(
        property=f"properties/{property_id}",
        date_ranges=[_date_range(period)],
        funnel=_closed(steps),
        funnel_next_action=alpha.FunnelNextAction(
            next_action_dimension=alpha.Dimension(name="eventName"), limit=NEXT_ACTIONS
        ),
        limit=PAGE_ROWS,
        return_property_quota=True,
    )


def range_name(period: Period) -> str:
    """The name of a period's date range: `28d`, or the date of a single day."""
    return period.end.isoformat() if period.name == "1d" else period.name


def _date_range(period: Period) -> alpha.DateRange:
    return alpha.DateRange(
        start_date=period.start.isoformat(),
        end_date=period.end.isoformat(),
        name=range_name(period),
    )


def _closed(steps: Sequence[FunnelStep]) -> alpha.Funnel:
    """Closed: only who did the first step can be in the second."""
    return alpha.Funnel(
        is_open_funnel=False,
        steps=[alpha.FunnelStep(name=step.key, filter_expression=_step(step)) for step in steps],
    )


def _step(step: FunnelStep) -> alpha.FunnelFilterExpression:
    micro = step.micro_conversion or MicroConversion(step.key, (SESSION_START,), ())
    parameters = _parameters(micro.conditions)
    events = [
        alpha.FunnelFilterExpression(
            funnel_event_filter=alpha.FunnelEventFilter(
                event_name=name, funnel_parameter_filter_expression=parameters
            )
        )
        for name in micro.event_names
    ]
    if len(events) == 1:
        return events[0]
    return alpha.FunnelFilterExpression(
        or_group=alpha.FunnelFilterExpressionList(expressions=events)
    )


def _parameters(
    conditions: Sequence[ParameterCondition],
) -> alpha.FunnelParameterFilterExpression | None:
    """Funnels read the event's own parameters: no custom dimension need be registered."""
    if not conditions:
        return None
    expressions = [
        alpha.FunnelParameterFilterExpression(funnel_parameter_filter=_condition(one))
        for one in conditions
    ]
    if len(expressions) == 1:
        return expressions[0]
    return alpha.FunnelParameterFilterExpression(
        and_group=alpha.FunnelParameterFilterExpressionList(expressions=expressions)
    )


def _condition(condition: ParameterCondition) -> alpha.FunnelParameterFilter:
    if condition.operator == ">=":
        at_least = alpha.NumericFilter(
            operation=alpha.NumericFilter.Operation.GREATER_THAN_OR_EQUAL,
            value=alpha.NumericValue(int64_value=int(condition.value)),
        )
        return alpha.FunnelParameterFilter(
            event_parameter_name=condition.name, numeric_filter=at_least
        )
    kinds = alpha.StringFilter.MatchType
    text = alpha.StringFilter(
        match_type=kinds.FULL_REGEXP if condition.operator == "~" else kinds.EXACT,
        value=condition.value,
        case_sensitive=True,
    )
    return alpha.FunnelParameterFilter(event_parameter_name=condition.name, string_filter=text)
