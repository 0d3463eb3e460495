"""`build_defs`: the one place where assets, checks, jobs and schedules are registered."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from dagster import AssetKey, AssetsDefinition, BetaWarning, Definitions, in_process_executor

from data_checks import GATES, tests_of_layer
from pipelines.config.folders import DBT_PROJECT_DIR
from pipelines.config.settings import Settings, load_settings
from pipelines.config.tracking_plan import load_plan
from pipelines.ga4.report_catalog import build_reports
from pipelines.ingest.run_window import with_remembered_time_zones
from pipelines.orchestration.assets.dbt_layers import (
    build_dbt_layers,
    build_ops_specs,
    layer_keys,
)
from pipelines.orchestration.assets.publish_asset import build_publish_asset
from pipelines.orchestration.assets.raw_assets import build_raw_assets
from pipelines.orchestration.assets.report_asset import build_report_asset
from pipelines.orchestration.assets.source_assets import build_source_assets
from pipelines.orchestration.checks import build_gate
from pipelines.orchestration.column_lineage import Lineage
from pipelines.orchestration.dbt_cli import parse_project
from pipelines.orchestration.event_log import write_less
from pipelines.orchestration.jobs import build_nightly_job
from pipelines.orchestration.resources import default_resources
from pipelines.orchestration.schedules import build_nightly_schedule
from pipelines.sources.configured import unused


def build_defs(
    settings: Settings | None = None,
    resources: Mapping[str, Any] | None = None,
    lineage: Lineage | None = None,
) -> Definitions:
    """Everything Dagster needs to know.

    `settings` default to `load_settings()`; `resources` replace the default ones by name; the
    `lineage` of columns is only looked at in the UI.
    Raises ConfigError or SeedError when a file the definitions are made from is broken.
    """
    settings = with_remembered_time_zones(settings or load_settings())
    # `backfill_policy` on an unpartitioned asset is beta in Dagster 1.13, and works.
    warnings.simplefilter("ignore", BetaWarning)
    write_less()
    plan = load_plan(shop=settings.tracking_plan)
    raw = build_raw_assets(settings, build_reports(plan), plan)
    manifest = parse_project(DBT_PROJECT_DIR, settings.cache_dir).as_dict
    layers = build_dbt_layers(settings, manifest, lineage or {})
    marts = layer_keys(layers, "marts")
    published = [build_report_asset(settings, marts), build_publish_asset(settings, marts)]
    stages = [raw, *layers, published[0]]
    gates = [
        build_gate(
            settings,
            gate,
            _read_by(after, stage, gate),
            tests_of_layer(manifest, gate, without=unused(settings)),
        )
        for gate, (stage, after) in zip(GATES, pairwise(stages), strict=True)
    ]
    job = build_nightly_job(settings)
    return Definitions(
        assets=[
            raw,
            *build_source_assets(settings),
            *build_ops_specs(manifest),
            *layers,
            *published,
        ],
        asset_checks=gates,
        jobs=[job],
        schedules=[build_nightly_schedule(settings, job)],
        resources={**default_resources(settings), **(resources or {})},
        # One writer: DuckDB takes one process, and on two cores the multiprocess executor took
        # 3-4 times as long. It has to stand here; on the job alone it is not enough.
        executor=in_process_executor,
    )


def _read_by(after: AssetsDefinition, stage: AssetsDefinition, gate: str) -> AssetKey:
    """The asset of the stage, of the gate's own schema, that most of what comes after reads."""
    read = Counter(key for keys in after.asset_deps.values() for key in keys)
    own = sorted(key for key in stage.keys & read.keys() if key.path[0] == gate)
    return max(own, key=lambda key: read[key])
