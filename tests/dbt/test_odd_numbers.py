"""Whatever numbers a report holds, no model throws: one odd row must not stop a night."""

from datetime import timedelta

from tests.dbt import shop
from tests.dbt.warehouse import Warehouse

LARGEST = 2**63 - 1
# A property each, beside a sound one: the counts of every other row, those of the rest, and its
# seconds or money, of one day in the newest seven.
SOUND = "60"
ODD = {
    "61": (LARGEST, LARGEST, "1e308"),
    "62": (-LARGEST - 1, 1, "-1e308"),
    "63": (-LARGEST - 1, LARGEST, "nan"),
    "64": (LARGEST // 2, -1, "-inf"),
    "65": (0, LARGEST, "inf"),
    "66": (10**16, 10**17, "1e16"),
}
SPOILED = shop.LAST - timedelta(days=1)


def fill(warehouse: Warehouse) -> None:
    """Copies of a steady shop with an odd day, in raw rows and the totals of their pulls."""
    warehouse.add_property(SOUND, "Europe/Berlin")
    shop.fill_steady(warehouse, SOUND)
    warehouse.query(
        "insert into ops.properties by name select * replace (unnest(?) as property_id) "
        "from ops.properties where property_id = ?",
        [list(ODD), SOUND],
    )
    fill_pages(warehouse, SOUND)
    tables = warehouse.query(
        "select table_schema || '.' || table_name, "
        "max(column_name) filter (column_name in ('date', 'period_end', 'window_end')), "
        "list((column_name, data_type)) filter (where table_schema = 'raw' "
        "and data_type in ('BIGINT', 'DOUBLE') "
        "and column_name not in ('step_number', 'depth_percent')) "
        "from information_schema.columns where table_schema = 'raw' "
        "or (table_schema, table_name) = ('ops', 'pulls') group by all"
    )
    for property_id, (count, other, amount) in ODD.items():
        values = {
            "BIGINT": f"if(rowid % 2 = 0, {count}, {other})::hugeint",
            "DOUBLE": f"'{amount}'",
        }
        for table, day, columns in tables:
            numbers = "".join(
                f", case when {day}::date <> $3 then {name} else {values[kind]} end::{kind} "
                f"as {name}"
                for name, kind in columns or ()
            )
            warehouse.query(
                f"insert into {table} by name select * replace ($1 as property_id{numbers}) "
                f"from {table} where property_id = $2 and $3 is not null",
                [property_id, SOUND, SPOILED],
            )
        totals = f"""'{{"sessions": {amount}, "events": {count}}}'"""
        warehouse.flag(property_id, SPOILED, "%", f"totals = {totals}")


def fill_pages(warehouse: Warehouse, property_id: str) -> None:
    """Snapshots and maps of a page, two rows of each on the odd day."""
    stamps = "select ? as property_id, 'f' as fetch_id, now() as fetched_at"
    about = "'hotjar' as tool, '/' as page_path, 'all' as device, 'x.csv' as file"
    for table, columns in (
        (
            "clarity_page",
            "unnest(['/a', '/b']) as page_path, 'mobile' as device, 'rage_click' as signal, "
            "?::date + time '12:00' as window_end, 24 as window_hours, 50 as sessions, "
            "5 as sessions_with_signal, 9 as occurrences, true as is_complete",
        ),
        ("heatmap_click", f"{about}, ?::date as period_end, period_end - 6 as period_start, "
         "unnest(['#a', '#b']) as element, '' as element_text, 7 as clicks"),
        ("heatmap_scroll", f"{about}, ?::date as period_end, period_end - 6 as period_start, "
         "unnest([0.0, 50.0]) as depth_percent, 7 as visitors, 9 as all_visitors, 0.7 as share"),
    ):  # fmt: skip
        warehouse.query(
            f"insert into raw.{table} by name {stamps}, {columns}", [property_id, SPOILED]
        )


def test_no_number_that_a_report_can_hold_stops_the_models(hand_made: Warehouse) -> None:
    built = hand_made.query(
        "select distinct property_id from marts.fct_funnel_window where property_id in ? "
        "order by all",
        [[SOUND, *ODD]],
    )
    assert [one for (one,) in built] == [SOUND, *ODD]
