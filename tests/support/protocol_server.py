"""A second Data API server, written from the protobuf definitions alone.

Nothing here knows Sluice or its emulator: it answers RunReport from rows in memory, tells its
fields (GetMetadata, CheckCompatibility), answers RunFunnelReport (v1alpha) from
`protocol_funnel`, as oddly as the protocol allows, and misbehaves on request. What works against
both servers works against the protocol.

A row is a dict of API field name → text. A request is answered from the rows that have exactly
its dimensions and metrics; keys that start with `~` are fields that a filter sees but that are
not asked for. A row without a date belongs to the date range in its `~range` (`first/last`), or
to every date range.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.analytics.data_v1beta import types as ga4
from google.protobuf.message import Message

from tests.support.protocol_funnel import FunnelRequest, Funnels

Row = dict[str, str]
SERVICE = "/google.analytics.data.v1beta.BetaAnalyticsData/"
ALPHA_SERVICE = "/google.analytics.data.v1alpha.AlphaAnalyticsData/"
_Request = ga4.RunReportRequest.pb()
Response = ga4.RunReportResponse.pb()
_MetadataRequest = ga4.GetMetadataRequest.pb()
_Metadata = ga4.Metadata.pb()
_CompatibilityRequest = ga4.CheckCompatibilityRequest.pb()
_Compatibility = ga4.CheckCompatibilityResponse.pb()
# The fields that GetMetadata lists, beside the registered parameters.
DIMENSIONS = (
    "date", "eventName", "deviceCategory", "sessionDefaultChannelGroup", "country",
    "newVsReturning", "landingPage", "pagePath", "itemId", "itemName",
    "itemListName",
)  # fmt: skip
METRICS = (
    "sessions", "engagedSessions", "screenPageViews", "userEngagementDuration", "transactions",
    "purchaseRevenue", "eventCount", "itemsViewed", "itemsAddedToCart", "itemsCheckedOut",
    "itemsPurchased", "itemRevenue", "totalUsers", "activeUsers",
    "itemsViewedInList", "itemsClickedInList",
)  # fmt: skip


@dataclass
class Fault:
    """What goes wrong with the RunReport calls that `match`, at most `times` times.

    Either `code` and `message` (the call fails), or `tamper` changes the answer.
    """

    code: grpc.StatusCode | None = None
    message: str = ""
    tamper: Callable[[Any], None] | None = None
    match: Callable[[Any], bool] = lambda request: True
    times: int = 10**9
    skip: int = 0


@dataclass
class ProtocolServer:
    """The server's rows and habits; tests change them between calls."""

    endpoint: str = ""
    rows: dict[str, list[Row]] = field(default_factory=dict)
    page_size: int = 10**9
    shuffle: int | None = None
    is_reversed: bool = False
    has_totals: bool = True
    has_quota: bool = True
    time_zone: str = "Europe/Berlin"
    currency: str = "EUR"
    decorate: Callable[[Any], None] = lambda answer: None
    custom_dimensions: tuple[str, ...] | None = None
    unknown: tuple[str, ...] = ()
    incompatible: tuple[str, ...] | None = None
    checks: list[Any] = field(default_factory=list)
    metadata_fault: grpc.StatusCode = grpc.StatusCode.UNIMPLEMENTED
    compatibility_fault: grpc.StatusCode = grpc.StatusCode.UNIMPLEMENTED
    faults: list[Fault] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    funnels: Funnels = field(default_factory=Funnels)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, property_id: str, rows: Iterable[Row]) -> None:
        """Replace what a property has."""
        self.rows[property_id] = list(rows)

    def add(self, property_id: str, rows: Iterable[Row]) -> None:
        """Add to what a property has."""
        self.rows.setdefault(property_id, []).extend(rows)

    def calls(self, *dimensions: str) -> list[Any]:
        """The RunReport requests so far with exactly these dimensions."""
        return [one for one in self.requests if names(one.dimensions) == list(dimensions)]

    def run_report(self, request: Any, context: grpc.ServicerContext) -> Message:
        with self._lock:
            self.requests.append(request)
            faults = [fault for fault in self.faults if fault.match(request) and self._due(fault)]
        for fault in faults:
            if fault.code is not None:
                context.abort(fault.code, fault.message)
        property_id = request.property.removeprefix("properties/")
        if property_id not in self.rows:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, f"No access to {property_id}.")
        answer = self._answer(request, self._matching(request, self.rows[property_id]))
        for fault in faults:
            if fault.tamper is not None:
                fault.tamper(answer)
        return answer

    def get_metadata(self, request: Any, context: grpc.ServicerContext) -> Message:
        if self.custom_dimensions is None:
            context.abort(self.metadata_fault, "no list of fields")
        answer = _Metadata(name=request.name)
        custom = (f"customEvent:{one}" for one in self.custom_dimensions or ())
        for name in (*DIMENSIONS, *custom):
            if name not in self.unknown:
                answer.dimensions.add(api_name=name)
        for name in METRICS:
            if name not in self.unknown:
                answer.metrics.add(api_name=name)
        return answer

    def check_compatibility(self, request: Any, context: grpc.ServicerContext) -> Message:
        with self._lock:
            self.checks.append(request)
        if self.incompatible is None:
            context.abort(self.compatibility_fault, "nobody knows")
        answer = _Compatibility()
        for name in METRICS:
            wrong = name in (self.incompatible or ())
            answer.metric_compatibilities.add(
                metric_metadata={"api_name": name},
                compatibility="INCOMPATIBLE" if wrong else "COMPATIBLE",
            )
        return answer

    @staticmethod
    def _due(fault: Fault) -> bool:
        if fault.skip > 0:
            fault.skip -= 1
            return False
        fault.times -= 1
        return fault.times >= 0

    def _matching(self, request: Any, rows: list[Row]) -> list[Row]:
        wanted = {*names(request.dimensions), *names(request.metrics)}
        found = [
            {**row, "dateRange": span.name or f"date_range_{number}"}
            for number, span in enumerate(request.date_ranges)
            for row in rows
            if {name for name in row if not name.startswith("~")} == wanted
            and _is_in(row, span)
            and _passes(request.dimension_filter, row)
        ]
        if self.shuffle is not None:
            random.Random(self.shuffle).shuffle(found)
            return found
        for order in reversed(request.order_bys):
            by, is_number = order.dimension.dimension_name or order.metric.metric_name, order.metric
            found.sort(
                key=lambda row, by=by, is_number=is_number.metric_name: (
                    float(row[by]) if is_number else row[by]
                ),
                reverse=order.desc,
            )
        return found

    def _answer(self, request: Any, rows: list[Row]) -> Any:
        step = -1 if self.is_reversed else 1
        several = ["dateRange"] if len(request.date_ranges) > 1 else []
        dimensions = [*names(request.dimensions), *several][::step]
        metrics = names(request.metrics)[::step]
        answer = Response(row_count=len(rows), kind="analyticsData#runReport")
        for name in dimensions:
            answer.dimension_headers.add(name=name)
        for name in metrics:
            answer.metric_headers.add(name=name)
        size = min(self.page_size, request.limit or 10_000)
        for row in rows[request.offset : request.offset + size]:
            _add(answer.rows, [row[name] for name in dimensions], [row[name] for name in metrics])
        if self.has_totals and rows and request.metric_aggregations:
            sums = [sum(float(row[name] or 0) for row in rows) for name in metrics]
            _add(answer.totals, ["RESERVED_TOTAL"] * len(dimensions), [repr(one) for one in sums])
        answer.metadata.time_zone = self.time_zone
        answer.metadata.currency_code = self.currency
        if self.has_quota and request.return_property_quota:
            answer.property_quota.tokens_per_day.consumed = 4
            answer.property_quota.tokens_per_day.remaining = 199_000
            answer.property_quota.tokens_per_hour.consumed = 4
            answer.property_quota.tokens_per_hour.remaining = 39_000
        self.decorate(answer)
        return answer


def names(fields: Iterable[Any]) -> list[str]:
    """Names of a request's dimensions or metrics."""
    return [one.name for one in fields]


def asks_for(*dimensions: str, metric: str = "") -> Callable[[Any], bool]:
    """A `match` for requests with exactly these dimensions (and, if named, this metric)."""
    return lambda request: (
        names(request.dimensions) == list(dimensions)
        and (not metric or metric in names(request.metrics))
    )


@contextmanager
def serving() -> Iterator[ProtocolServer]:
    """A server on a free loopback port."""
    server = ProtocolServer()
    backend = grpc.server(ThreadPoolExecutor(4), handlers=[_Handler(server)])
    server.endpoint = f"127.0.0.1:{backend.add_insecure_port('127.0.0.1:0')}"
    backend.start()
    try:
        yield server
    finally:
        backend.stop(grace=None).wait()


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, server: ProtocolServer) -> None:
        self._methods = {
            SERVICE + "RunReport": (server.run_report, _Request),
            SERVICE + "GetMetadata": (server.get_metadata, _MetadataRequest),
            SERVICE + "CheckCompatibility": (server.check_compatibility, _CompatibilityRequest),
            ALPHA_SERVICE + "RunFunnelReport": (server.funnels.run_funnel_report, FunnelRequest),
        }

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        if details.method not in self._methods:
            return None  # gRPC itself answers UNIMPLEMENTED
        method, request = self._methods[details.method]
        return grpc.unary_unary_rpc_method_handler(
            method, request.FromString, lambda answer: answer.SerializeToString()
        )


def _add(rows: Any, dimensions: list[str], metrics: list[str]) -> None:
    row = rows.add()
    for text in dimensions:
        row.dimension_values.add(value=text)
    for text in metrics:
        row.metric_values.add(value=text)


def _is_in(row: Row, span: Any) -> bool:
    if "date" in row:
        low, high = span.start_date.replace("-", ""), span.end_date.replace("-", "")
        return low <= row["date"] <= high
    return row.get("~range") in {None, f"{span.start_date}/{span.end_date}"}


def _passes(expression: Any, row: Row) -> bool:
    match expression.WhichOneof("expr"):
        case None:
            return True
        case "and_group":
            return all(_passes(one, row) for one in expression.and_group.expressions)
        case "or_group":
            return any(_passes(one, row) for one in expression.or_group.expressions)
        case "not_expression":
            return not _passes(expression.not_expression, row)
    name = expression.filter.field_name
    return _fits(expression.filter, row.get(name, row.get(f"~{name}", "(not set)")))


def _fits(condition: Any, text: str) -> bool:
    match condition.WhichOneof("one_filter"):
        case "string_filter":
            return text == condition.string_filter.value
        case "in_list_filter":
            return text in condition.in_list_filter.values
        case "numeric_filter":
            return text.isdigit() and int(text) >= condition.numeric_filter.value.int64_value
    raise NotImplementedError(condition)


def drop_last_row(answer: Any) -> None:
    """The page ends one row early, and row_count does not know."""
    del answer.rows[-1]


def repeat_first_row(answer: Any) -> None:
    """A row comes twice, and row_count counts it."""
    answer.rows.add().CopyFrom(answer.rows[0])
    answer.row_count += 1


def grow(answer: Any) -> None:
    """row_count says one more than it did."""
    answer.row_count += 1


def halve_totals(answer: Any) -> None:
    """Totals below the sum of the rows."""
    for row in answer.totals:
        for value in row.metric_values:
            value.value = repr(float(value.value) / 2)


def move_day(text: str) -> Callable[[Any], None]:
    """The first row's date becomes `text`."""

    def tamper(answer: Any) -> None:
        place = names(answer.dimension_headers).index("date")
        answer.rows[0].dimension_values[place].value = text

    return tamper


def forget_metric(answer: Any) -> None:
    """The last metric is left out of the headers and of every row."""
    del answer.metric_headers[-1]
    for row in answer.rows:
        del row.metric_values[-1]


def spoil_metric(text: str) -> Callable[[Any], None]:
    """The first row's first metric becomes `text`."""

    def tamper(answer: Any) -> None:
        answer.rows[0].metric_values[0].value = text

    return tamper
