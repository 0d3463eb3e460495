"""The gRPC service `google.analytics.data.v1beta.BetaAnalyticsData`: methods, errors, quota.

Finds the property, hands the request to the module that answers it, and turns an `ApiError` into
a status. Knows nothing of SQL.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import grpc
from google.analytics.data_v1beta import types as ga4

from pipelines.emulator.server import errors, metadata
from pipelines.emulator.server.answer import run_report
from pipelines.emulator.server.dates import local_today
from pipelines.emulator.server.fields import Catalogue, catalogue
from pipelines.emulator.server.quota import QuotaLedger, token_price
from pipelines.emulator.server.store import EventStore
from pipelines.emulator.server.validate import read_report
from pipelines.emulator.server.wire import RunReportResponse, encode_batch

SERVICE = "google.analytics.data.v1beta.BetaAnalyticsData"
MAX_BATCH = 5
_STANDARD = "0"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServedProperty:
    """A property with everything a request to it needs."""

    store: EventStore
    fields: Catalogue
    quota: QuotaLedger


class AnalyticsDataService:
    """The methods of the service over loaded stores; `now` is the clock (aware datetimes)."""

    def __init__(self, stores: Iterable[EventStore], now: Callable[[], datetime]) -> None:
        self._now = now
        self._properties = {
            store.about.property_id: ServedProperty(store, catalogue(store.about), QuotaLedger(now))
            for store in stores
        }

    def handler(self) -> grpc.GenericRpcHandler:
        """What a gRPC server registers."""
        methods = {
            "RunReport": (ga4.RunReportRequest, self._run_report),
            "BatchRunReports": (ga4.BatchRunReportsRequest, self._batch_run_reports),
            "GetMetadata": (ga4.GetMetadataRequest, self._get_metadata),
            "CheckCompatibility": (ga4.CheckCompatibilityRequest, self._check_compatibility),
        }
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                name: grpc.unary_unary_rpc_method_handler(
                    self._guarded(method), request_deserializer=request.pb().FromString
                )
                for name, (request, method) in methods.items()
            },
        )

    def _guarded(self, method: Callable[[Any], bytes]) -> Callable[[Any, Any], bytes]:
        """A method whose errors reach the client as gRPC statuses."""

        def call(request: Any, context: Any) -> bytes:
            try:
                return method(request)
            except errors.ApiError as error:
                context.abort(error.code, error.message)
            except Exception:  # a fault of ours must look like the service's own, and be logged
                _LOG.exception("The emulator failed on %s", type(request).__name__)
                self._count_server_error(request)
                context.abort(grpc.StatusCode.INTERNAL, "Internal error encountered.")
            raise AssertionError("abort always raises")

        return call

    def _run_report(self, request: Any) -> bytes:
        served = self._property(request.property)
        with served.quota.request():
            return self._report(served, request)

    def _batch_run_reports(self, request: Any) -> bytes:
        served = self._property(request.property)
        if not request.requests:
            raise errors.invalid_argument(
                "The batchRunReportsRequest must contain at least one runReportRequest."
            )
        if len(request.requests) > MAX_BATCH:
            raise errors.invalid_argument(
                f"Batch requests are limited to {MAX_BATCH} requests.\n"
                f"  This batch request contains {len(request.requests)} requests."
            )
        for one in request.requests:
            if one.property not in {"", request.property}:
                raise errors.invalid_argument(
                    "The property of a request within a batch must be unspecified or the same "
                    f"as the batch's: {request.property} is not {one.property}."
                )
        with served.quota.request():
            reports = [self._report(served, one) for one in request.requests]
        return encode_batch(reports, "analyticsData#batchRunReports")

    def _get_metadata(self, request: Any) -> bytes:
        name = request.name.removesuffix("/metadata")
        if _property_id(name) == _STANDARD:
            return _encoded(metadata.describe(_STANDARD, catalogue()))
        served = self._property(name)
        return _encoded(metadata.describe(served.store.about.property_id, served.fields))

    def _check_compatibility(self, request: Any) -> bytes:
        if _property_id(request.property) == _STANDARD:
            return _encoded(metadata.check_compatibility(request, catalogue()))
        fields = self._property(request.property).fields
        return _encoded(metadata.check_compatibility(request, fields))

    def _report(self, served: ServedProperty, request: Any) -> bytes:
        about = served.store.about
        today = local_today(self._now(), about.zone)
        report = read_report(request, served.fields, about.currency_code, today)
        answer = run_report(served.store, report)
        state = served.quota.charge(token_price(report.days, answer.row_count))
        if not request.return_property_quota:
            return answer.encoded
        return answer.encoded + _encoded(RunReportResponse(property_quota=state))

    def _property(self, name: str) -> ServedProperty:
        served = self._properties.get(_property_id(name))
        if served is None:
            raise errors.permission_denied()
        return served

    def _count_server_error(self, request: Any) -> None:
        name = getattr(request, "property", "")
        if served := self._properties.get(name.removeprefix("properties/")):
            served.quota.count_server_error()


def _property_id(name: str) -> str:
    match = re.fullmatch(r"properties/(\d+)", name)
    if match is None:
        raise errors.malformed_property(name.removeprefix("properties/"))
    return match[1]


def _encoded(message: Any) -> bytes:
    encoded: bytes = message.SerializeToString()
    return encoded
