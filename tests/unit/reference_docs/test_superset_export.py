"""The dashboard of docs/bi: its files fit each other, and the marts. Superset itself: tests/bi."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.reference_docs.mart_contracts import read_marts
from pipelines.reference_docs.superset import DATASETS, EXPORT, bundle, dataset


def loaded(folder: str) -> dict[str, Any]:
    return {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted((EXPORT / folder).rglob("*.yaml"))
    }


CHARTS = loaded("charts")
MARTS = read_marts()
TABLES = {dataset(MARTS[name])["uuid"]: name for name in DATASETS}


def test_every_chart_is_on_the_dashboard_and_every_dataset_in_a_chart() -> None:
    (dashboard,) = loaded("dashboards").values()
    placed = [one["meta"] for key, one in dashboard["position"].items() if key.startswith("CHART")]
    assert {one["uuid"]: one["sliceName"] for one in placed} == {
        chart["uuid"]: chart["slice_name"] for chart in CHARTS.values()
    }
    assert {TABLES[chart["dataset_uuid"]] for chart in CHARTS.values()} == set(DATASETS)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_asks_the_api_for_what_it_draws(name: str) -> None:
    """An export holds the query twice: as `params` for the page, and for the API."""
    params = CHARTS[name]["params"]
    (query,) = json.loads(CHARTS[name]["query_context"])["queries"]
    drawn = [
        (one["subject"], one["operator"], one.get("comparator")) for one in params["adhoc_filters"]
    ]
    assert drawn == [(one["col"], one["op"], one.get("val")) for one in query["filters"]]
    assert params.get("all_columns", []) == (query["columns"] if "all_columns" in params else [])
    metrics = params.get("metrics") or [params["metric"]] if "all_columns" not in params else None
    assert metrics == query.get("metrics")


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_uses_columns_that_there_are(name: str) -> None:
    columns = MARTS[TABLES[CHARTS[name]["dataset_uuid"]]].columns.keys()
    params = CHARTS[name]["params"]
    named = [*params.get("all_columns", []), *params.get("groupby", [])]
    assert {*named, *(one["subject"] for one in params["adhoc_filters"])} <= columns


def test_the_zip_points_at_the_published_folder(tmp_path: Path) -> None:
    target = bundle(Path("/shop/published"), tmp_path / "dashboard.zip")
    with zipfile.ZipFile(target) as archive:
        names = archive.namelist()
        database = yaml.safe_load(archive.read("sluice/databases/Sluice.yaml"))
        leaks = yaml.safe_load(archive.read("sluice/datasets/Sluice/fct_leak.yaml"))
    assert database["sqlalchemy_uri"] == (
        "duckdb:////shop/published/current/sluice.duckdb?access_mode=read_only"
    )
    assert "sluice/metadata.yaml" in names
    assert len(names) == len(list(EXPORT.rglob("*.yaml"))) + len(DATASETS)
    assert leaks["database_uuid"] == database["uuid"]
    assert leaks["columns"][2] == {
        "column_name": "window_start", "type": "DATE", "is_dttm": True, "groupby": True,
        "filterable": True, "description": "First date of the window.",
    }  # fmt: skip
