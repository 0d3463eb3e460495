"""The methods of the Data API: BetaAnalyticsData (v1beta) and AlphaAnalyticsData (v1alpha).

Each hands its request to the module that answers it and books what it cost. Who is let in, and
what faults do, is in `admission`. Knows nothing of SQL.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import grpc
from google.analytics.data_v1alpha import types as alpha
from google.analytics.data_v1beta import types as ga4

from pipelines.emulator.server import errors, metadata
from pipelines.emulator.server.admission import Reception, ServedProperty, property_id
from pipelines.emulator.server.answer import run_report
from pipelines.emulator.server.faults import Facts, FaultBook
from pipelines.emulator.server.faults.answers import mark_sampling, min_users
from pipelines.emulator.server.faults.rows import rolled_up
from pipelines.emulator.server.fields import catalogue
from pipelines.emulator.server.funnel import read_funnel, run_funnel_report
from pipelines.emulator.server.rpc import handler
from pipelines.emulator.server.store import EventStore
from pipelines.emulator.server.validate import read_report
from pipelines.emulator.server.wire import RunReportResponse, encode_batch

BETA = "google.analytics.data.v1beta.BetaAnalyticsData"
ALPHA = "google.analytics.data.v1alpha.AlphaAnalyticsData"
MAX_BATCH = 5
_STANDARD = "0"
_SNAPSHOT = "/propertyQuotasSnapshot"


class AnalyticsDataService:
    """The methods over loaded stores."""

    def __init__(self, stores: Iterable[EventStore], faults: FaultBook) -> None:
        self._faults = faults
        self._reception = Reception(stores, faults)
        self.log = self._reception.log

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """What a gRPC server registers: one handler per version of the API."""
        beta = {
            "RunReport": (ga4.RunReportRequest, self._run_report),
            "BatchRunReports": (ga4.BatchRunReportsRequest, self._batch_run_reports),
            "GetMetadata": (ga4.GetMetadataRequest, self._get_metadata),
            "CheckCompatibility": (ga4.CheckCompatibilityRequest, self._check_compatibility),
        }
        funnels = {
            "RunFunnelReport": (alpha.RunFunnelReportRequest, self._run_funnel_report),
            "GetPropertyQuotasSnapshot": (
                alpha.GetPropertyQuotasSnapshotRequest,
                self._get_property_quotas_snapshot,
            ),
        }
        return handler(BETA, beta), handler(ALPHA, funnels)

    def _run_report(self, request: Any) -> bytes:
        served = self._reception.find(request.property)
        facts = self._reception.facts("RunReport", served, request)
        with self._reception.admitted(facts, served.core):
            return self._report(served, facts, request)

    def _batch_run_reports(self, request: Any) -> bytes:
        served = self._reception.find(request.property)
        _check_batch(request)
        method = "BatchRunReports"
        with self._reception.admitted(self._reception.facts(method, served, request), served.core):
            reports = [
                self._report(served, self._reception.facts(method, served, one), one)
                for one in request.requests
            ]
        return encode_batch(reports, "analyticsData#batchRunReports")

    def _report(self, served: ServedProperty, facts: Facts, request: Any) -> bytes:
        with self._reception.opened(facts, served, served.core) as call:
            report = read_report(request, call.fields, call.about.currency_code, call.today)
            report = replace(report, min_users=min_users(call.effects))
            report = rolled_up(call.cursor, call.hits, call.effects, report)
            answer = run_report(call, report)
        tokens = self._faults.price(report.days, report.width)
        served.core.charge(tokens)
        self.log.add(facts, tokens, "OK")
        if not request.return_property_quota:
            return answer
        quota = RunReportResponse(property_quota=served.core.state(tokens))
        return answer + _encoded(quota)

    def _run_funnel_report(self, request: Any) -> bytes:
        served = self._reception.find(request.property)
        facts = self._reception.facts("RunFunnelReport", served, request)
        with (
            self._reception.admitted(facts, served.funnel),
            self._reception.opened(facts, served, served.funnel) as call,
        ):
            funnel = read_funnel(request, call.fields, call.store, call.today)
            response = run_funnel_report(call, funnel)
            for report in (response.funnel_table, response.funnel_visualization):
                mark_sampling(call.cursor, call.effects, report.metadata, funnel.date_ranges)
            tokens = self._faults.price(funnel.days, funnel.width)
            served.funnel.charge(tokens)
            self.log.add(facts, tokens, "OK")
            if request.return_property_quota:
                response.property_quota.MergeFrom(_quota(served.funnel.state(tokens)))
            return _encoded(response)

    def _get_property_quotas_snapshot(self, request: Any) -> bytes:
        served = self._reception.find(request.name.removesuffix(_SNAPSHOT))
        facts = self._reception.facts("GetPropertyQuotasSnapshot", served, request)
        with self._reception.admitted(facts, None), self._reception.opened(facts, served):
            self.log.add(facts, 0, "OK")
            return _encoded(
                alpha.PropertyQuotasSnapshot.pb()(
                    name=f"properties/{served.store.about.property_id}{_SNAPSHOT}",
                    core_property_quota=served.core.state(),
                    funnel_property_quota=served.funnel.state(),
                )
            )

    def _get_metadata(self, request: Any) -> bytes:
        name = request.name.removesuffix("/metadata")
        if property_id(name) == _STANDARD:
            return _encoded(metadata.describe(_STANDARD, catalogue()))
        served = self._reception.find(name)
        facts = self._reception.facts("GetMetadata", served, request)
        with (
            self._reception.admitted(facts, None),
            self._reception.opened(facts, served) as call,
        ):
            self.log.add(facts, 0, "OK")
            return _encoded(metadata.describe(served.store.about.property_id, call.fields))

    def _check_compatibility(self, request: Any) -> bytes:
        if property_id(request.property) == _STANDARD:
            return _encoded(metadata.check_compatibility(request, catalogue()))
        served = self._reception.find(request.property)
        facts = self._reception.facts("CheckCompatibility", served, request)
        with (
            self._reception.admitted(facts, None),
            self._reception.opened(facts, served) as call,
        ):
            self.log.add(facts, 0, "OK")
            return _encoded(metadata.check_compatibility(request, call.fields))


def _check_batch(request: Any) -> None:
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


def _quota(state: dict[str, dict[str, int]]) -> Any:
    return alpha.PropertyQuota.pb()(**state)


def _encoded(message: Any) -> bytes:
    encoded: bytes = message.SerializeToString()
    return encoded
