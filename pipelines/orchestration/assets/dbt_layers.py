"""The dbt layers as assets: one `@dbt_assets` a layer, so that a gate can stand between two.

A check cannot stop work inside one multi-asset. The layers are unpartitioned: staging is views,
what is below it builds the days that changed; a full refresh builds all.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetObservation,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    Output,
)
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtProject,
    dbt_assets,
)

from pipelines.config.settings import Settings
from pipelines.orchestration.dbt_cli import SluiceDbt, first_words
from pipelines.orchestration.layer_build import LAYERS, LayerBuild
from pipelines.orchestration.resources import RunLock
from pipelines.warehouse.runs import is_rebuilding

# The gates judge the generic tests (data_checks/dbt_tests.py), `make test` runs the unit tests.
# The few tests left are whole queries of their own, about seeds; dbt runs them with the layer.
NOT_AT_NIGHT = "resource_type:unit_test test_type:generic"


class LayerTranslator(DagsterDbtTranslator):
    """Groups assets by layer; keys stay dagster-dbt's own (`marts/fct_funnel_daily`)."""

    def __init__(self, layer: str) -> None:
        # The gates judge dbt's tests and report each of them in ops.gate_results. As asset checks
        # they would be two hundred more events a night, a fifth of its time on tiny data.
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=False))
        self._layer = layer
        self._specs: dict[str, AssetSpec] = {}

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> AssetSpec:
        """The default spec in the group of its layer; made once, asked for by every event."""
        if unique_id not in self._specs:
            spec = super().get_asset_spec(manifest, unique_id, project)
            self._specs[unique_id] = spec.replace_attributes(group_name=self._layer)
        return self._specs[unique_id]


def dbt_arguments(*, is_full_refresh: bool) -> list[str]:
    """Arguments of a layer's build; a full refresh builds every day anew."""
    return ["build", *(["--full-refresh"] if is_full_refresh else [])]


def build_dbt_layers(settings: Settings, manifest: dict[str, Any]) -> list[AssetsDefinition]:
    """The assets of every layer, in order."""
    return [_layer(settings, manifest, name, select) for name, select in LAYERS.items()]


def _layer(
    settings: Settings, manifest: dict[str, Any], layer: str, select: str
) -> AssetsDefinition:
    @dbt_assets(
        manifest=manifest,
        select=select,
        exclude=NOT_AT_NIGHT,
        name=f"dbt_{layer}",
        dagster_dbt_translator=LayerTranslator(layer),
        backfill_policy=BackfillPolicy.single_run(),
    )
    def build(context: AssetExecutionContext, dbt: SluiceDbt, run_lock: RunLock) -> Iterator[Any]:
        arguments = dbt_arguments(is_full_refresh=is_rebuilding(settings.build_db))
        told: set[str] = set()

        def attempt() -> Iterator[Any]:
            yield from _new(dbt.cli(arguments, context=context).stream(), told)

        def run_dbt(layers: Sequence[str]) -> None:
            chosen = " ".join(LAYERS[name] for name in layers)
            dbt.cli(
                [*arguments, "--select", chosen, "--exclude", NOT_AT_NIGHT], manifest=manifest
            ).wait()

        names = tuple(item.id for item in settings.properties)
        layer_build = LayerBuild(
            settings.build_db, context.run_id, layer, names, settings.clock.now(), first_words
        )
        yield from layer_build.run(attempt, run_dbt)

    return build


def _new(events: Iterator[Any], told: set[str]) -> Iterator[Any]:
    """Without what Dagster was told before: a layer that is built again has the same outputs."""
    for event in events:
        if isinstance(event, AssetObservation):
            continue
        if isinstance(event, Output):
            if event.output_name in told:
                continue
            told.add(event.output_name)
        yield event


def layer_keys(layers: list[AssetsDefinition], layer: str) -> list[AssetKey]:
    """Keys of the models of one layer."""
    return sorted(next(one for one in layers if one.op.name == f"dbt_{layer}").keys)
