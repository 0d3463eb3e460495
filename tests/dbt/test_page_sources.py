"""Clarity and heatmap downloads beside GA4: what each tells of a page, and nothing added up."""

from datetime import UTC, date, datetime
from math import exp, log

import pytest
from scipy.stats import binom

from tests.dbt.test_reconciliation import days
from tests.dbt.warehouse import Day, Warehouse

SHOP = "84"
TAKEN = datetime(2026, 5, 1, 3, 30, tzinfo=UTC)
SNAPSHOTS = {
    # Taken → hours, and (page, device) → sessions and those with rage clicks.
    datetime(2026, 4, 26, 3, 30, tzinfo=UTC): (72, {("/pay", "mobile"): (9, 1)}),
    # A day and a half later, of two days: half a day is in both.
    datetime(2026, 4, 27, 15, 30, tzinfo=UTC): (48, {("/pay", "mobile"): (8, 1)}),
    # 84 hours later, of which 72 are told.
    TAKEN: (
        72,
        {
            ("(all)", "all"): (1_500, 21),
            ("/a", "desktop"): (969, 0),
            ("/a", "mobile"): (1_000, 9),
            ("/pay", "desktop"): (0, 0),
            ("/pay", "mobile"): (31, 10),
        },
    ),
}
CLICKS = [
    ("/products/a", "mobile", date(2026, 4, 1), date(2026, 4, 28), "#menu", "", 60),
    ("/products/a", "mobile", date(2026, 4, 1), date(2026, 4, 28), "#buy", "In den Warenkorb", 20),
    ("/products/a", "mobile", date(2026, 4, 22), date(2026, 4, 28), "#menu", "", 3),
    ("/products/a", "mobile", date(2026, 3, 1), date(2026, 3, 31), "button[name='add']", "", 0),
]


def fill(warehouse: Warehouse) -> None:
    warehouse.add_property(SHOP, "Europe/Berlin")
    day = Day(100, {"view_item": 60, "add_to_cart": 6}, {"product_scroll_50": 30})
    warehouse.load(SHOP, {one: {("all", "all"): day} for one in days(40)})
    own = "property_id, pulled_at, pull_id, date"
    stamps = "select ?, now(), 'p', unnest(?::date[])"
    for table, columns, values in (
        (
            "pages",
            "page_path, screen_page_views, sessions, engaged_sessions, user_engagement_duration",
            "'/products/a', 50, 40, 30, 900",
        ),
        ("page_events", "page_path, event_name, event_count, sessions",
         "'/products/a', 'scroll', 10, 10"),
        ("page_events", "page_path, event_name, event_count, sessions",
         "'/products/a', 'view_item', 40, 40"),
        ("page_micro", "page_path, micro_key, event_count, sessions",
         "'/products/a', 'product_scroll_50', 20, 20"),
    ):  # fmt: skip
        warehouse.query(
            f"insert into raw.ga4_{table} ({own}, {columns}) {stamps}, {values}",
            [SHOP, days(40)],
        )
    for taken, (hours, cells) in SNAPSHOTS.items():
        for (path, device), (sessions, signs) in cells.items():
            for signal, with_signal, bots, depth in (
                ("rage_click", signs, None, None), ("traffic", None, 3, 40.0),
            ):  # fmt: skip
                warehouse.query(
                    "insert into raw.clarity_page (property_id, fetch_id, fetched_at, window_end, "
                    "window_hours, page_path, device, signal, sessions, sessions_with_signal, "
                    "page_views, occurrences, bot_sessions, scroll_depth, is_complete) "
                    "values (?, 'f', ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, true)",
                    [SHOP, taken, taken, hours, path, device, signal, sessions, with_signal, bots,
                     depth],
                )  # fmt: skip
    for row in CLICKS:
        warehouse.query(
            "insert into raw.heatmap_click (property_id, fetch_id, fetched_at, tool, file, "
            "page_path, device, period_start, period_end, element, element_text, clicks) "
            "values (?, 'f', ?, 'hotjar', 'x.csv', ?, ?, ?, ?, ?, ?, ?)",
            [SHOP, TAKEN, *row],
        )
    for depth, visitors, share in ((0, 200, 1.0), (75, None, 0.3)):
        warehouse.query(
            "insert into raw.heatmap_scroll (property_id, fetch_id, fetched_at, tool, file, "
            "page_path, device, period_start, period_end, depth_percent, visitors, all_visitors, "
            "share) values (?, 'f', ?, 'hotjar', 'y.csv', '/products/a', 'mobile', "
            "'2026-04-01', '2026-04-28', ?, ?, 200, ?)",
            [SHOP, TAKEN, depth, visitors, share],
        )


def test_snapshots_stand_by_themselves_with_their_overlaps_and_gaps(hand_made: Warehouse) -> None:
    rows = hand_made.query(
        "select epoch(window_end)::bigint, window_hours, sessions, overlaps_before, "
        "hours_lost_before, is_newest from marts.fct_page_friction "
        "where property_id = ? and page_path = '/pay' and device = 'mobile' order by window_end",
        [SHOP],
    )
    first, second, third = (int(one.timestamp()) for one in SNAPSHOTS)
    assert rows == [
        (first, 72, 9, False, None, False),
        (second, 48, 8, True, 0, False),
        (third, 72, 31, False, 12, True),
    ]


def test_friction_is_compared_with_all_visits_and_called_by_a_bound(hand_made: Warehouse) -> None:
    rows = hand_made.query(
        "select page_path, device, sessions, sessions_with_signal, signal_share, all_sessions, "
        "all_sessions_with_signal, all_share, bot_sessions, scroll_depth, is_clear "
        "from marts.fct_page_friction where property_id = ? and is_newest order by 1, 2",
        [SHOP],
    )
    assert rows == [
        ("(all)", "all", 1_500, 21, 0.014, None, None, None, 3, 40.0, False),
        ("/a", "desktop", 969, 0, 0.0, 1_500, 21, 0.014, 3, 40.0, False),
        ("/a", "mobile", 1_000, 9, 0.009, 1_500, 21, 0.014, 3, 40.0, False),
        ("/pay", "desktop", 0, 0, None, 1_500, 21, 0.014, 3, 40.0, False),
        ("/pay", "mobile", 31, 10, 10 / 31, 1_500, 21, 0.014, 3, 40.0, True),
    ]


def test_the_bound_is_above_the_exact_p_of_all_rows(hand_made: Warehouse) -> None:
    ((bound,),) = hand_made.query(
        "select p_bound from marts.fct_page_friction "
        "where property_id = ? and is_newest and page_path = '/pay' and device = 'mobile'",
        [SHOP],
    )
    share, expected = 10 / 31, 22 / 1_501
    divergence = share * log(share / expected) + (1 - share) * log((1 - share) / (1 - expected))
    assert bound == pytest.approx(4 * exp(-31 * divergence))
    assert 4 * binom.sf(9, 31, expected) < bound < 1e-8


def test_a_click_map_is_ranked_by_itself(hand_made: Warehouse) -> None:
    rows = hand_made.query(
        "select period_start, is_newest, click_rank, element, is_add_to_cart, clicks, all_clicks, "
        "click_share from marts.fct_heatmap_click where property_id = ? order by 1, 3",
        [SHOP],
    )
    march, april, week = date(2026, 3, 1), date(2026, 4, 1), date(2026, 4, 22)
    assert rows == [
        (march, False, 1, "button[name='add']", True, 0, 0, None),
        (april, False, 1, "#menu", False, 60, 80, 0.75),
        (april, False, 2, "#buy", True, 20, 80, 0.25),
        (week, True, 1, "#menu", False, 3, 3, 1.0),
    ]


def test_scrolling_by_ga4_and_by_a_download_stand_beside_each_other(hand_made: Warehouse) -> None:
    """28 days of 40 sessions: 10 of them down to 90 %, 20 down to 50 %."""
    rows = hand_made.query(
        "select tool, device, depth_percent, unit, reached, entered, scroll_share "
        "from marts.fct_scroll_depth where property_id = ? and page_path = '/products/a' "
        "order by 1, 3",
        [SHOP],
    )
    assert rows == [
        ("ga4", "all", 50.0, "sessions", 560, 1_120, 0.5),
        ("ga4", "all", 90.0, "sessions", 280, 1_120, 0.25),
        ("hotjar", "mobile", 0.0, "visitors", 200, 200, 1.0),
        ("hotjar", "mobile", 75.0, "visitors", None, 200, 0.3),
    ]
