"""Nights after nights: what a run replaces, and what must not change."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.dbt import shop
from tests.dbt.conftest import Dbt
from tests.dbt.warehouse import Warehouse

FIRST_NIGHT = shop.LAST - timedelta(days=4)
# Every event of these shops is in the plan.
NOTHING_TO_SAY = {
    "intermediate.int_events__suggested", "intermediate.int_events__unplanned",
    "marts.fct_event_suggestion", "intermediate.int_findings__scored", "marts.fct_finding",
    "marts.fct_finding_detail", "marts.fct_finding_recording", "intermediate.int_sources__paired",
    "marts.fct_reconciliation",
    "intermediate.int_experiments__scored", "marts.fct_experiment", "marts.fct_experiment_plan",
    "marts.fct_change_overlap", "marts.fct_shopify_funnel_daily", "marts.fct_shopify_sales_daily",
    "marts.fct_page_friction", "marts.fct_heatmap_click", "marts.fct_scroll_depth",
}  # fmt: skip


@pytest.fixture(scope="module")
def nights(dbt: Dbt, new_warehouse: Callable[[], Warehouse]) -> Warehouse:
    """A first build, and a second night that brings four more days."""
    warehouse = new_warehouse()
    with warehouse.opened():
        shop.open_shops(warehouse)
        shop.fill(warehouse, last=FIRST_NIGHT)
    dbt(warehouse, "seed")
    dbt(warehouse, "run")
    shop.fill(warehouse, first=FIRST_NIGHT + timedelta(days=1))
    run(dbt, warehouse, FIRST_NIGHT + timedelta(days=1))
    return warehouse


def run(dbt: Dbt, warehouse: Warehouse, first: date, *selection: str) -> None:
    window = {"start_date": str(first), "end_date": str(shop.LAST)}
    dbt(warehouse, "run", "--vars", json.dumps(window), *selection)


def content(warehouse: Warehouse) -> dict[str, list[tuple]]:
    """Every row of every table that dbt builds from the data, in an order of its own.

    Without the tables that remember which days are to be built again.
    """
    with warehouse.opened() as connection:
        names = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where schema_name in ('staging', 'intermediate', 'marts') "
            "and table_name not like 'int_days__%' order by 1"
        ).fetchall()
        return {
            name: connection.execute(f"from {name} order by all").fetchall() for (name,) in names
        }


def test_the_same_night_again_changes_no_row(dbt: Dbt, nights: Warehouse) -> None:
    before = content(nights)
    run(dbt, nights, FIRST_NIGHT)
    assert content(nights) == before
    assert {name for name, rows in before.items() if not rows} == NOTHING_TO_SAY


def test_a_full_refresh_equals_the_incremental_build(
    nights: Warehouse, built_shops: Warehouse, tmp_path: Path
) -> None:
    """As one build of all days does; a full refresh over older tables: test_changed_days.py."""
    assert content(built_shops.copied_to(tmp_path)) == content(nights)


def test_a_day_whose_source_became_empty_is_emptied(dbt: Dbt, nights: Warehouse) -> None:
    before = content(nights)
    nights.query("create table raw.kept as from raw.ga4_events_by_all where date = ?", [shop.LAST])
    nights.query("delete from raw.ga4_events_by_all where date = ?", [shop.LAST])
    run(dbt, nights, shop.LAST, "--select", "stg_ga4__events")
    days = "select count(distinct date) from staging.stg_ga4__events where segment_name = 'all' and"
    assert nights.query(f"{days} date = ?", [shop.LAST]) == [(0,)]
    assert nights.query(f"{days} property_id = ?", [shop.STEADY]) == [(34,)]

    nights.query("insert into raw.ga4_events_by_all from raw.kept")
    run(dbt, nights, shop.LAST, "--select", "stg_ga4__events")
    assert content(nights) == before


def test_an_inactive_property_disappears_downstream_of_staging(
    changed_shops: Warehouse, rested_shops: Warehouse
) -> None:
    before, after = content(changed_shops), content(rested_shops)
    for name, rows in after.items():
        columns = rested_shops.query(f"describe {name}")
        if columns[0][0] == "property_id":
            assert {row[0] for row in rows} <= {shop.STEADY, shop.GAPPY}, name
            assert of(shop.STEADY, rows) == of(shop.STEADY, before[name]), name


def of(property_id: str, rows: list[tuple]) -> list[tuple]:
    return [row for row in rows if row[0] == property_id]
