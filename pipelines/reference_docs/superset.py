"""The Superset dashboard of docs/bi: its datasets, and the zip that Superset imports.

Charts and dashboard are an export that people edit in Superset; the datasets are made here from the
contracts of the marts, so that every column arrives with its type and description.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import yaml

from pipelines.config.folders import PROJECT_DIR
from pipelines.config.settings import load_settings
from pipelines.reference_docs.mart_contracts import Mart, read_marts

EXPORT = PROJECT_DIR / "docs" / "bi" / "superset"
ZIP = PROJECT_DIR / "build" / "superset-dashboard.zip"
# Ids of the export are made of a name and this; by them Superset knows what it has already.
_NAMES = UUID("5b1f2c9e-7a53-4f7e-9d55-0d6c6a3f51ce")
# Stands in databases/Sluice.yaml for the folder `published` of a home.
PLACEHOLDER = "/path/to/sluice/data/published"
DATASETS = (
    "dim_metric",
    "fct_benchmark_comparison",
    "fct_benchmark_figure",
    "fct_cart_recovery",
    "fct_finding",
    "fct_funnel_period",
    "fct_funnel_window",
    "fct_leak",
    "fct_micro_conversion_window",
    "fct_sales_daily",
    "fct_tracking_coverage",
)


def dataset(mart: Mart) -> dict[str, Any]:
    """A mart in the form of a dataset of Superset."""
    times = [name for name, column in mart.columns.items() if _is_time(column.data_type)]
    return {
        "table_name": mart.name,
        "schema": "marts",
        "description": mart.description,
        "main_dttm_col": "date" if "date" in times else None,
        "columns": [
            {
                "column_name": name,
                "type": column.data_type.upper(),
                "is_dttm": name in times,
                "groupby": True,
                "filterable": True,
                "description": column.description,
            }
            for name, column in mart.columns.items()
        ],
        "metrics": [],
        "uuid": str(uuid5(_NAMES, f"dataset {mart.name}")),
        "version": "1.0.0",
        "database_uuid": str(uuid5(_NAMES, "database")),
    }


def bundle(published: Path, target: Path) -> Path:
    """Zip export and datasets; the connection points at `published`, as Superset sees it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    marts = read_marts()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(EXPORT.rglob("*.yaml")):
            text = path.read_text(encoding="utf-8").replace(PLACEHOLDER, str(published.absolute()))
            archive.writestr(f"sluice/{path.relative_to(EXPORT)}", text)
        for name in DATASETS:
            text = yaml.safe_dump(dataset(marts[name]), sort_keys=False)
            archive.writestr(f"sluice/datasets/Sluice/{name}.yaml", text)
    return target


def _is_time(data_type: str) -> bool:
    return data_type == "date" or data_type.startswith("timestamp")


if __name__ == "__main__":
    seen = Path(sys.argv[1]) if len(sys.argv) > 1 else load_settings().published_dir
    print(f"{bundle(seen, ZIP)}: import it in Superset under Dashboards > Import.")
