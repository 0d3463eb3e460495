"""The tracking plan as a doctor reads it: what is asked for, and which keys are expected."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from pipelines.ga4.reports import ReportSpec, build_reports
from pipelines.tracking import SEEDS_DIR, TrackingPlan, load_plan

SEED = "dbt_project/seeds/micro_conversions.csv"


@dataclass(frozen=True)
class PlannedKey:
    """A row of the plan; `origin` is automatic, enhanced, recommended or custom."""

    key: str
    event_names: tuple[str, ...]
    is_expected: bool
    origin: str


@dataclass(frozen=True)
class ReadPlan:
    """The plan, its keys with what only a doctor wants to know, and the reports it makes."""

    tracking: TrackingPlan
    keys: tuple[PlannedKey, ...]
    reports: tuple[ReportSpec, ...]


def read_plan(seeds: Path = SEEDS_DIR) -> ReadPlan:
    """Read all of it; raises SeedError as `load_plan` does, which checks the files."""
    plan = load_plan(seeds)
    with (seeds / "micro_conversions.csv").open(encoding="utf-8", newline="") as lines:
        rows = {row["key"]: row for row in csv.DictReader(lines)}
    keys = tuple(
        PlannedKey(
            micro.key,
            micro.event_names,
            rows[micro.key]["is_expected"].strip().lower() == "true",
            rows[micro.key]["origin"],
        )
        for micro in plan.micro_conversions
    )
    return ReadPlan(plan, keys, build_reports(plan))
