"""A key or a parameter that a report says nothing of: no zero, and no sum that lacks its days.

The steady shop, of whose second newest day the reports could not ask for three things that were
counted on every other day, and of all days for a key that never was. And one whose tracking plan
was changed, of whose days before NEW_PLAN nothing was pulled again.
"""

from datetime import timedelta

import pytest

from tests.dbt import shop
from tests.dbt.warehouse import Warehouse

SHOP = "51"
LEFT_OUT = shop.LAST - timedelta(days=1)
NEVER = "product_scroll_50"
CHANGED = "52"
NEW_PLAN = shop.LAST - timedelta(days=6)
OLD_VERSION = 7
# What both plans have, and count otherwise.
OTHERWISE = {
    "micro_by_all": "email_capture", "page_micro": "home_view", "event_params": "payment_type",
    "cells": "add_to_cart",
}  # fmt: skip


def fill(warehouse: Warehouse) -> None:
    warehouse.add_property(SHOP, "Europe/Berlin")
    shop.fill_steady(warehouse, SHOP)
    for table, name in (
        ("micro_by_all", "email_capture"), ("page_micro", "home_view"),
        ("event_params", "payment_type"),
    ):  # fmt: skip
        column = "parameter" if table == "event_params" else "micro_key"
        ((deleted,),) = warehouse.query(
            f"delete from raw.ga4_{table} where property_id = ? and date = ? and {column} = ?",
            [SHOP, LEFT_OUT, name],
        )
        assert deleted == 1
        warehouse.flag(SHOP, LEFT_OUT, table, f"left_out = '{name}'")
    for day in shop.dates():
        warehouse.flag(SHOP, day, "micro_by_%", f"left_out = concat_ws(',', '{NEVER}', left_out)")
    _change_plan(warehouse)


def _change_plan(warehouse: Warehouse) -> None:
    warehouse.add_property(CHANGED, "Europe/Berlin")
    shop.fill_steady(warehouse, CHANGED)
    for report, name in OTHERWISE.items():
        for version, meaning in ((1, "new"), (OLD_VERSION, "old")):
            warehouse.query(
                "insert into ops.report_parts values (?, ?, ?, ?, ?), (?, ?, 'same', 'same', ?)",
                [report, version, name, meaning, version == 1, report, version, version == 1],
            )
        for day in shop.dates(last=NEW_PLAN - timedelta(days=1)):
            warehouse.flag(CHANGED, day, report, f"report_version = {OLD_VERSION}")


def key(
    warehouse: Warehouse, name: str, table: str, when: str, property_id: str = SHOP
) -> list[tuple]:
    return warehouse.query(
        f"select sessions, events, tracking_state, is_complete from marts.{table} "
        f"where property_id = ? and segment_name = 'all' and key = ? and {when}",
        [property_id, name],
    )


def test_its_day_has_no_number(hand_made: Warehouse) -> None:
    daily = "fct_micro_conversion_daily"
    day = f"date = date '{LEFT_OUT}'"
    assert key(hand_made, "email_capture", daily, day) == [(None, None, "withheld", False)]
    before = f"date = date '{LEFT_OUT - timedelta(days=1)}'"
    assert key(hand_made, "email_capture", daily, before) == [(3, 6, "tracked", True)]
    # Nothing else of that day is in doubt.
    assert key(hand_made, "product_view", daily, day) == [(90, 180, "tracked", True)]


def test_windows_over_it_have_none(hand_made: Warehouse) -> None:
    window = "fct_micro_conversion_window"
    for name in ("7d", "28d"):
        when = f"window_name = '{name}'"
        assert key(hand_made, "email_capture", window, when) == [(None, None, "withheld", False)]
    # January is whole.
    assert key(hand_made, "email_capture", window, "window_name = 'month'") == [
        (93, 186, "tracked", True)
    ]


def test_a_key_that_was_never_there_is_not_tracked(hand_made: Warehouse) -> None:
    state = "select distinct tracking_state from marts.fct_tracking_coverage "
    assert hand_made.query(f"{state} where property_id = ? and key = ?", [SHOP, NEVER]) == [
        ("not_tracked",)
    ]


@pytest.mark.parametrize(
    ("table", "what", "days"),
    [
        ("fct_page_micro_conversion", "key = 'home_view'", 95),
        ("fct_event_parameter", "parameter = 'payment_type'", 2),
    ],
)
def test_pages_and_parameters_too(hand_made: Warehouse, table: str, what: str, days: int) -> None:
    found = hand_made.query(
        f"select window_name, sessions, is_complete from marts.{table} where property_id = ? "
        f"and {what} and window_name in ('7d', 'month') order by all",
        [SHOP],
    )
    assert found == [("7d", None, False), ("month", 31 * days, True)]


def test_what_another_plan_counted_is_not_the_key_of_now(hand_made: Warehouse) -> None:
    def told(table: str, when: str) -> list[tuple]:
        return key(hand_made, OTHERWISE["micro_by_all"], table, when, CHANGED)

    before = f"date = date '{NEW_PLAN - timedelta(days=1)}'"
    daily, window = "fct_micro_conversion_daily", "fct_micro_conversion_window"
    assert told(daily, before) == [(None, None, "withheld", False)]
    assert told(daily, f"date = date '{NEW_PLAN}'") == [(3, 6, "tracked", True)]
    # All seven days are the new plan's; of January only four are.
    assert told(window, "window_name = '7d'") == [(21, 42, "tracked", True)]
    assert told(window, "window_name = 'month'") == [(None, None, "withheld", False)]


def test_nor_are_its_cells_pages_and_parameters(hand_made: Warehouse) -> None:
    assert hand_made.query(
        "select date >= ?, step_key, reached from marts.fct_cell_funnel where property_id = ? "
        "and step_key in (?, 'purchase') and cube = 'device_channel_visitor' "
        "group by all order by all",
        [NEW_PLAN, CHANGED, OTHERWISE["cells"]],
    ) == [
        (False, "add_to_cart", None), (False, "purchase", 1),
        (True, "add_to_cart", 3), (True, "purchase", 1),
    ]  # fmt: skip
    for report, (table, column) in {
        "page_micro": ("fct_page_micro_conversion", "key"),
        "event_params": ("fct_event_parameter", "parameter"),
    }.items():
        assert hand_made.query(
            f"select window_name, sessions is null, is_complete from marts.{table} "
            f"where property_id = ? and {column} = ? and window_name in ('7d', 'month') "
            "order by all",
            [CHANGED, OTHERWISE[report]],
        ) == [("7d", False, True), ("month", True, False)]
