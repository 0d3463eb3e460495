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
    Trigger,
    TriggerKind,
)
from pipelines.config.tracking_plan.plan_rows import read_funnels, read_micro
from pipelines.config.tracking_plan.row_models import (
    SEEDS,
    check_row,
    known_names,
    refuse_other_definition,
)
from pipelines.config.tracking_plan.seed_files import SEEDS_DIR, read_seed
from pipelines.errors import SeedError

__all__ = [
    "SEEDS",
    "SEEDS_DIR",
    "SESSIONS",
    "Funnel",
    "FunnelStep",
    "MicroConversion",
    "ParameterCondition",
    "PlanOverrides",
    "Segment",
    "TrackingPlan",
    "Trigger",
    "TriggerKind",
    "load_plan",
]


def load_plan(seeds: Path = SEEDS_DIR, shop: Path | None = None) -> TrackingPlan:
    """Read and check all seed files, and the shop's own file where it has one.

    Raises SeedError: a file that is missing or unreadable, lacks a column, names a row twice,
    or holds a name, a parameter filter, a parameter or a step number that cannot be read.
    """
    rows = {name: read_seed(seeds, name) for name in SEEDS}
    _check(rows, seeds)
    own = read_overrides(shop, rows) if shop else PlanOverrides()
    merged = {row["key"]: row for row in (*rows["micro_conversions"], *own.plan)}
    micros = tuple(
        read_micro(row, is_applicable=key not in own.not_applicable, trigger=own.triggers.get(key))
        for key, row in merged.items()
    )
    return TrackingPlan(
        micro_conversions=micros,
        segments=tuple(
            Segment(row["segment_name"], row["api_dimension"] or None) for row in rows["segments"]
        ),
        funnels=read_funnels(rows["funnel_steps"], micros),
        advice={row["origin"]: row["advice"] for row in rows["event_origins"]},
        shop=own,
    )


def _check(rows: dict[str, list[Row]], seeds: Path) -> None:
    """What the seeds say of one another."""
    known = known_names(rows)
    for name, model in SEEDS.items():
        path = seeds / f"{name}.csv"
        for row in rows[name]:
            check_row(model, row, path, known)
    if missing := known["segments"] - {row["segment_name"] for row in rows["segments"]}:
        raise SeedError(
            f"The seed file {seeds / 'segments.csv'} has no segment '{min(missing)}', which "
            "dbt_project.yml has: add it, or take it out there."
        )
    refuse_other_definition(rows["benchmarks"], seeds / "benchmarks.csv")
    refuse_other_definition(
        [*rows["benchmarks"], *rows["benchmark_figures"]], seeds / "benchmark_figures.csv"
    )
    playbook.check_playbook(
        rows[playbook.SEED],
        f"{seeds / playbook.SEED}.csv",
        playbook.Known(
            keys=known["keys"] - {SESSIONS},
            benchmarks=known["benchmarks"] - {""},
            funnels=frozenset(row["funnel"] for row in rows["funnel_steps"]),
            segments=frozenset(row["segment_name"] for row in rows["segments"]),
        ),
    )
