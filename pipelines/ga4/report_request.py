"""From a `ReportSpec` to the API's RunReport requests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from google.analytics.data_v1beta import types as ga4

from pipelines.config.tracking_plan import ParameterCondition
from pipelines.ga4.date_windows import Period
from pipelines.ga4.exactness import Made
from pipelines.ga4.report_spec import DATE_RANGE, Part, ReportSpec

# The API's own upper end (docs/ga4.md); a server may send fewer rows than we ask for.
PAGE_ROWS = 250_000


def report_request(
    property_id: str,
    spec: ReportSpec,
    part: Part,
    periods: Sequence[Period],
    among: Sequence[str] = (),
) -> ga4.RunReportRequest:
    """The request for the first page of one part of a report, over one to four periods.

    `among`: the only values of the spec's last dimension that are wanted. Ordered by every
    dimension: ties under the default order have no stable place, and pages would overlap. (The
    date range, which GA4 adds itself, is none that it documents to order by.)
    """
    dimensions = [name for name in spec.fields(part) if name != DATE_RANGE]
    names = part.event_names
    has_sums = any(metric.made is not Made.ESTIMATED for metric in spec.metrics)
    filters = [_is_one_of("eventName", names)] if names else []
    if part.micro_conversion:
        filters += [_is_one_of("eventName", part.micro_conversion.event_names)]
        filters += [_condition(one) for one in part.micro_conversion.conditions]
    if among:
        filters.append(_is_one_of(spec.dimensions[-1], among))
    return ga4.RunReportRequest(
        property=f"properties/{property_id}",
        dimensions=[ga4.Dimension(name=name) for name in dimensions],
        metrics=[ga4.Metric(name=metric.api_name) for metric in spec.metrics],
        date_ranges=_date_ranges(periods),
        dimension_filter=_all_of(filters),
        order_bys=_orders(spec, dimensions),
        metric_aggregations=[ga4.MetricAggregation.TOTAL] if has_sums else [],
        limit=spec.top if spec.kind.is_ranking else PAGE_ROWS,
        return_property_quota=True,
    )


def fingerprint(request: ga4.RunReportRequest) -> str:
    """A short hash: equal requests, equal fingerprint."""
    payload = type(request).pb(request).SerializeToString(deterministic=True)
    return hashlib.sha256(payload).hexdigest()[:16]


def _date_ranges(periods: Sequence[Period]) -> list[ga4.DateRange]:
    """Named where there are several: GA4 then tells them apart in `dateRange`."""
    return [
        ga4.DateRange(
            start_date=period.start.isoformat(),
            end_date=period.end.isoformat(),
            name=period.name if len(periods) > 1 else "",
        )
        for period in periods
    ]


def _orders(spec: ReportSpec, dimensions: Sequence[str]) -> list[ga4.OrderBy]:
    orders = [
        ga4.OrderBy(dimension=ga4.OrderBy.DimensionOrderBy(dimension_name=name))
        for name in dimensions
    ]
    if not spec.kind.is_ranking:
        return orders
    most = ga4.OrderBy.MetricOrderBy(metric_name=spec.metrics[0].api_name)
    return [ga4.OrderBy(metric=most, desc=True), *orders]


def _all_of(filters: Sequence[ga4.Filter]) -> ga4.FilterExpression | None:
    if not filters:
        return None
    expressions = [ga4.FilterExpression(filter=one) for one in filters]
    return ga4.FilterExpression(and_group=ga4.FilterExpressionList(expressions=expressions))


def _is_one_of(field: str, values: Sequence[str]) -> ga4.Filter:
    listed = ga4.Filter.InListFilter(values=list(values), case_sensitive=True)
    return ga4.Filter(field_name=field, in_list_filter=listed)


def _condition(condition: ParameterCondition) -> ga4.Filter:
    field = f"customEvent:{condition.name}"
    if condition.operator == ">=":
        at_least = ga4.Filter.NumericFilter(
            operation=ga4.Filter.NumericFilter.Operation.GREATER_THAN_OR_EQUAL,
            value=ga4.NumericValue(int64_value=int(condition.value)),
        )
        return ga4.Filter(field_name=field, numeric_filter=at_least)
    exact = ga4.Filter.StringFilter(
        match_type=ga4.Filter.StringFilter.MatchType.EXACT,
        value=condition.value,
        case_sensitive=True,
    )
    return ga4.Filter(field_name=field, string_filter=exact)
