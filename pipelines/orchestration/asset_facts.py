"""What people read of an asset in Dagster: owner, topic, freshness, rows and columns.

Lineage of columns is found when the UI starts, and not in a night (`column_lineage`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from dagster import FreshnessPolicy, TableColumn, TableSchema

from pipelines.monitoring.health import PATIENCE
from pipelines.warehouse.table_facts import TableFacts

# Dagster's own names for what it shows in a place of its own.
ROW_COUNT, COLUMN_SCHEMA = "dagster/row_count", "dagster/column_schema"
# Who answers for what: the pulls and what they leave behind, the models, what readers get.
DATA, ANALYTICS, REPORTING = "team:data", "team:analytics", "team:reporting"
# Of a run a day, a warning where one is two hours later than the one before.
FRESHNESS = FreshnessPolicy.time_window(fail_window=PATIENCE, warn_window=timedelta(hours=26))


def topic(layer: str, props: Mapping[str, Any]) -> str:
    """The group of a dbt node: its layer and the folder that its topic has there."""
    return "seeds" if props["resource_type"] == "seed" else "_".join([layer, *props["fqn"][2:-1]])


def columns_metadata(columns: Mapping[str, str], words: Mapping[str, str]) -> dict[str, Any]:
    """Column → type as Dagster shows it, with a description where there is one."""
    shown = [TableColumn(name, kind, description=words.get(name)) for name, kind in columns.items()]
    return {COLUMN_SCHEMA: TableSchema(shown)}


def table_metadata(facts: TableFacts, props: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of a built model; its columns where its YAML does not have all of them."""
    described = props["columns"]
    words = {name: column["description"] for name, column in described.items()}
    is_told = len(described) == len(facts.columns)
    return {ROW_COUNT: facts.rows, **({} if is_told else columns_metadata(facts.columns, words))}
