"""The dbt layers as assets: one `@dbt_assets` a layer, so that a gate can stand between two.

A check cannot stop work inside one multi-asset. The layers are unpartitioned: staging is views,
what is below it builds the days that changed; a full refresh builds all.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
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
from pipelines.orchestration.asset_facts import (
    ANALYTICS,
    DATA,
    FRESHNESS,
    table_metadata,
    topic,
)
from pipelines.orchestration.column_lineage import Lineage, lineage_metadata
from pipelines.orchestration.dbt_cli import SluiceDbt, failed_nodes, first_words
from pipelines.orchestration.layer_build import LAYERS, LayerBuild, selection
from pipelines.orchestration.resources import RunLock
from pipelines.sources.configured import unused
from pipelines.warehouse.runs import is_rebuilding
from pipelines.warehouse.table_facts import table_facts

# The gates judge the generic tests (data_checks/dbt_tests.py), `make test` runs the unit tests.
# The few tests left are whole queries of their own, about seeds; dbt runs them with the layer.
NOT_AT_NIGHT = "resource_type:unit_test test_type:generic"


class LayerTranslator(DagsterDbtTranslator):
    """Groups assets by layer and topic; keys stay dagster-dbt's own (`marts/fct_leak`)."""

    def __init__(self, layer: str, lineage: Lineage, missing: Collection[AssetKey] = ()) -> None:
        """`missing`: models that are not built; nothing depends on them."""
        # The gates judge dbt's tests and report each of them in ops.gate_results. As asset checks
        # they would be two hundred more events a night, a fifth of its time on tiny data.
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=False))
        self._layer = layer
        self._lineage = lineage
        self._missing = missing
        self._specs: dict[str, AssetSpec] = {}

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> AssetSpec:
        """The default spec with topic, owner and freshness; made once, asked for by every event."""
        if unique_id not in self._specs:
            spec = super().get_asset_spec(manifest, unique_id, project)
            if unique_id in manifest["nodes"]:
                spec = spec.replace_attributes(
                    group_name=topic(self._layer, manifest["nodes"][unique_id]),
                    owners=[ANALYTICS],
                    freshness_policy=FRESHNESS,
                )
                # Dagster would make a stub of what is not there.
                there = [dep for dep in spec.deps if dep.asset_key not in self._missing]
                spec = spec.replace_attributes(deps=there)
                columns = self._lineage.get(manifest["nodes"][unique_id]["name"], {})
                spec = spec.merge_attributes(metadata=lineage_metadata(columns))
            self._specs[unique_id] = spec
        return self._specs[unique_id]


def dbt_arguments(*, is_full_refresh: bool) -> list[str]:
    """Arguments of a layer's build; a full refresh builds every day anew."""
    return ["build", *(["--full-refresh"] if is_full_refresh else [])]


def build_dbt_layers(
    settings: Settings, manifest: dict[str, Any], lineage: Lineage
) -> list[AssetsDefinition]:
    """The assets of every layer, in order."""
    tags, keys = set(unused(settings)), DagsterDbtTranslator()
    missing = {
        keys.get_asset_key(node)
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and tags & set(node["tags"])
    }
    return [
        _layer(settings, manifest, LayerTranslator(layer, lineage, missing), layer, select)
        for layer, select in LAYERS.items()
    ]


def _layer(
    settings: Settings,
    manifest: dict[str, Any],
    translator: LayerTranslator,
    layer: str,
    select: str,
) -> AssetsDefinition:
    # Models of a source that no property has are not built: each takes 40 ms a night.
    left_out = " ".join((NOT_AT_NIGHT, *(f"tag:{name}" for name in unused(settings))))

    @dbt_assets(
        manifest=manifest,
        select=select,
        exclude=left_out,
        name=f"dbt_{layer}",
        dagster_dbt_translator=translator,
        backfill_policy=BackfillPolicy.single_run(),
    )
    def build(context: AssetExecutionContext, dbt: SluiceDbt, run_lock: RunLock) -> Iterator[Any]:
        arguments = dbt_arguments(is_full_refresh=is_rebuilding(settings.build_db))

        def attempt() -> Iterator[Output[Any]]:
            events = dbt.cli(arguments, context=context).stream()
            built = [event for event in events if isinstance(event, Output)]
            yield from _with_tables(built, manifest["nodes"], settings.build_db)

        def run_dbt(layers: Sequence[str], nodes: Sequence[str] = ()) -> None:
            chosen = selection(layers, nodes)
            dbt.cli(
                [*arguments, "--select", chosen, "--exclude", left_out], manifest=manifest
            ).wait()

        names = tuple(item.id for item in settings.properties)
        layer_build = LayerBuild(
            settings.build_db, context.run_id, layer, names, settings.clock.now(),
            explain=first_words, failed_nodes=failed_nodes,
        )  # fmt: skip
        yield from layer_build.run(attempt, run_dbt)

    return build


def _with_tables(
    built: Sequence[Output[Any]], nodes: Mapping[str, Any], build_db: Path
) -> Iterator[Output[Any]]:
    """The outputs of a layer with rows and columns, once all of it is there."""
    props = [nodes[str(output.metadata["unique_id"].value)] for output in built]
    facts = table_facts(build_db, [(one["schema"], one["alias"]) for one in props])
    for output, one in zip(built, props, strict=True):
        about = table_metadata(facts[one["schema"], one["alias"]], one)
        yield output.with_metadata({**output.metadata, **about})


def build_ops_specs(manifest: Mapping[str, Any]) -> list[AssetSpec]:
    """What models read of the pipeline's own records: every run writes them, no asset does."""
    return [
        AssetSpec(
            ["ops", source["name"]],
            group_name="ops",
            owners=[DATA],
            kinds={"duckdb"},
            description=source["description"],
        )
        for source in manifest["sources"].values()
        if source["schema"] == "ops"
    ]


def layer_keys(layers: list[AssetsDefinition], layer: str) -> list[AssetKey]:
    """Keys of the models of one layer."""
    return sorted(next(one for one in layers if one.op.name == f"dbt_{layer}").keys)
