"""Odd rows of one property are left out, and nothing else: no number is refused for them."""

from datetime import date, timedelta

from tests.dbt.warehouse import Day, Warehouse

LAST = date(2026, 4, 30)
DAYS = [LAST - timedelta(days=back) for back in range(28)]
SHOPS = ODD, SOUND = ("31", "32")
# Page: views, sessions and engaged sessions of a day.
PAGES = {
    ODD: {"/products/mug": (120, 60, 61), "/": (90, 80, 60), "/api": (100, 0, 0)},
    SOUND: {"/products/mug": (120, 60, 45), "/": (90, 80, 60)},
}


def fill(warehouse: Warehouse) -> None:
    shop = Day(200, {"view_item": 60, "add_to_cart": 6, "begin_checkout": 4, "purchase": 2}, {}, 9)
    for property_id, pages in PAGES.items():
        warehouse.add_property(property_id, "Europe/Berlin")
        warehouse.load(property_id, {day: {("all", "all"): shop} for day in DAYS})
        for path, (views, sessions, engaged) in pages.items():
            warehouse.query(
                "insert into raw.ga4_pages by name select ? as property_id, unnest(?) as date, "
                "? as page_path, ? as screen_page_views, ? as sessions, ? as engaged_sessions, "
                "100.0 as user_engagement_duration, now() as pulled_at, 'pull' as pull_id",
                [property_id, DAYS, path, views, sessions, engaged],
            )
    # Money that no decimal holds, and an amount that is no number.
    warehouse.query(
        "update raw.ga4_sessions_by_all set purchase_revenue = "
        "case when date = ? then 1e300 else 'nan'::double end where property_id = ? "
        "and date >= ?",
        [LAST, ODD, LAST - timedelta(days=1)],
    )


def test_one_engaged_session_too_many_leaves_out_that_page_only(hand_made: Warehouse) -> None:
    rows = hand_made.query(
        "select property_id, page_path, sessions, engaged_sessions, round(bounce_rate, 4), "
        "ci_low is null, status from marts.fct_page_engagement where window_name = '28d' "
        f"and property_id in {SHOPS} "
        "order by property_id, page_path"
    )
    assert rows == [
        (ODD, "/", 28 * 80, 28 * 60, 0.25, False, "measured"),
        (ODD, "/api", 0, 0, None, True, "sessionless"),
        (ODD, "/products/mug", 28 * 60, 28 * 61, None, True, "anomaly"),
        (SOUND, "/", 28 * 80, 28 * 60, 0.25, False, "measured"),
        (SOUND, "/products/mug", 28 * 60, 28 * 45, 0.25, False, "measured"),
    ]


def test_the_bounces_of_its_product_pages_are_an_anomaly(hand_made: Warehouse) -> None:
    rows = hand_made.query(
        "select property_id, round(value, 4), level, reason "
        "from intermediate.int_metrics__levelled where window_name = '28d' "
        f"and metric = 'bounce(product)' and property_id in {SHOPS} order by property_id"
    )
    # 120 views x (1 - 61/60) a day.
    assert rows == [
        (ODD, round(-1 / 60, 4), "unknown", "anomaly"),
        (SOUND, 0.25, "unknown", "no_history"),
    ]


def test_money_that_cannot_be_added_up_is_no_number_and_the_rest_stands(
    hand_made: Warehouse,
) -> None:
    rows = hand_made.query(
        "select property_id, purchase_revenue, transactions, value_status, cart_status "
        "from marts.fct_cart_recovery where window_name = '28d' and segment_name = 'all' "
        f"and property_id in {SHOPS} order by property_id"
    )
    assert rows == [
        (ODD, None, None, "withheld", "measured"),
        (SOUND, 28 * 9.0, 28 * 2, "measured", "measured"),
    ]
