"""From a `ReportSpec` to the API's request messages."""

from __future__ import annotations

import hashlib
from datetime import date

from google.analytics.data_v1beta import types as ga4

from pipelines.ga4.reports import DATE, Part, ReportSpec
from pipelines.tracking import MicroConversion, ParameterCondition

# The API's own upper end (GA4.md); a server may send fewer rows than we ask for.
PAGE_ROWS = 250_000


def report_request(
    property_id: str, spec: ReportSpec, part: Part, start: date, end: date
) -> ga4.RunReportRequest:
    """The request for the first page of one part of a report, both dates included.

    Ordered by every dimension: ties under the default order have no stable place, and pages
    would overlap.
    """
    dimensions = (DATE, *spec.dimensions)
    return ga4.RunReportRequest(
        property=f"properties/{property_id}",
        dimensions=[ga4.Dimension(name=name) for name in dimensions],
        metrics=[ga4.Metric(name=metric.api_name) for metric in spec.metrics],
        date_ranges=[ga4.DateRange(start_date=start.isoformat(), end_date=end.isoformat())],
        dimension_filter=_filter(part.micro_conversion) if part.micro_conversion else None,
        order_bys=[
            ga4.OrderBy(dimension=ga4.OrderBy.DimensionOrderBy(dimension_name=name))
            for name in dimensions
        ],
        metric_aggregations=[ga4.MetricAggregation.TOTAL],
        limit=PAGE_ROWS,
        return_property_quota=True,
    )


def fingerprint(request: ga4.RunReportRequest) -> str:
    """A short hash: equal requests, equal fingerprint."""
    payload = ga4.RunReportRequest.pb(request).SerializeToString(deterministic=True)
    return hashlib.sha256(payload).hexdigest()[:16]


def _filter(micro: MicroConversion) -> ga4.FilterExpression:
    names = ga4.Filter.InListFilter(values=list(micro.event_names), case_sensitive=True)
    parts = [ga4.FilterExpression(filter=ga4.Filter(field_name="eventName", in_list_filter=names))]
    parts += [ga4.FilterExpression(filter=_condition(one)) for one in micro.conditions]
    return ga4.FilterExpression(and_group=ga4.FilterExpressionList(expressions=parts))


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
