"""The tracking plan as a doctor reads it: what is asked for, and which keys are expected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.config.settings import DEFAULT_TRACKING_PLAN
from pipelines.config.tracking_plan import TrackingPlan, load_plan
from pipelines.ga4.report_catalog import ReportSpec, build_reports

# Where a shop writes what it does differently; beside sluice.yml.
SHOP_FILE = DEFAULT_TRACKING_PLAN


@dataclass(frozen=True)
class PlannedKey:
    """A row of the plan; `origin` is automatic, enhanced, recommended or custom.

    `is_applicable`: False where the shop declared that it does not have it.
    """

    key: str
    event_names: tuple[str, ...]
    is_expected: bool
    origin: str
    is_applicable: bool = True


@dataclass(frozen=True)
class ReadPlan:
    """The plan, its keys with what only a doctor wants to know, and the reports it makes."""

    tracking: TrackingPlan
    keys: tuple[PlannedKey, ...]
    reports: tuple[ReportSpec, ...]


def read_plan(shop: Path | None = None) -> ReadPlan:
    """Read all of it; raises SeedError as `load_plan` does. `shop`: the shop's own file."""
    plan = load_plan(shop=shop)
    keys = tuple(
        PlannedKey(
            micro.key, micro.event_names, micro.is_expected, micro.origin, micro.is_applicable
        )
        for micro in plan.micro_conversions
    )
    return ReadPlan(plan, keys, build_reports(plan))
