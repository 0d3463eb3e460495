"""A key or a parameter that GA4 does not know any more: no zero, and no sum that lacks its days.

The steady shop, of whose second newest day the reports could not ask for three things that were
counted on every other day, and of all days for a key that never was.
"""

from datetime import timedelta

import pytest

from tests.dbt import shop
from tests.dbt.warehouse import Warehouse

SHOP = "51"
LEFT_OUT = shop.LAST - timedelta(days=1)
NEVER = "product_scroll_50"


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


def key(warehouse: Warehouse, name: str, table: str, when: str) -> list[tuple]:
    return warehouse.query(
        f"select sessions, events, tracking_state, is_complete from marts.{table} "
        f"where property_id = ? and segment_name = 'all' and key = ? and {when}",
        [SHOP, name],
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
