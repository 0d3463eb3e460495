"""The three hand-made shops of these tests, small enough to work every number out on paper.

The steady shop has 35 equal days. The blind one has 10, its checkout tag is missing, and on its
last day nobody came. The gappy one is the steady one, but for a single small row by device on one
of the newest seven days, of which nobody knows at first.
"""

from datetime import UTC, date, datetime, timedelta

from tests.dbt.warehouse import Day, Warehouse

FIRST = date(2026, 1, 1)
LAST = date(2026, 2, 4)
BLIND_FIRST = date(2026, 1, 26)
PROPERTIES = STEADY, BLIND, GAPPY = "1", "2", "3"
GAP = LAST - timedelta(days=2)

# A day of the steady shop. mobile: 3/60 = 5 % add to cart; desktop: 6/30 = 20 %.
MOBILE = Day(
    100, {"view_item": 60, "add_to_cart": 3, "begin_checkout": 2, "purchase": 1}, revenue=50.0
)
DESKTOP = Day(
    50, {"view_item": 30, "add_to_cart": 6, "begin_checkout": 3, "purchase": 2}, revenue=100.0
)
WHOLE = Day(
    150,
    {"view_item": 90, "add_to_cart": 9, "begin_checkout": 5, "purchase": 3},
    {"email_capture": 3},
    150.0,
)
# A day of the shop whose checkout tag is missing: orders come, begin_checkout never does.
UNTAGGED = Day(80, {"view_item": 40, "add_to_cart": 4, "purchase": 2}, revenue=20.0)
SMALL = Day(3, {"view_item": 2})
REPULLED_AT = datetime(2026, 2, 5, 5, 30, tzinfo=UTC)

_MOBILE_STEPS = (
    "unnest(['sessions', 'product_view', 'add_to_cart', 'checkout_start', 'purchase']) as "
    "micro_key, unnest([400, 120, 6, 4, 2]) as event_count, unnest([100, 60, 3, 2, 1]) as "
    "sessions, 'mobile' as device_category"
)
# Raw tables without segments: what the steady shop has in them on every date.
OTHER_REPORTS = {
    "cells": f"{_MOBILE_STEPS}, 'Direct' as session_default_channel_group, "
    "'new' as new_vs_returning",
    "cells_country": f"{_MOBILE_STEPS}, 'Germany' as country",
    "items": "'sku' as item_id, 'Mug' as item_name, 20 as items_viewed, 5 as items_added_to_cart, "
    "4 as items_checked_out, 2 as items_purchased, 30.0 as item_revenue",
    "pages": "'/' as page_path, 200 as screen_page_views, 100 as sessions, "
    "60 as engaged_sessions, 400.0 as user_engagement_duration",
    "page_events": "'view_promotion' as event_name, '/' as page_path, 90 as event_count, "
    "80 as sessions",
    "page_micro": "'home_view' as micro_key, '/' as page_path, 150 as event_count, 95 as sessions",
    "item_lists": "'Mugs' as item_list_name, 80 as items_viewed_in_list, "
    "4 as items_clicked_in_list",
    "event_params": "'payment_type' as parameter, 'add_payment_info' as event_name, "
    "'card' as parameter_value, 2 as event_count, 2 as sessions",
    "users_window": "'7d' as window_name, date '2026-01-01' as window_start, "
    "'all' as event_name, 'all' as device_category, 90 as total_users, 80 as active_users",
    "funnel": "unnest(['1d', '28d', '28d', '28d']) as window_name, date '2026-01-01' as "
    "window_start, unnest(['core', 'core', 'view_to_add', 'lift_gallery']) as funnel, "
    "'all' as device_category, 1 as step_number, 'product_view' as step_key, 70 as active_users",
    "funnel_next_action": "'28d' as window_name, date '2026-01-01' as window_start, "
    "'core' as funnel, 'all' as device_category, 1 as step_number, 'product_view' as step_key, "
    "unnest(['(all)', 'scroll']) as next_action, unnest([70, 7]) as active_users",
    "metadata": "'metric' as kind, 'sessions' as api_name, false as is_custom",
}


def dates(first: date = FIRST, last: date = LAST) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def steady_day() -> dict[tuple[str, str], Day]:
    return {
        ("all", "all"): WHOLE,
        ("device", "mobile"): MOBILE,
        ("device", "desktop"): DESKTOP,
        ("country", "Germany"): WHOLE,
        ("landing_page", "/"): MOBILE,
    }


def fill(warehouse: Warehouse, first: date = FIRST, last: date = LAST) -> None:
    """The dates of all shops from `first` to `last`; each has its own beginning."""
    fill_steady(warehouse, STEADY, first, last)
    fill_steady(warehouse, GAPPY, first, last)
    if first <= GAP <= last:
        parts = {key: cell for key, cell in steady_day().items() if key[0] != "device"}
        gap = {**parts, ("device", "mobile"): SMALL}
        warehouse.load(GAPPY, {GAP: gap}, pulled_at=REPULLED_AT)
    warehouse.load(
        BLIND,
        {
            day: {} if day == LAST else {("all", "all"): UNTAGGED}
            for day in dates(first, last)
            if day >= BLIND_FIRST
        },
    )


def fill_steady(
    warehouse: Warehouse, property_id: str, first: date = FIRST, last: date = LAST
) -> None:
    """The dates of a steady shop, with every report."""
    loaded = dates(first, last)
    warehouse.load(property_id, {day: steady_day() for day in loaded})
    _add_window_pulls(warehouse, property_id, loaded)
    for table, columns in OTHER_REPORTS.items():
        warehouse.query(
            f"delete from raw.ga4_{table} where property_id = ? and date between ? and ?",
            [property_id, first, last],
        )
        warehouse.query(
            f"insert into raw.ga4_{table} by name select * from (select ? as property_id, "
            "unnest(?) as date, timestamptz '2026-02-05 05:30:00+00' as pulled_at, "
            f"'pull' as pull_id) cross join (select {columns})",
            [property_id, loaded],
        )


def _add_window_pulls(warehouse: Warehouse, property_id: str, loaded: list[date]) -> None:
    """A loaded pull of each report of whole windows, for every date."""
    warehouse.query(
        "insert into ops.pulls (pull_id, property_id, report, report_version, date, window_name, "
        "status, row_count, totals, currency, time_zone, pulled_at) "
        "select 'pull', ?, report, 1, unnest(?), '28d', 'loaded', 1, '{}', 'EUR', "
        "'Europe/Berlin', timestamptz '2026-02-05 05:30:00+00' "
        "from (values ('funnel'), ('funnel_next_action')) as reports (report)",
        [property_id, loaded],
    )


def open_shops(warehouse: Warehouse) -> None:
    """Make the properties known; none has data yet."""
    warehouse.add_property(STEADY, "Europe/Berlin")
    warehouse.add_property(GAPPY, "Europe/Berlin")
    warehouse.add_property(BLIND, "America/Los_Angeles")
