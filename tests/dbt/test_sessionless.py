"""Orders and other events without a session id: no rate, verdict or leak is made of their zero."""

from datetime import date, timedelta

import pytest

from tests.dbt.warehouse import Day, Warehouse

LAST = date(2026, 4, 30)
# One shop a situation. SERVER: no order has a session; FIFTH: 24 of 122 have. HIDDEN: SERVER whose
# revenue may not be seen. TILL: 20 of 120 orders come from the till, in a channel of their own.
# LATELY: orders lost their sessions five days ago; MENDED: they had none until five days ago.
# FEW: 5 orders, none with a session. OFTEN: other events without sessions.
SHOPS = SERVER, FIFTH, HIDDEN, TILL, LATELY, MENDED, FEW, OFTEN = tuple(map(str, range(21, 29)))
NOBODY = Day(0)
NO_RATE = (None, "sessionless", "sessionless")


def days(count: int) -> list[date]:
    return [LAST - timedelta(days=back) for back in reversed(range(count))]


def shop_day(orders: int, without: int = 0, revenue: float | None = 0.0) -> Day:
    """3 % of 10,000 views add, below the floor of 5 %; 199 of the 300 carts check out."""
    events = {"view_item": 10_000, "add_to_cart": 300, "begin_checkout": 199}
    events |= {"purchase": orders} if orders else {}
    extra = {"purchase": without} if without else {}
    return Day(20_000, events, revenue=revenue, sessionless=extra)


def on_one_day(whole: Day, cells: dict[tuple[str, str], Day] | None = None):
    """28 loaded days, all of the shop on the last of them."""
    empty = {("all", "all"): NOBODY}
    full = {("all", "all"): whole, **(cells or {})}
    return {day: full if day == LAST else empty for day in days(28)}


def every_day(*, sessionless_from: int, sessionless_to: int) -> dict:
    """56 days of 120 orders; so many days ago those without sessions began and ended."""
    with_session, without = shop_day(120, 0, 12_000.0), shop_day(0, 120, 12_000.0)
    ages = {day: (LAST - day).days for day in days(56)}
    return {
        day: {("all", "all"): without if sessionless_to <= age < sessionless_from else with_session}
        for day, age in ages.items()
    }


def often_day() -> Day:
    """Images opened 61 times a session; reviews with 2 sessions of 504 events; two without any."""
    events = {"view_item": 1_000, "image_gallery_interaction": 5, "review_section_view": 2}
    without = {"image_gallery_interaction": 295, "review_section_view": 500}
    return Day(
        2_000, events, sessionless={**without, "description_expand": 12, "size_guide_open": 9}
    )


def fill(warehouse: Warehouse) -> None:
    for property_id in SHOPS:
        warehouse.add_property(property_id, "Europe/Berlin")
    devices = {
        ("device", "mobile"): Day(12_000, {"view_item": 6_000, "begin_checkout": 80}),
        ("device", "(not set)"): Day(0, sessionless={"purchase": 122}, revenue=12_200.0),
    }
    warehouse.load(SERVER, on_one_day(shop_day(0, 122, 12_200.0), devices))
    warehouse.load(FIFTH, on_one_day(shop_day(24, 98, 12_200.0)))
    warehouse.load(HIDDEN, on_one_day(shop_day(0, 122, None)))
    channels = {
        ("channel", "Paid Search"): shop_day(100, 0, 10_000.0),
        ("channel", "Unassigned"): Day(0, sessionless={"purchase": 20}, revenue=2_000.0),
    }
    warehouse.load(TILL, on_one_day(shop_day(100, 20, 12_000.0), channels))
    warehouse.load(LATELY, every_day(sessionless_from=5, sessionless_to=0))
    warehouse.load(MENDED, every_day(sessionless_from=56, sessionless_to=5))
    few = Day(400, {"view_item": 200, "add_to_cart": 20, "begin_checkout": 12}, revenue=500.0,
              sessionless={"purchase": 5})  # fmt: skip
    warehouse.load(FEW, on_one_day(few))
    warehouse.load(OFTEN, on_one_day(often_day()))


def purchase(hand_made: Warehouse, property_id: str, window: str = "28d") -> tuple:
    ((*found,),) = hand_made.query(
        "select reached, previous_reached, step_rate, ci_low, cumulative_rate, lost, status, "
        "tracking_state from marts.fct_funnel_window where property_id = ? and window_name = ? "
        "and funnel = 'core' and segment_name = 'all' and step_key = 'purchase'",
        [property_id, window],
    )
    return tuple(found)


@pytest.mark.parametrize(
    ("property_id", "with_session"), [(SERVER, 0), (FIFTH, 24), (HIDDEN, 0), (FEW, 0)]
)
def test_the_counts_stand_and_the_rate_does_not(
    hand_made: Warehouse, property_id: str, with_session: int
) -> None:
    checkouts = 12 if property_id == FEW else 199
    none = (None, None, None, None, "sessionless", "sessionless")
    assert purchase(hand_made, property_id) == (with_session, checkouts, *none)
    assert hand_made.query(
        "select numerator, denominator, rate, p_value, shortfall, status, directional_evidence "
        "from marts.fct_benchmark_comparison where property_id = ? and window_name = '28d' "
        "and segment_name = 'all' and benchmark_key = 'checkout_to_purchase_rate'",
        [property_id],
    ) == [(with_session, checkouts, None, None, None, "sessionless", None)]


def test_no_table_has_a_rate_made_of_orders_without_sessions(hand_made: Warehouse) -> None:
    ours = f"property_id in ('{SERVER}', '{FIFTH}', '{HIDDEN}', '{FEW}')"
    for table, rate, where in (
        ("fct_funnel_daily", "step_rate", "step_key = 'purchase' and previous_reached > 0"),
        ("fct_funnel_window", "step_rate", "step_key = 'purchase' and previous_reached > 0"),
        ("fct_micro_conversion_daily", "micro_rate", "key = 'purchase' and parent_sessions > 0"),
        ("fct_micro_conversion_window", "micro_rate", "key = 'purchase' and parent_sessions > 0"),
        ("fct_cart_recovery", "cart_abandonment_rate", "carts > 0"),
        ("fct_cart_recovery", "lost_value", "carts > 0"),
        ("fct_leak", "opportunity_p50", "step_key = 'purchase'"),
    ):
        found = hand_made.query(
            f"select count(*), count({rate}) from marts.{table} where {ours} and {where}"
        )
        assert found[0][0] > 0, table
        assert found[0][1] == 0, table


def test_every_part_of_the_shop_is_without_the_rate(hand_made: Warehouse) -> None:
    # The phones' orders are among those that are not set: 0 of 80 would be made up.
    assert hand_made.query(
        "select segment_value, reached, step_rate, status from marts.fct_funnel_window "
        "where property_id = ? and window_name = '28d' and funnel = 'core' "
        "and segment_name = 'device' and step_key = 'purchase' order by segment_value",
        [SERVER],
    ) == [("(not set)", 0, None, "sessionless"), ("mobile", None, None, "sessionless")]


def test_a_leak_before_the_order_is_worth_what_a_checkout_brings(hand_made: Warehouse) -> None:
    rows = hand_made.query(
        "select step_key, status, is_leak, round(opportunity, 2), round(allocated, 2), "
        "downstream_rate, order_value, value_unit, currency from marts.fct_leak "
        "where property_id = ? and window_name = '28d' and segment_name = 'all' "
        "order by step_number",
        [SERVER],
    )
    # 200 adds more, of which 199 in 300 check out, of which each brings 12,200 / 199: 8,133.33.
    assert rows == [
        ("add_to_cart", "leak", True, 8_133.33, 8_133.33, None, 100.0, "money", "EUR"),
        ("checkout_start", "no_leak", False, 0.0, 0.0, None, 100.0, "money", "EUR"),
        ("purchase", "sessionless", None, None, None, None, None, None, None),
    ]


def test_where_orders_cannot_be_counted_a_leak_has_no_worth(hand_made: Warehouse) -> None:
    assert hand_made.query(
        "select step_key, status, is_leak, opportunity_p50, value_unit from marts.fct_leak "
        "where property_id = ? and window_name = '28d' and segment_name = 'all' "
        "and step_key = 'add_to_cart'",
        [HIDDEN],
    ) == [("add_to_cart", "leak", True, None, None)]
    assert hand_made.query(
        "select step_key, opportunity_p50, opportunity_pace, value_unit, worth_sentence "
        "from marts.fct_finding where property_id = ?",
        [HIDDEN],
    ) == [
        ("add_to_cart", None, None, None, "Of unknown worth, for orders are not counted."),
    ]  # fmt: skip


def test_the_to_do_counts_the_orders_and_says_what_to_send(hand_made: Warehouse) -> None:
    rows = hand_made.query(
        "select property_id, transactions_28d, sessionless_orders_28d, split_part(fix, ': ', 1), "
        "fix like '%: send session_id and client_id with each Measurement Protocol hit of "
        "purchase, or send it from the browser.' from marts.fct_tracking_coverage "
        f"where key = 'purchase' and tracking_state = 'sessionless' and property_id in {SHOPS} "
        "order by property_id"
    )
    assert [row[:3] for row in rows] == [
        (SERVER, 122, 122), (FIFTH, 122, 98), (HIDDEN, 122, 122),
        (LATELY, 3_360, 600), (MENDED, 3_360, 2_760), (FEW, 5, 5),
    ]  # fmt: skip
    assert rows[1][3].startswith("98 of 122 orders came without a session in 28 days")
    assert {row[4] for row in rows} == {True}


def test_a_till_of_its_own_leaves_the_rest_of_the_shop_alone(hand_made: Warehouse) -> None:
    assert purchase(hand_made, TILL)[:3] == (100, 199, pytest.approx(100 / 199))
    assert hand_made.query(
        "select segment_value, reached, step_rate is null, tracking_state "
        "from marts.fct_funnel_window where property_id = ? and window_name = '28d' "
        "and funnel = 'core' and segment_name = 'channel' and step_key = 'purchase' "
        "order by segment_value",
        [TILL],
    ) == [("Paid Search", 100, False, "tracked"), ("Unassigned", 0, True, "sessionless")]


def test_the_day_it_began_and_the_day_it_ended(hand_made: Warehouse) -> None:
    states = {
        name: hand_made.query(
            "select step_rate, tracking_state, count(*) from marts.fct_funnel_daily "
            "where property_id = ? and funnel = 'core' and step_key = 'purchase' "
            "group by all order by 3",
            [name],
        )
        for name in (LATELY, MENDED)
    }
    fine = pytest.approx(120 / 199)
    assert states[LATELY] == [(None, "sessionless", 5), (fine, "tracked", 51)]
    assert states[MENDED] == [(fine, "tracked", 5), (None, "sessionless", 51)]
    # Five days without sessions pull the rate of 28 days down: none, as with a tag that was lost.
    assert purchase(hand_made, LATELY)[2:4] + purchase(hand_made, MENDED)[2:4] == (None,) * 4


def test_neither_alert_nor_change_nor_cause_is_made_of_it(hand_made: Warehouse) -> None:
    for table, where in (
        ("fct_anomaly", "is_alert and 'purchase' in (key, parent_key)"),
        ("fct_funnel_change", "effect = 'stage' and window_name = '28d'"),
        ("fct_diagnosis", "evidence ilike '%purchase in%' or rule = 'T1'"),
    ):
        assert (
            hand_made.query(
                f"select * from marts.{table} where property_id in (?, ?) and ({where})",
                [LATELY, MENDED],
            )
            == []
        )


def test_other_events_only_where_next_to_none_has_a_session(hand_made: Warehouse) -> None:
    states = hand_made.query(
        "select key, tracking_state from marts.fct_tracking_coverage where property_id = ? "
        "and key in ('gallery', 'review_scroll', 'read_more', 'size_guide') order by key",
        [OFTEN],
    )
    # 9 events are too few to tell, and a gallery is opened sixty times a session.
    assert states == [
        ("gallery", "tracked"), ("read_more", "sessionless"),
        ("review_scroll", "sessionless"), ("size_guide", "tracked"),
    ]  # fmt: skip
    ((fix,),) = hand_made.query(
        "select fix from marts.fct_tracking_coverage where property_id = ? "
        "and key = 'review_scroll'",
        [OFTEN],
    )
    assert fix.startswith("504 review_section_view events came with 2 sessions in 28 days")
