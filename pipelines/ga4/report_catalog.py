"""Which reports are pulled, as data: one `ReportSpec` per raw table.

A new report is a new spec here; nothing else in the client knows report names. Segments are
pulled one dimension at a time; event names, parameters and funnels come from the tracking plan.
"""

from __future__ import annotations

import zlib

from pipelines.config.tracking_plan import Funnel, FunnelStep, MicroConversion, TrackingPlan
from pipelines.ga4.report_spec import (
    ALL,
    DATE,
    DATE_RANGE,
    PARAMETER_VALUE,
    Metric,
    Part,
    ReportKind,
    ReportSpec,
    snake_case,
)

__all__ = [
    "ALL",
    "DATE",
    "DATE_RANGE",
    "Metric",
    "Part",
    "ReportKind",
    "ReportSpec",
    "build_reports",
    "lift_funnels",
    "snake_case",
]


def _metrics(*names: str) -> tuple[Metric, ...]:
    return tuple(Metric(name) for name in names)


SESSION_METRICS = _metrics(
    "sessions", "engagedSessions", "screenPageViews", "userEngagementDuration", "transactions",
    "purchaseRevenue",
)  # fmt: skip
SESSIONS = SESSION_METRICS[0]
EVENT_METRICS = _metrics("eventCount", "sessions")
ITEM_METRICS = _metrics(
    "itemsViewed", "itemsAddedToCart", "itemsCheckedOut", "itemsPurchased", "itemRevenue"
)
# Units in lists seen and clicked: the items of view_item_list and select_item.
LIST_METRICS = _metrics("itemsViewedInList", "itemsClickedInList")
PAGE_METRICS = _metrics("screenPageViews", "sessions", "engagedSessions", "userEngagementDuration")
USER_METRICS = _metrics("totalUsers", "activeUsers")
ACTIVE_USERS = USER_METRICS[1]

# Version 1 marked rows of all events by `all`, which an event can be called.
_MARKED = 2

# Dimensions of which only the values with most sessions are pulled: a shop has more pages than
# anybody reads, and too many values end in GA4's `(other)`.
_TOP = {"landingPage": 200, "pagePath": 200}
_ATTRIBUTED = {"sessionDefaultChannelGroup", "landingPage"}
# Parts of the shop that several dimensions name together, whatever its segments are; and how many
# values of the last one.
_CELLS: dict[str, tuple[tuple[str, ...], int | None]] = {
    "cells": (("deviceCategory", "sessionDefaultChannelGroup", "newVsReturning"), None),
    "cells_country": (("deviceCategory", "country"), 20),
}


def build_reports(plan: TrackingPlan) -> tuple[ReportSpec, ...]:
    """All reports of a nightly run, for the tracking plan's segments, keys and funnels."""
    reports = [spec for segment in plan.segments for spec in _by_segment(plan, segment.name)]
    reports += [
        ReportSpec("items", ("itemId", "itemName"), ITEM_METRICS, is_required=False),
        ReportSpec("item_lists", ("itemListName",), LIST_METRICS, is_required=False),
        ReportSpec("pages", ("pagePath",), PAGE_METRICS, is_required=False),
        *_by_page(plan),
        *_by_cell(plan),
        _users_window(),
    ]
    parameters = tuple(
        Part(parameter=name, event_names=events) for name, events in plan.parameters.items()
    )
    if parameters:
        asked = ("eventName", PARAMETER_VALUE)
        reports.append(
            ReportSpec(
                "event_params",
                asked,
                EVENT_METRICS,
                parameters,
                is_required=False,
                version=_definitions(parameters),
            )
        )
    return (*reports, *_funnel_reports(plan), _report("metadata", ReportKind.METADATA, ()))


def lift_funnels(plan: TrackingPlan) -> tuple[Funnel, ...]:
    """product_view → key → add_to_cart for every engagement key of the product page, and the
    same without a key between: how many add who did it, and who did not.
    """
    known = {micro.key: micro for micro in plan.micro_conversions}
    if not {"product_view", "add_to_cart"} <= known.keys():
        return ()
    ends = (known["product_view"], known["add_to_cart"])
    lifts = tuple(
        Funnel(f"lift_{micro.key}", _numbered(ends[0], micro, ends[1]), is_lift=True)
        for micro in plan.micro_conversions
        if micro.family == "engagement" and micro.parent_key == "product_view"
    )
    return (Funnel("view_to_add", _numbered(*ends)), *lifts) if lifts else ()


def _numbered(*micros: MicroConversion) -> tuple[FunnelStep, ...]:
    return tuple(FunnelStep(number, one) for number, one in enumerate(micros, start=1))


def _by_page(plan: TrackingPlan) -> list[ReportSpec]:
    """Events and composite keys by page.

    All events: a page without a row is one that was not asked for, which a filter would hide.
    """
    shape = [
        ("page_events", ("eventName", "pagePath"), (Part(),)),
        ("page_micro", ("pagePath",), _composite(plan)),
    ]
    return [
        ReportSpec(
            name,
            own,
            EVENT_METRICS,
            parts,
            is_required=False,
            top=_TOP["pagePath"],
            version=_definitions(parts),
        )
        for name, own, parts in shape
        if parts
    ]


def _by_cell(plan: TrackingPlan) -> list[ReportSpec]:
    """The steps of the core funnel, all sessions among them, by several dimensions at once.

    A request for each step: so simple and composite keys are counted alike, by GA4 itself.
    """
    core = next((funnel.steps for funnel in plan.funnels if funnel.name == "core"), ())
    parts = tuple(Part(step.micro_conversion, key=step.key) for step in core)
    return [
        ReportSpec(
            name, dimensions, EVENT_METRICS, parts, is_required=False,
            is_attributed=not _ATTRIBUTED.isdisjoint(dimensions), top=top,
            version=_definitions(parts),
        )
        for name, (dimensions, top) in _CELLS.items()
        if parts
    ]  # fmt: skip


def _composite(plan: TrackingPlan) -> tuple[Part, ...]:
    return tuple(Part(micro) for micro in plan.micro_conversions if micro.is_composite)


def _by_segment(plan: TrackingPlan, name: str) -> list[ReportSpec]:
    """Sessions, events and composite keys by one segment."""
    api_dimension = next(one.api_dimension for one in plan.segments if one.name == name)
    own = (api_dimension,) if api_dimension else ()
    top = _TOP.get(api_dimension or "")
    shape: list[tuple[str, tuple[str, ...], tuple[Metric, ...], tuple[Part, ...], bool]] = [
        ("sessions", own, SESSION_METRICS, (Part(),), top is None),
        ("events", ("eventName", *own), EVENT_METRICS, (Part(),), top is None),
        ("micro", own, EVENT_METRICS, _composite(plan), False),
    ]
    return [
        ReportSpec(
            f"{kind}_by_{name}", dimensions, metrics, parts, is_required,
            is_attributed=api_dimension in _ATTRIBUTED, top=top,
            version=_definitions(parts),
        )
        for kind, dimensions, metrics, parts, is_required in shape
        if parts
    ]  # fmt: skip


def _definitions(parts: tuple[Part, ...]) -> int:
    """A number that changes with what the parts mean; 1 where there is no key and no parameter.

    Days that were counted by another definition are pulled again (`run_window.plan_window`).
    """
    meanings = [part.meaning for part in parts if part.meaning]
    return zlib.crc32(repr(meanings).encode()) >> 1 if meanings else 1


def _users_window() -> ReportSpec:
    """Users cannot be added up: every combination that is read is asked for by itself."""
    dimensions = ("eventName", "deviceCategory")
    left_out = (dimensions, dimensions[1:], dimensions[:1], ())
    parts = tuple(Part(without=names) for names in left_out)
    return ReportSpec(
        "users_window", dimensions, USER_METRICS, parts, is_required=False,
        kind=ReportKind.USERS_WINDOW, version=_MARKED,
    )  # fmt: skip


def _funnel_reports(plan: TrackingPlan) -> list[ReportSpec]:
    core = tuple(funnel for funnel in plan.funnels if funnel.name == "core")
    reports = []
    if plan.funnels:
        reports.append(_report("funnel", ReportKind.FUNNEL, (*plan.funnels, *lift_funnels(plan))))
    if core:
        reports.append(_report("funnel_next_action", ReportKind.NEXT_ACTION, core, version=_MARKED))
    return reports


def _report(
    name: str, kind: ReportKind, funnels: tuple[Funnel, ...], *, version: int = 1
) -> ReportSpec:
    metrics = (ACTIVE_USERS,) if funnels else ()
    return ReportSpec(
        name, (), metrics, (), is_required=False, kind=kind, funnels=funnels, version=version
    )
