"""What the raw gate and GA4's own totals know of a day, from `ops` to numbers, windows and changes.

The gappy shop, of which three days are not whole: nobody knows it at first, then the gate and a
pull say so, and in the end they have nothing to say any more.
"""

from datetime import date, timedelta

import pytest

from tests.dbt import shop
from tests.dbt.changed_days import LACKING, SLIGHT, WEAK
from tests.dbt.shop import GAP
from tests.dbt.test_incremental import content, of
from tests.dbt.warehouse import Warehouse


@pytest.fixture
def marked(changed_shops: Warehouse) -> Warehouse:
    """After a night that knows, whose own window is the newest day only."""
    return changed_shops


def steps(warehouse: Warehouse, day: date, segment: str) -> list[tuple]:
    return warehouse.query(
        "select segment_value, step_key, reached, is_complete, flags "
        "from marts.fct_funnel_daily where funnel = 'core' and property_id = ? and date = ? "
        "and segment_name = ? and step_key in ('sessions', 'product_view', 'purchase') "
        "order by segment_value, step_number",
        [shop.GAPPY, day, segment],
    )


def captured(warehouse: Warehouse, day: date) -> list[tuple]:
    """What a report without a row for them says of e-mails captured by landing page."""
    return warehouse.query(
        "select events, sessions, is_complete, flags from marts.fct_micro_conversion_daily "
        "where property_id = ? and date = ? and segment_name = 'landing_page' "
        "and key = 'email_capture'",
        [shop.GAPPY, day],
    )


def test_while_nobody_knows_the_day_is_as_good_as_any(built_shops: Warehouse) -> None:
    assert steps(built_shops, GAP, "device")[0] == ("mobile", "sessions", 3, True, None)
    assert captured(built_shops, SLIGHT) == [(0, 0, True, None)]


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
        [shop.GAPPY, GAP],
    ) == [missing]


def test_one_missing_row_makes_no_zero_and_flags_what_else_is_there(marked: Warehouse) -> None:
    assert captured(marked, SLIGHT) == [(None, None, True, "missing_rows")]
    assert captured(marked, SLIGHT - timedelta(days=1)) == [(0, 0, True, None)]
    assert marked.query(
        "select items_viewed, is_complete, flags from marts.fct_product_funnel "
        "where property_id = ? and date = ?",
        [shop.GAPPY, SLIGHT],
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
        [shop.GAPPY],
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
            [shop.GAPPY],
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
        [shop.GAPPY],
    )
    assert ("all", True, None) in changes
    assert ("device", False, "missing_rows") in changes
    assert ("country", False, "missing_rows") in changes
    assert ("device", True, None) not in changes
    assert marked.query(
        "select distinct segment_name, is_complete from marts.fct_benchmark_comparison "
        "where property_id = ? and window_name = '7d' and segment_name in ('all', 'device') "
        "and benchmark_key = 'add_to_cart_rate' order by all",
        [shop.GAPPY],
    ) == [("all", True), ("device", False)]
    assert marked.query(
        "select distinct is_complete, flags, is_prior_complete from marts.fct_collection "
        "where property_id = ? and window_name = '7d'",
        [shop.GAPPY],
    ) == [(False, "low_volume", True)]


def test_the_completeness_of_the_day_tells_why(marked: Warehouse) -> None:
    assert marked.query(
        "select date, report, has_missing_rows, missing_share, has_low_volume, warnings, "
        "is_complete from marts.fct_data_completeness where property_id = ? and is_loaded "
        "and (not is_complete or warnings is not null) order by all",
        [shop.GAPPY],
    ) == [
        (LACKING, "sessions_by_country", True, 0.2, False, None, False),
        (WEAK, "item_lists", False, None, True, "volume_is_not_low: volume 80", False),
        (WEAK, "pages", False, None, False, "volume_is_not_high: volume 900", True),
        (GAP, "sessions_by_device", True, None, False, "parts_add_up_to_total: parts 3", False),
    ]


def test_it_heals_by_itself(built_shops: Warehouse, rested_shops: Warehouse) -> None:
    """What a night marks equals a full refresh: test_changed_days.py."""
    assert steps(rested_shops, GAP, "device")[0] == ("mobile", "sessions", 3, True, None)
    before, healed = content(built_shops), content(rested_shops)
    ours = {name: of(shop.GAPPY, rows) for name, rows in healed.items()}
    assert len([name for name, rows in ours.items() if rows]) > 50
    assert {name for name in ours if ours[name] != of(shop.GAPPY, before[name])} == set()
