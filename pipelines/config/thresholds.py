"""The thresholds of dbt_project/dbt_project.yml, where SQL has them, for code that is not SQL."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import yaml

from pipelines.config.folders import DBT_PROJECT_DIR


@cache
def _variables() -> dict[str, Any]:
    text = (DBT_PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8")
    variables: dict[str, Any] = yaml.safe_load(text)["vars"]
    return variables


def segment_columns() -> dict[str, str]:
    """Segment → its column in raw.ga4_*_by_<segment>; '' for the whole property."""
    return {name: column or "" for name, column in _variables()["segments"].items()}


def item_counts() -> dict[str, str]:
    """Key of the tracking plan → the column of its units by item."""
    return dict(_variables()["item_counts"])


def day_of(name: str) -> date:
    """The dbt variable of this name, which is a day; KeyError where there is none."""
    return date.fromisoformat(_variables()[name])


def threshold(name: str) -> float:
    """The dbt variable of this name; KeyError where there is none."""
    value: float = _variables()[name]
    return value
