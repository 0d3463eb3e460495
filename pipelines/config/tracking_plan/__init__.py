"""The tracking plan as Python reads it: the seeds, with the shop's own file laid over them.

The seed files in `dbt_project/seeds` are the one place where event names, parameters and
segments are written; dbt loads the same files. What a shop does differently stands in its
`tracking_plan.yml` and is merged here, once: SQL reads the result from `ops`. No Dagster, no
network.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.analysis.diagnosis import playbook
from pipelines.config.tracking_plan.overrides import read_overrides
from pipelines.config.tracking_plan.plan_model import (
    SESSIONS,
    Funnel,
    FunnelStep,
    MicroConversion,
    ParameterCondition,
    PlanOverrides,
    Row,
    Segment,
    TrackingPlan,
)
from pipelines.config.tracking_plan.plan_rows import (
    read_funnels,
    read_micro,
    refuse_no_range,
    refuse_other_definition,
    refuse_unknown,
)
from pipelines.config.tracking_plan.seed_files import SEED_COLUMNS, SEED_KEYS, SEEDS_DIR, read_seed

__all__ = [
    "SEEDS_DIR",
    "SEED_COLUMNS",
    "SEED_KEYS",
    "SESSIONS",
    "Funnel",
    "FunnelStep",
    "MicroConversion",
    "ParameterCondition",
    "PlanOverrides",
    "Segment",
    "TrackingPlan",
    "load_plan",
]


def load_plan(seeds: Path = SEEDS_DIR, shop: Path | None = None) -> TrackingPlan:
    """Read and check all seed files, and the shop's own file where it has one.

    Raises SeedError: a file that is missing or unreadable, lacks a column, names a row twice,
    or holds a name, a parameter filter, a parameter or a step number that cannot be read.
    """
    rows = {name: read_seed(seeds, name) for name in SEED_COLUMNS}
    _check(rows, seeds)
    own = read_overrides(shop, rows) if shop else PlanOverrides()
    changed = {row["key"]: row for row in own.plan}
    merged = [changed.pop(row["key"], row) for row in rows["micro_conversions"]]
    merged += changed.values()
    shop_keys = {row["key"] for row in own.plan}
    micros = tuple(
        read_micro(
            row,
            shop if shop and row["key"] in shop_keys else seeds / "micro_conversions.csv",
            is_applicable=row["key"] not in own.not_applicable,
        )
        for row in merged
    )
    return TrackingPlan(
        micro_conversions=micros,
        segments=tuple(
            Segment(row["segment_name"], row["api_dimension"] or None) for row in rows["segments"]
        ),
        funnels=read_funnels(rows["funnel_steps"], micros, seeds / "funnel_steps.csv"),
        advice={row["origin"]: row["advice"] for row in rows["event_origins"]},
        shop=own,
    )


def _check(rows: dict[str, list[Row]], seeds: Path) -> None:
    """What the seeds say of one another."""
    known = {row["key"] for row in rows["micro_conversions"]} | {SESSIONS}
    refuse_unknown(rows["funnel_steps"], "key", known, seeds / "funnel_steps.csv")
    for column in ("numerator", "denominator"):
        refuse_unknown(rows["benchmarks"], column, known, seeds / "benchmarks.csv")
    for row in rows["benchmarks"]:
        refuse_no_range(row, seeds / "benchmarks.csv")
    refuse_other_definition(rows["benchmarks"], seeds / "benchmarks.csv")
    plan_file = seeds / "micro_conversions.csv"
    refuse_unknown(rows["micro_conversions"], "parent_key", known | {"", "@previous"}, plan_file)
    playbook.check_playbook(
        rows[playbook.SEED],
        f"{seeds / playbook.SEED}.csv",
        playbook.Known(
            keys=frozenset(known - {SESSIONS}),
            benchmarks=frozenset(row["benchmark_key"] for row in rows["benchmarks"]),
            funnels=frozenset(row["funnel"] for row in rows["funnel_steps"]),
            segments=frozenset(row["segment_name"] for row in rows["segments"]),
        ),
    )
