"""The semantic layer and the exposures: valid for MetricFlow, and about columns that there are."""

import re
from pathlib import Path
from typing import Any

import pytest
from dbt.contracts.graph.semantic_manifest import SemanticManifest

import pipelines
from pipelines.reference_docs.metrics_document import read_document
from tests.dbt.conftest import Dbt

PACKAGE = Path(pipelines.__file__).parent


@pytest.fixture(scope="module")
def manifest(dbt: Dbt) -> Any:
    return dbt.manifest


def test_the_semantic_manifest_is_valid(manifest: Any) -> None:
    assert len(manifest.semantic_models) == 3
    assert {metric.type.value for metric in manifest.metrics.values()} == {"simple", "ratio"}
    assert SemanticManifest(manifest).validate()
    (spine,) = [node for node in manifest.nodes.values() if getattr(node, "time_spine", None)]
    assert spine.name == "dim_date"


def test_every_measure_and_dimension_is_a_column_of_its_mart(manifest: Any) -> None:
    for semantic in manifest.semantic_models.values():
        (parent,) = semantic.depends_on.nodes
        columns = set(manifest.nodes[parent].columns)
        used = {one.expr or one.name for one in (*semantic.measures, *semantic.dimensions)}
        used |= {one.expr or one.name for one in semantic.entities}
        assert used <= columns, f"{semantic.name}: no {used - columns} in {parent}"


def test_a_measure_of_sessions_is_held_at_one_step_of_the_whole_property(manifest: Any) -> None:
    """Sessions over steps, keys or segments overlap: no simple metric leaves one of them open."""
    for metric in manifest.metrics.values():
        measure = metric.type_params.measure
        if measure is None or measure.name not in {"reached_sessions", "key_sessions"}:
            continue
        where = " ".join(one.where_sql_template for one in metric.filter.where_filters)
        key = "step_key" if measure.name == "reached_sessions" else "__key"
        assert "segment_name') }} = 'all'" in where
        assert key + "') }} = '" in where


def test_the_main_rates_of_the_documents_are_metrics(manifest: Any) -> None:
    names = {metric.name for metric in manifest.metrics.values()}
    assert {one.semantic for one in read_document().metrics if one.semantic} <= names


def test_the_exposures_read_marts_only(manifest: Any) -> None:
    exposures = {one.name: one for one in manifest.exposures.values()}
    assert exposures.keys() >= {"report", "bi", "command_line"}
    for one in exposures.values():
        schemas = {manifest.nodes[name].schema for name in one.depends_on.nodes}
        assert schemas == {"marts"}


def test_the_command_line_names_every_mart_that_its_code_reads(manifest: Any) -> None:
    """What the page reads, its queries tell: tests/e2e/test_exposures.py."""
    folders = [PACKAGE / "cli", PACKAGE / "experiments", PACKAGE / "gtm"]
    files = [*(path for folder in folders for path in folder.rglob("*.py"))]
    files += [PACKAGE / "monitoring" / "status.py", PACKAGE / "publishing" / "verdict.py"]
    files += [PACKAGE / "warehouse" / "published_property.py"]
    text = " ".join(file.read_text(encoding="utf-8") for file in files)
    (found,) = [one for one in manifest.exposures.values() if one.name == "command_line"]
    named = {manifest.nodes[name].name for name in found.depends_on.nodes}
    assert set(re.findall(r"\b(?:fct|dim)_[a-z_]*[a-z]\b", text)) == named
