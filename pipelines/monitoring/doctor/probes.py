"""What a doctor asks GA4: two small reports of a property's last 28 days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from google.analytics.data_v1beta import types as ga4

from pipelines.ga4.api_errors import AuditError
from pipelines.ga4.decode.encoded_answer import EncodedAnswer
from pipelines.ga4.decode.report_answer import OTHER

DAYS = 28
# Above the 500 distinct names that GA4 itself keeps apart, and the API's own upper end.
_MOST_NAMES = 250_000


class AsksGa4(Protocol):
    """The two methods of the client that a doctor needs."""

    def run_report(self, request: ga4.RunReportRequest, *, what: str) -> EncodedAnswer:
        """One page of a report."""
        ...

    def get_metadata(self, property_id: str) -> Any | None:
        """All fields of a property (raw Metadata); None where the server has no GetMetadata."""
        ...


@dataclass(frozen=True)
class PropertyAnswer:
    """What one report says of a property: quota name → what is left, sessions of 28 days."""

    time_zone: str
    currency: str
    sessions: int
    quota: Mapping[str, int]


@dataclass(frozen=True)
class EventAnswer:
    """Event name → events of the last 28 days; `is_partial` where GA4 hid or folded rows.

    `sessions`: event name → sessions with it; `orders`: event name → GA4's `transactions`.
    """

    counts: Mapping[str, int]
    is_partial: bool
    sessions: Mapping[str, int] = field(default_factory=dict)
    orders: Mapping[str, int] = field(default_factory=dict)


def ask_property(client: AsksGa4, property_id: str) -> PropertyAnswer:
    """Sessions of the last 28 days and the quota left; raises Ga4Error."""
    what = "the sessions of the last 28 days"
    answer = client.run_report(_request(property_id, (), ("sessions",)), what=what)
    message = answer.message
    quota = {one.name: status.remaining for one, status in message.property_quota.ListFields()}
    sessions = sum(_count(row, what) for row in answer.rows)
    return PropertyAnswer(
        message.metadata.time_zone, message.metadata.currency_code, sessions, quota
    )


def ask_events(client: AsksGa4, property_id: str) -> EventAnswer:
    """How often each event came in the last 28 days; raises Ga4Error."""
    what = "the events of the last 28 days"
    request = _request(property_id, ("eventName",), ("eventCount", "sessions", "transactions"))
    answer = client.run_report(request, what=what)
    rows, metadata = answer.rows, answer.message.metadata
    counts, sessions, orders = (
        {row.dimension_values[0].value: _count(row, what, place) for row in rows}
        for place in range(len(request.metrics))
    )
    is_partial = (
        counts.pop(OTHER, 0) > 0
        or metadata.data_loss_from_other_row
        or metadata.subject_to_thresholding
        or len(metadata.sampling_metadatas) > 0
    )
    came = {name: count for name, count in counts.items() if count}
    return EventAnswer(came, is_partial, sessions, orders)


def _request(
    property_id: str, dimensions: tuple[str, ...], metrics: tuple[str, ...]
) -> ga4.RunReportRequest:
    """GA4 resolves the days in the property's own time zone, which nobody knows yet."""
    return ga4.RunReportRequest(
        property=f"properties/{property_id}",
        dimensions=[ga4.Dimension(name=name) for name in dimensions],
        metrics=[ga4.Metric(name=name) for name in metrics],
        date_ranges=[ga4.DateRange(start_date=f"{DAYS}daysAgo", end_date="yesterday")],
        order_bys=[
            ga4.OrderBy(dimension=ga4.OrderBy.DimensionOrderBy(dimension_name=name))
            for name in dimensions
        ],
        limit=_MOST_NAMES,
        return_property_quota=True,
    )


def _count(row: Any, what: str, place: int = 0) -> int:
    try:
        return int(float(row.metric_values[place].value or 0))
    except (IndexError, ValueError, OverflowError) as error:
        raise AuditError(
            f"GA4's answer to {what} holds a row without a number: run the same command again."
        ) from error
