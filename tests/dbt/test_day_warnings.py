"""What the raw gate and GA4's own totals know of a day, from `ops` to numbers, windows and changes.

The steady shop, of which three days are not whole: nobody knows it at first, then the gate and a
pull say so, and in the end they have nothing to say any more.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.dbt import shop
from tests.dbt.conftest import Dbt
from tests.dbt.test_incremental import content, run
from tests.dbt.warehouse import Day, Warehouse

# In the newest seven days: by device a single small row, and a weak day of the lists.
GAP, WEAK = (shop.LAST - timedelta(days=n) for n in (2, 3))
# In the seven days before: by country, GA4's own total has 20 % more than the rows.
LACKING = shop.LAST - timedelta(days=9)
# Further back, one row in 1,400 is missing, of reports that are complete otherwise.
SLIGHT = shop.LAST - timedelta(days=12)
SLIGHTLY_SHORT = (
    *("sessions_by_landing_page", "events_by_landing_page", "micro_by_landing_page", "items"),
    *("item_lists", "pages", "page_events", "page_micro", "event_params"),
)
SMALL = Day(3, {"view_item": 2})
REPULLED_AT = datetime(2026, 2, 5, 5, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def unmarked(dbt: Dbt, new_warehouse: Callable[[], Warehouse]) -> Warehouse:
    warehouse = new_warehouse()
    with warehouse.opened():
        shop.open_shops(warehouse)
        shop.fill(warehouse)
    parts = {key: cell for key, cell in shop.steady_day().items() if key[0] != "device"}
    gap = {**parts, ("device", "mobile"): SMALL}
    warehouse.load(shop.STEADY, {GAP: gap}, pulled_at=REPULLED_AT)
    dbt(warehouse, "seed")
    dbt(warehouse, "run")
    return warehouse


@pytest.fixture(scope="module")
def before(unmarked: Warehouse) -> dict[str, list[tuple]]:
    """Everything as it is built while nobody knows."""
    return content(unmarked)


@pytest.fixture(scope="module")
def marked(dbt: Dbt, unmarked: Warehouse, before: dict[str, list[tuple]]) -> Warehouse:
    """The same after a night that knows, whose own window is the newest day only."""
    assert steps(unmarked, GAP, "device")[0] == ("mobile", "sessions", 3, True, None)
    assert captured(unmarked, SLIGHT) == [(0, 0, True, None)]
    unmarked.flag(shop.STEADY, LACKING, "sessions_by_country", "missing_share = 0.2")
    for report in SLIGHTLY_SHORT:
        unmarked.flag(shop.STEADY, SLIGHT, report, "missing_share = 0.0007")
    unmarked.query(
        "insert into ops.day_warnings values "
        "($1, 'sessions_by_device', $2, 'parts_add_up_to_total', 'missing_rows', 'parts 3', now()),"
        "($1, 'item_lists', $3, 'volume_is_not_low', 'low_volume', 'volume 80', now()),"
        "($1, 'pages', $3, 'volume_is_not_high', null, 'volume 900', now())",
        [shop.STEADY, GAP, WEAK],
    )
    run(dbt, unmarked, shop.LAST)
    return unmarked


def steps(warehouse: Warehouse, day: date, segment: str) -> list[tuple]:
    return warehouse.query(
        "select segment_value, step_key, reached, is_complete, flags "
        "from marts.fct_funnel_daily where funnel = 'core' and property_id = ? and date = ? "
        "and segment_name = ? and step_key in ('sessions', 'product_view', 'purchase') "
        "order by segment_value, step_number",
        [shop.STEADY, day, segment],
    )


def captured(warehouse: Warehouse, day: date) -> list[tuple]:
    """What a report without a row for them says of e-mails captured by landing page."""
    return warehouse.query(
        "select events, sessions, is_complete, flags from marts.fct_micro_conversion_daily "
        "where property_id = ? and date = ? and segment_name = 'landing_page' "
        "and key = 'email_capture'",
        [shop.STEADY, day],
    )


def test_the_numbers_of_that_day_and_report_are_flagged_and_no_others(marked: Warehouse) -> None:
    missing = (False, "missing_rows")
    # What is missing beside rows that are known to be missing is no zero.
    assert steps(marked, GAP, "device") == [
        ("mobile", "sessions", 3, *missing),
        ("mobile", "product_view", 2, *missing),
        ("mobile", "purchase", None, *missing),
    ]
    assert steps(marked, GAP, "all") == [
        ("all", "sessions", 150, True, None),
        ("all", "product_view", 90, True, None),
        ("all", "purchase", 3, True, None),
    ]
    assert {row[3:] for row in steps(marked, GAP - timedelta(days=1), "device")} == {(True, None)}
    assert {row[3:] for row in steps(marked, LACKING, "country")} == {missing}
    assert marked.query(
        "select distinct is_complete, flags from marts.fct_micro_conversion_daily "
        "where property_id = ? and date = ? and segment_name = 'device'",
        [shop.STEADY, GAP],
    ) == [missing]


def test_one_missing_row_makes_no_zero_and_flags_what_else_is_there(marked: Warehouse) -> None:
    assert captured(marked, SLIGHT) == [(None, None, True, "missing_rows")]
    assert captured(marked, SLIGHT - timedelta(days=1)) == [(0, 0, True, None)]
    assert marked.query(
        "select items_viewed, is_complete, flags from marts.fct_product_funnel "
        "where property_id = ? and date = ?",
        [shop.STEADY, SLIGHT],
    ) == [(20, True, "missing_rows")]


@pytest.mark.parametrize(
    ("mart", "only"),
    [
        ("fct_funnel_window", "segment_name = 'landing_page'"),
        ("fct_micro_conversion_window", "segment_name = 'landing_page'"),
        ("fct_cart_recovery", "segment_name = 'landing_page'"),
        ("fct_product_funnel_window", "true"),
        ("fct_collection", "true"),
        ("fct_page_engagement", "true"),
        ("fct_page_micro_conversion", "true"),
        ("fct_event_parameter", "true"),
    ],
)
def test_every_window_over_a_missing_row_says_so(marked: Warehouse, mart: str, only: str) -> None:
    said = marked.query(
        "select distinct window_name, coalesce(contains(flags, 'missing_rows'), false) "
        f"from marts.{mart} where property_id = ? and window_name in ('7d', '28d') and {only} "
        "order by all",
        [shop.STEADY],
    )
    assert said == [("28d", True), ("7d", False)]


def test_windows_say_it_of_themselves_and_of_the_window_they_are_compared_with(
    marked: Warehouse,
) -> None:
    for mart, only in (
        ("fct_funnel_window", "funnel = 'core' and step_key = 'product_view'"),
        ("fct_micro_conversion_window", "key = 'product_view'"),
    ):
        rows = marked.query(
            "select distinct window_name, segment_name, is_complete, flags, is_prior_complete "
            f"from marts.{mart} where {only} and property_id = ? and window_name in ('7d', '28d') "
            "and segment_name in ('all', 'device', 'country') order by all",
            [shop.STEADY],
        )
        # The 28 days before begin before the shop's first day.
        assert rows == [
            ("28d", "all", True, None, False),
            ("28d", "country", False, "missing_rows", False),
            ("28d", "device", False, "missing_rows", False),
            ("7d", "all", True, None, True),
            ("7d", "country", True, None, False),
            ("7d", "device", False, "missing_rows", True),
        ]


def test_changes_and_comparisons_rest_on_it_and_say_so(marked: Warehouse) -> None:
    changes = marked.query(
        "select distinct segment_name, is_complete, flags from marts.fct_funnel_change "
        "where property_id = ? and window_name = '7d' order by all",
        [shop.STEADY],
    )
    assert ("all", True, None) in changes
    assert ("device", False, "missing_rows") in changes
    assert ("country", False, "missing_rows") in changes
    assert ("device", True, None) not in changes
    assert marked.query(
        "select distinct segment_name, is_complete from marts.fct_benchmark_comparison "
        "where property_id = ? and window_name = '7d' and segment_name in ('all', 'device') "
        "and benchmark_key = 'add_to_cart_rate' order by all",
        [shop.STEADY],
    ) == [("all", True), ("device", False)]
    assert marked.query(
        "select distinct is_complete, flags, is_prior_complete from marts.fct_collection "
        "where property_id = ? and window_name = '7d'",
        [shop.STEADY],
    ) == [(False, "low_volume", True)]


def test_the_completeness_of_the_day_tells_why(marked: Warehouse) -> None:
    assert marked.query(
        "select date, report, has_missing_rows, missing_share, has_low_volume, warnings, "
        "is_complete from marts.fct_data_completeness where property_id = ? and is_loaded "
        "and (not is_complete or warnings is not null) order by all",
        [shop.STEADY],
    ) == [
        (LACKING, "sessions_by_country", True, 0.2, False, None, False),
        (WEAK, "item_lists", False, None, True, "volume_is_not_low: volume 80", False),
        (WEAK, "pages", False, None, False, "volume_is_not_high: volume 900", True),
        (GAP, "sessions_by_device", True, None, False, "parts_add_up_to_total: parts 3", False),
    ]


def test_what_a_night_marks_equals_a_full_refresh(dbt: Dbt, marked: Warehouse) -> None:
    built = content(marked)
    dbt(marked, "run", "--full-refresh")
    assert content(marked) == built


def test_it_heals_by_itself(dbt: Dbt, marked: Warehouse, before: dict[str, list[tuple]]) -> None:
    marked.query("delete from ops.day_warnings")
    marked.query("update ops.pulls set missing_share = null")
    run(dbt, marked, shop.LAST)
    assert steps(marked, GAP, "device")[0] == ("mobile", "sessions", 3, True, None)
    healed = content(marked)
    assert {name for name in healed if healed[name] != before[name]} == set()
