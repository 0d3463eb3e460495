"""What the error of a pull means: for the record, for its property, and for further requests."""

from __future__ import annotations

from pipelines.ga4.api_errors import (
    AuditError,
    CircuitOpenError,
    Ga4Error,
    QuotaError,
    RequestRefusedError,
    ThresholdedQuotaError,
)
from pipelines.ga4.report_catalog import ReportSpec
from pipelines.warehouse.statuses import PullStatus


def status_of(error: Ga4Error) -> PullStatus:
    """The status of a pull that met it."""
    match error:
        case AuditError():
            return PullStatus.HELD_BACK
        case RequestRefusedError():
            return PullStatus.REFUSED
        case ThresholdedQuotaError():
            return PullStatus.SKIPPED
    return PullStatus.FAILED


def concerns_property(spec: ReportSpec, error: Ga4Error) -> bool:
    """Whether the property's night fails with this report: nothing else it has makes up for it.

    A dimension that GA4 would threshold can wait; the whole property has none to leave out.
    """
    if isinstance(error, ThresholdedQuotaError):
        return spec.is_whole
    return spec.is_required


def ends_requests(error: Ga4Error) -> bool:
    """Whether any more request of the property would only meet the same."""
    return isinstance(error, CircuitOpenError | QuotaError) and not isinstance(
        error, ThresholdedQuotaError
    )
