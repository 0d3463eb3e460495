"""A `RunReportRequest` → a `Report` that can be answered, or Google's sentence why not.

The order of the checks is the service's own as recorded in public: field names, limit and offset,
date ranges, number of fields, compatibility. SQL is built in `query`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from google.analytics.data_v1beta import types as ga4

from pipelines.emulator.server.dates import DateRange, read_date_ranges
from pipelines.emulator.server.errors import (
    incompatible,
    invalid_argument,
    invalid_field,
    unimplemented,
)
from pipelines.emulator.server.fields import Catalogue, Dimension
from pipelines.emulator.server.filters import filter_fields
from pipelines.emulator.server.metrics import Metric

MAX_DIMENSIONS = 9
MAX_METRICS = 10
DEFAULT_LIMIT = 10_000
MAX_LIMIT = 250_000
DATE_RANGE = "dateRange"

Field = TypeVar("Field", Dimension, Metric)


@dataclass(frozen=True)
class Report:
    """A request whose every name and number has been checked.

    `filter_dimensions` and `filter_metrics` are those that only a filter uses. The filters and
    orders stay raw protobuf messages: names in them are known to be good. Rows of fewer users than
    `min_users` are withheld.
    """

    dimensions: tuple[Dimension, ...]
    metrics: tuple[Metric, ...]
    visible_metrics: tuple[Metric, ...]
    filter_dimensions: tuple[Dimension, ...]
    filter_metrics: tuple[Metric, ...]
    date_ranges: tuple[DateRange, ...]
    dimension_filter: Any
    metric_filter: Any
    order_bys: tuple[Any, ...]
    aggregations: frozenset[int]
    limit: int
    offset: int
    keep_empty_rows: bool
    min_users: int = 0

    @property
    def days(self) -> int:
        """Days that are read, over all date ranges."""
        return sum(one.days for one in self.date_ranges)

    @property
    def width(self) -> int:
        """Dimensions that are read, also those that only a filter uses: what the price counts."""
        return len({*self.dimensions, *self.filter_dimensions})

    @property
    def has_totals(self) -> bool:
        """Whether totals were asked for, and of something that is shown."""
        return ga4.MetricAggregation.TOTAL in self.aggregations and bool(self.visible_metrics)

    @property
    def reads_items(self) -> bool:
        """Whether the answer is made from items rather than events."""
        return any(one.scope == "item" for one in (*self.dimensions, *self.filter_dimensions))


def read_report(request: Any, fields: Catalogue, currency: str, today: date) -> Report:
    """Checks a raw `RunReportRequest`; raises ApiError with the API's own wording."""
    _refuse_what_is_not_emulated(request, currency)
    metrics = _requested(request.metrics, fields.metrics, "metric")
    dimensions = _requested(request.dimensions, fields.dimensions, "dimension")
    limit = _not_negative("limit", request.limit) or DEFAULT_LIMIT
    offset = _not_negative("offset", request.offset)
    ranges = read_date_ranges(request.date_ranges, today)
    check_counts(dimensions, metrics)
    filter_dimensions = filtered(request.dimension_filter, fields.dimensions, "dimension")
    filter_metrics = filtered(request.metric_filter, fields.metrics, "metric")
    check_compatible((*dimensions, *filter_dimensions), (*metrics, *filter_metrics))
    _check_orders(request.order_bys, dimensions, metrics)
    hidden = {one.name for one in request.metrics if one.invisible}
    return Report(
        dimensions=dimensions,
        metrics=metrics,
        visible_metrics=tuple(one for one in metrics if one.api_name not in hidden),
        filter_dimensions=filter_dimensions,
        filter_metrics=tuple(one for one in filter_metrics if one not in metrics),
        date_ranges=ranges,
        dimension_filter=request.dimension_filter,
        metric_filter=request.metric_filter,
        order_bys=tuple(request.order_bys),
        aggregations=_aggregations(request.metric_aggregations),
        # More is not an error: "a maximum of 250,000 rows per request, no matter how many you
        # ask for" (discovery document). Who trusts the limit loses rows, here as there.
        limit=min(limit, MAX_LIMIT),
        offset=offset,
        keep_empty_rows=request.keep_empty_rows,
    )


def filtered(expression: Any, known: Mapping[str, Field], kind: str) -> tuple[Field, ...]:
    """The fields a filter expression uses, each once."""
    return tuple(_known(name, known, kind) for name in dict.fromkeys(filter_fields(expression)))


def check_counts(dimensions: Sequence[Dimension], metrics: Sequence[Metric]) -> None:
    """ApiError for more fields than a report may have, or none at all."""
    for found, most, kind in (
        (len(metrics), MAX_METRICS, "metrics"),
        (len(dimensions), MAX_DIMENSIONS, "dimensions"),
    ):
        if found > most:
            raise invalid_argument(
                f"Requests are limited to {most} {kind} within a nested request.\n"
                f"  This request is for {found} {kind}."
            )
    if not dimensions and not metrics:
        raise invalid_argument(
            "Requests require dimensions and/or metrics. Most requests include both."
        )


def check_compatible(dimensions: Iterable[Dimension], metrics: Iterable[Metric]) -> None:
    """ApiError where item dimensions meet metrics of whole events."""
    of_items = {one.api_name: None for one in dimensions if one.scope == "item"}
    of_events = {one.api_name: None for one in metrics if one.scope == "event"}
    if of_items and of_events:
        # Google names the smallest change that would help.
        fewest = min((list(of_events), list(of_items)), key=len)
        raise incompatible(", ".join(fewest))


def requested_names(entries: Iterable[Any], known: Mapping[str, Field], kind: str) -> list[Field]:
    """The fields named in a request, duplicates included."""
    return [_known(one.name, known, kind) for one in entries]


def _known(name: str, known: Mapping[str, Field], kind: str) -> Field:
    if name not in known:
        raise invalid_field(name, kind)
    return known[name]


def _requested(entries: Iterable[Any], known: Mapping[str, Field], kind: str) -> tuple[Field, ...]:
    found = requested_names(entries, known, kind)
    names = Counter(one.api_name for one in found)
    if repeated := [name for name, times in names.items() if times > 1]:
        lead = "" if kind == "dimension" else "Duplicate metrics are not allowed. "
        raise invalid_argument(f"{lead}Found duplicate {kind}s: {', '.join(repeated)}")
    return tuple(found)


def _not_negative(name: str, value: int) -> int:
    if value < 0:
        raise invalid_argument(f"{name} must be positive. The API received {name} = {value}")
    return value


def _check_orders(
    orders: Iterable[Any], dimensions: Iterable[Dimension], metrics: Iterable[Metric]
) -> None:
    dimension_names = {DATE_RANGE, *(one.api_name for one in dimensions)}
    metric_names = {one.api_name for one in metrics}
    for order in orders:
        kind = order.WhichOneof("one_order_by")
        if kind == "pivot":
            raise unimplemented("pivot orders")
        name = ""
        if kind is not None:
            name = order.metric.metric_name or order.dimension.dimension_name
        if name not in (metric_names if kind == "metric" else dimension_names):
            raise invalid_argument(
                f"Field {name} exists in OrderBy but is not defined in input "
                "Dimensions/Metrics list"
            )


def _aggregations(requested: Iterable[int]) -> frozenset[int]:
    wanted = frozenset(requested) - {ga4.MetricAggregation.METRIC_AGGREGATION_UNSPECIFIED}
    if ga4.MetricAggregation.COUNT in wanted:
        # A RunReportResponse has no field for it.
        raise invalid_argument("Metric aggregation Count is not supported in ReportRequest.")
    return wanted


def _refuse_what_is_not_emulated(request: Any, currency: str) -> None:
    if request.HasField("cohort_spec"):
        raise unimplemented("cohort_spec")
    if request.comparisons:
        raise unimplemented("comparisons")
    if any(one.HasField("dimension_expression") for one in request.dimensions):
        raise unimplemented("dimension expressions")
    if any(one.expression for one in request.metrics):
        raise unimplemented("metric expressions")
    if request.currency_code not in {"", currency}:
        raise unimplemented(
            f"other currencies than the property's {currency} (it has no exchange rates)"
        )
