"""What becomes known of old days after the shops of `shop.py` were built."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.dbt import shop
from tests.dbt.warehouse import Warehouse

# Pulled again: ten days ago nobody added anything at the steady shop after all.
OLD_DAY = shop.LAST - timedelta(days=10)
# Of the gappy shop, in the newest seven days: beside the gap by device, a weak day of the lists.
WEAK = shop.LAST - timedelta(days=3)
# In the seven days before: by country, GA4's own total has 20 % more than the rows.
LACKING = shop.LAST - timedelta(days=9)
# Further back, one row in 1,400 is missing, of reports that are complete otherwise.
SLIGHT = shop.LAST - timedelta(days=12)
SLIGHTLY_SHORT = (
    *("sessions_by_landing_page", "events_by_landing_page", "micro_by_landing_page", "items"),
    *("item_lists", "pages", "page_events", "page_micro", "event_params"),
)
REPULLED_AT = datetime(2026, 2, 6, 5, 30, tzinfo=UTC)


def change(warehouse: Warehouse) -> None:
    """The steady shop's old day is pulled again; raw gate and pulls mark days of the gappy one.

    All days of before passed their tests.
    """
    warehouse.query(
        "insert into ops.tested_days select property_id, date, '1' "
        "from intermediate.int_days__versioned"
    )
    silent = {
        key: replace(cell, events={**cell.events, "add_to_cart": 0})
        for key, cell in shop.steady_day().items()
    }
    warehouse.load(shop.STEADY, {OLD_DAY: silent}, pulled_at=REPULLED_AT)
    warehouse.flag(shop.GAPPY, LACKING, "sessions_by_country", "missing_share = 0.2")
    for report in SLIGHTLY_SHORT:
        warehouse.flag(shop.GAPPY, SLIGHT, report, "missing_share = 0.0007")
    warehouse.query(
        "insert into ops.day_warnings values "
        "($1, 'sessions_by_device', $2, 'parts_add_up_to_total', 'missing_rows', 'parts 3', now()),"
        "($1, 'item_lists', $3, 'volume_is_not_low', 'low_volume', 'volume 80', now()),"
        "($1, 'pages', $3, 'volume_is_not_high', null, 'volume 900', now())",
        [shop.GAPPY, shop.GAP, WEAK],
    )


def heal(warehouse: Warehouse) -> None:
    """Nothing is said of the gappy shop's days any more."""
    warehouse.query("delete from ops.day_warnings")
    warehouse.query("update ops.pulls set missing_share = null")
