"""The dbt layers as assets: one `@dbt_assets` a layer, so that a gate can stand between two.

A check cannot stop work inside one multi-asset. The layers are unpartitioned: staging takes the
run's window as vars, what is below it builds the days that changed; a full refresh builds all.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetObservation,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
)
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtProject,
    dbt_assets,
)

from pipelines.dbt_runner import SluiceDbt
from pipelines.partitions import DayWindow
from pipelines.resources import RunLock
from pipelines.settings import Settings
from pipelines.warehouse.runs import is_rebuilding
from pipelines.windows import worked_window

# Layer → which dbt nodes it builds. Seeds come with the first layer.
LAYERS = {
    "staging": "resource_type:seed tag:staging",
    "intermediate": "tag:intermediate",
    "marts": "tag:marts",
}


class LayerTranslator(DagsterDbtTranslator):
    """Groups assets by layer; keys stay dagster-dbt's own (`marts/fct_funnel_daily`)."""

    def __init__(self, layer: str) -> None:
        # dbt's own tests stop the layer when they fail, and dbt's log has each of them. As asset
        # checks they would be two hundred more events a night, a fifth of its time on tiny data.
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=False))
        self._layer = layer

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> AssetSpec:
        """The default spec in the group of its layer."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        return spec.replace_attributes(group_name=self._layer)


def dbt_arguments(window: DayWindow | None) -> list[str]:
    """Arguments of a layer's build; without a window everything is rebuilt.

    dbt unit tests need no data and leave no asset check: they run in `make test`.
    """
    arguments = ["build", "--exclude-resource-type", "unit_test"]
    if window is None:
        return [*arguments, "--full-refresh"]
    days = {"start_date": window.start.isoformat(), "end_date": window.end.isoformat()}
    return [*arguments, "--vars", json.dumps(days)]


def build_dbt_layers(settings: Settings, manifest: dict[str, Any]) -> list[AssetsDefinition]:
    """The assets of every layer, in order."""
    return [_layer(settings, manifest, name, select) for name, select in LAYERS.items()]


def _layer(
    settings: Settings, manifest: dict[str, Any], layer: str, select: str
) -> AssetsDefinition:
    @dbt_assets(
        manifest=manifest,
        select=select,
        exclude="resource_type:unit_test",
        name=f"dbt_{layer}",
        dagster_dbt_translator=LayerTranslator(layer),
        backfill_policy=BackfillPolicy.single_run(),
    )
    def build(context: AssetExecutionContext, dbt: SluiceDbt, run_lock: RunLock) -> Iterator[Any]:
        window = None
        if not is_rebuilding(settings.build_db):
            window = worked_window(settings, context.run)
        for event in dbt.cli(dbt_arguments(window), context=context).stream():
            if not isinstance(event, AssetObservation):
                yield event

    return build


def layer_keys(layers: list[AssetsDefinition], layer: str) -> list[AssetKey]:
    """Keys of the models of one layer."""
    return sorted(next(one for one in layers if one.op.name == f"dbt_{layer}").keys)
