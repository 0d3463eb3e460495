"""Which reports are pulled, as data: one `ReportSpec` per raw table.

A new report is a new spec here; nothing else in the client knows report names. Segments are
pulled one dimension at a time; event names and parameters come from the tracking plan.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pipelines.tracking import MicroConversion, TrackingPlan

DATE = "date"


@dataclass(frozen=True)
class Metric:
    """A metric of the API.

    `is_integer`: the answer is a count (BIGINT), else DOUBLE. `is_additive`: rows may be added
    up (events, money), so that totals can be audited; sessions of rows overlap and may not.
    """

    api_name: str
    is_integer: bool = True
    is_additive: bool = False

    @property
    def column(self) -> str:
        """The API's name in snake_case."""
        return snake_case(self.api_name)


@dataclass(frozen=True)
class Part:
    """One request of a report: an optional filter, and what to write beside its rows."""

    micro_conversion: MicroConversion | None = None

    @property
    def constants(self) -> dict[str, str]:
        """Columns that the answer does not carry itself."""
        return {"micro_key": self.micro_conversion.key} if self.micro_conversion else {}

    @property
    def parameters(self) -> frozenset[str]:
        """Event parameters that must be registered as custom dimensions for this request."""
        conditions = self.micro_conversion.conditions if self.micro_conversion else ()
        return frozenset(condition.name for condition in conditions)


@dataclass(frozen=True)
class ReportSpec:
    """A report: grain = property × date × constants × dimensions.

    `is_required`: without it nothing is published. `version` changes when the meaning of stored
    rows changes and a backfill is needed.
    """

    name: str
    dimensions: tuple[str, ...]
    metrics: tuple[Metric, ...]
    parts: tuple[Part, ...] = field(default=(Part(),))
    is_required: bool = True
    version: int = 1

    @property
    def table(self) -> str:
        """Name of the table in the schema `raw`."""
        return f"ga4_{self.name}"

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Columns that name a row within one property and date."""
        constants = self.parts[0].constants if self.parts else {}
        return (*constants, *(snake_case(name) for name in self.dimensions))

    @property
    def columns(self) -> dict[str, str]:
        """Column → DuckDB type of the raw table, in order."""
        return {
            "property_id": "VARCHAR NOT NULL",
            "date": "DATE NOT NULL",
            **dict.fromkeys(self.key_columns, "VARCHAR NOT NULL"),
            **{m.column: "BIGINT" if m.is_integer else "DOUBLE" for m in self.metrics},
            "pulled_at": "TIMESTAMPTZ NOT NULL",
            "pull_id": "VARCHAR NOT NULL",
        }


SESSION_METRICS = (
    Metric("sessions"),
    Metric("engagedSessions"),
    Metric("screenPageViews", is_additive=True),
    Metric("userEngagementDuration", is_integer=False, is_additive=True),
    Metric("transactions", is_additive=True),
    Metric("purchaseRevenue", is_integer=False, is_additive=True),
)
EVENT_METRICS = (Metric("eventCount", is_additive=True), Metric("sessions"))
ITEM_METRICS = (
    Metric("itemsViewed", is_additive=True),
    Metric("itemsAddedToCart", is_additive=True),
    Metric("itemsCheckedOut", is_additive=True),
    Metric("itemsPurchased", is_additive=True),
    Metric("itemRevenue", is_integer=False, is_additive=True),
)


def build_reports(plan: TrackingPlan) -> tuple[ReportSpec, ...]:
    """All reports of a nightly run, for the tracking plan's segments and composite keys."""
    composite = tuple(Part(micro) for micro in plan.micro_conversions if micro.is_composite)
    reports: list[ReportSpec] = []
    for segment in plan.segments:
        own = (segment.api_dimension,) if segment.api_dimension else ()
        reports.append(ReportSpec(f"sessions_by_{segment.name}", own, SESSION_METRICS))
        reports.append(ReportSpec(f"events_by_{segment.name}", ("eventName", *own), EVENT_METRICS))
        if composite:
            reports.append(
                ReportSpec(
                    f"micro_by_{segment.name}", own, EVENT_METRICS, composite, is_required=False
                )
            )
    reports.append(ReportSpec("items", ("itemId", "itemName"), ITEM_METRICS, is_required=False))
    return tuple(reports)


def snake_case(api_name: str) -> str:
    """`deviceCategory` → `device_category`; `customEvent:size` → `custom_event_size`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", api_name).replace(":", "_").lower()
