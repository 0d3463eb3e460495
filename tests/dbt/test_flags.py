"""What the source says against its numbers, from ops.pulls to every rate."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from tests.dbt import shop
from tests.dbt.warehouse import Warehouse

SAMPLED, FOLDED, HIDDEN, RESTATED, FRANCS = (shop.LAST - timedelta(days=n) for n in range(1, 6))
# A steady shop otherwise.
FLAGGED = "41"
REPULLED_AT = datetime(2026, 2, 5, 5, 30, tzinfo=UTC)


def fill(warehouse: Warehouse) -> None:
    ours = FLAGGED
    warehouse.add_property(ours, "Europe/Berlin")
    shop.fill_steady(warehouse, ours)
    warehouse.flag(ours, SAMPLED, "events_by_device", "is_sampled = true")
    folded = {**shop.steady_day(), ("country", "(other)"): shop.MOBILE}
    warehouse.load(ours, {FOLDED: folded}, pulled_at=REPULLED_AT)
    hidden = {key: replace(cell, revenue=None) for key, cell in shop.steady_day().items()}
    warehouse.load(ours, {HIDDEN: hidden}, pulled_at=REPULLED_AT)
    warehouse.flag(ours, HIDDEN, "sessions_by_%", "restricted_metrics = 'purchaseRevenue'")
    # One desktop session more than the night before told.
    more = replace(shop.DESKTOP, sessions=51)
    again = {**shop.steady_day(), ("device", "desktop"): more}
    warehouse.load(ours, {RESTATED: again}, pulled_at=REPULLED_AT)
    warehouse.flag(ours, FRANCS, "%", "currency = 'CHF'")
    warehouse.query(
        "insert into ops.pulls (pull_id, property_id, report, date, status, message, pulled_at) "
        "values ('refused', ?, 'users_window', ?, 'refused', 'Please remove eventName.', ?)",
        [ours, shop.LAST, REPULLED_AT],
    )


def carts(hand_made: Warehouse, day: date, segment_value: str) -> list[tuple]:
    """The step add_to_cart of one day and segment value, as two marts tell it."""
    return hand_made.query(
        "select reached, step_rate, tracking_state, is_complete, flags from marts.fct_funnel_daily "
        "where funnel = 'core' and step_key = 'add_to_cart' and property_id = $1 and date = $2 "
        "and segment_value = $3 union all "
        "select sessions, micro_rate, tracking_state, is_complete, flags "
        "from marts.fct_micro_conversion_daily where key = 'add_to_cart' and property_id = $1 "
        "and date = $2 and segment_value = $3",
        [FLAGGED, day, segment_value],
    )


def test_a_sampled_segment_is_withheld_and_the_others_are_not(hand_made: Warehouse) -> None:
    assert carts(hand_made, SAMPLED, "mobile") == [(3, None, "withheld", False, "sampled")] * 2
    assert carts(hand_made, SAMPLED, "all") == [(9, 0.1, "tracked", True, None)] * 2
    assert carts(hand_made, SAMPLED, "Germany") == [(9, 0.1, "tracked", True, None)] * 2


def test_a_value_in_other_leaves_its_segment_incomplete(hand_made: Warehouse) -> None:
    assert carts(hand_made, FOLDED, "Germany") == [(9, 0.1, "tracked", False, "other")] * 2
    assert carts(hand_made, FOLDED, "(other)") == [(3, 0.05, "tracked", False, "other")] * 2
    assert carts(hand_made, FOLDED, "mobile") == [(3, 0.05, "tracked", True, None)] * 2


def test_revenue_that_may_not_be_seen_is_null_and_never_zero(hand_made: Warehouse) -> None:
    assert carts(hand_made, HIDDEN, "all") == [(9, 0.1, "tracked", True, None)] * 2
    by_day = hand_made.query(
        "select date, revenue, currency from intermediate.int_funnel__reach_daily "
        "where property_id = ? and segment_name = 'all' and key = 'sessions' and date >= ? "
        "order by date",
        [FLAGGED, FRANCS],
    )
    assert by_day[:4] == [
        (FRANCS, 150.0, "CHF"),
        (RESTATED, 150.0, "EUR"),
        (HIDDEN, None, None),
        (FOLDED, 150.0, "EUR"),
    ]


def test_money_of_two_currencies_or_with_a_gap_is_not_added_up(hand_made: Warehouse) -> None:
    windows = hand_made.query(
        "select window_name, is_current, sessions, revenue, currency "
        "from intermediate.int_funnel__reach_summed where property_id = ? "
        "and segment_name = 'all' and key = 'sessions' and window_name in ('7d', '28d') "
        "order by 1, 2",
        [FLAGGED],
    )
    assert windows == [
        ("28d", False, 7 * 150, 7 * 150.0, "EUR"),
        ("28d", True, 28 * 150, None, None),
        ("7d", False, 7 * 150, 7 * 150.0, "EUR"),
        ("7d", True, 7 * 150, None, None),
    ]


def test_a_window_carries_the_flags_of_its_days(hand_made: Warehouse) -> None:
    rows = hand_made.query(
        "select segment_value, reached, step_rate, tracking_state, is_complete, flags "
        "from marts.fct_funnel_window where funnel = 'core' and step_key = 'add_to_cart' "
        "and window_name = '7d' and property_id = ? order by segment_value",
        [FLAGGED],
    )
    assert rows == [
        ("(other)", 3, 0.05, "tracked", False, "other"),
        ("/", 21, 0.05, "tracked", True, None),
        ("Germany", 63, 0.1, "tracked", False, "other"),
        ("all", 63, 0.1, "tracked", True, None),
        ("desktop", 42, None, "withheld", False, "sampled"),
        ("mobile", 21, None, "withheld", False, "sampled"),
    ]
    verdicts = hand_made.query(
        "select distinct rate, status, is_complete, flags from marts.fct_benchmark_comparison "
        "where segment_name = 'device' and property_id = ? and benchmark_key = 'add_to_cart_rate' "
        "and window_name in ('7d', '28d')",
        [FLAGGED],
    )
    assert verdicts == [(None, "withheld", False, "sampled")]


def test_a_restatement_is_told_with_its_values(hand_made: Warehouse) -> None:
    rows = hand_made.query(
        "select date, first_total, last_total, restatement_count, last_restated_at, is_complete "
        "from marts.fct_data_completeness where property_id = ? and report = 'sessions_by_device' "
        "and date between ? and ? order by date",
        [FLAGGED, FRANCS, RESTATED],
    )
    # A day's cells: 4 times 150 (all, devices, country) and 100 of a landing page.
    assert rows == [
        (FRANCS, 550.0, 550.0, 0, None, True),
        (RESTATED, 550.0, 551.0, 1, REPULLED_AT, True),
    ]


def test_every_doubt_stands_in_the_completeness_of_its_date(hand_made: Warehouse) -> None:
    rows = hand_made.query(
        "select date, report, last_status, is_sampled, restricted_metrics, currency, is_complete "
        "from marts.fct_data_completeness where property_id = ? and (not is_complete "
        "or currency <> 'EUR') and last_status <> 'missing' "
        "and report in ('events_by_device', 'sessions_by_all', 'users_window') order by all",
        [FLAGGED],
    )
    assert rows == [
        (FRANCS, "events_by_device", "loaded", False, None, "CHF", True),
        (FRANCS, "sessions_by_all", "loaded", False, None, "CHF", True),
        (HIDDEN, "sessions_by_all", "loaded", False, "purchaseRevenue", "EUR", False),
        (SAMPLED, "events_by_device", "loaded", True, None, "EUR", False),
        (shop.LAST, "users_window", "refused", False, None, None, False),
    ]
    assert hand_made.query(
        "select last_status, last_message, count(*) from marts.fct_data_completeness "
        "where report = 'users_window' and property_id = ? group by all order by all",
        [FLAGGED],
    ) == [("missing", None, len(shop.dates()) - 1), ("refused", "Please remove eventName.", 1)]
