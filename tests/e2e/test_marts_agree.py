"""Marts that tell of the same thing from two sides give the same number, or say why they do not."""

from pipelines.config.settings import Settings
from tests.e2e.shop import published_rows


def test_all_sessions_ended_somewhere(published_home: Settings) -> None:
    """In each window and segment value, and as many as the funnel begins with."""
    found = published_rows(
        published_home,
        "select sum(ended_sessions), any_value(funnel.reached), round(sum(ended_share), 9) "
        "from marts.fct_furthest_stage as stages inner join marts.fct_funnel_window as funnel "
        "using (property_id, window_name, segment_name, segment_value) "
        "where funnel.funnel = 'core' and funnel.step_number = 0 and funnel.reached > 0 "
        "group by window_name, segment_name, segment_value",
    )
    assert len(found) > 40
    assert {(ended == sessions, share) for ended, sessions, share in found} == {(True, 1.0)}


def test_sales_of_days_are_those_of_the_carts(published_home: Settings) -> None:
    found = published_rows(
        published_home,
        "select any_value(carts.transactions) = sum(sales.transactions), "
        "abs(any_value(carts.purchase_revenue) - sum(sales.purchase_revenue)) < 0.005 "
        "from marts.fct_sales_daily as sales inner join marts.fct_cart_recovery as carts "
        "using (property_id, segment_name, segment_value) "
        "where sales.date between carts.window_start and carts.window_end "
        "and carts.segment_name <> 'landing_page' and sales.tracking_state = 'tracked' "
        "group by carts.window_name, segment_name, segment_value",
    )
    assert len(found) > 40
    assert set(found) == {(True, True)}


def test_closed_funnels_say_why_they_differ_in_orders(published_home: Settings) -> None:
    """Who did all steps of a funnel did those of a shorter one, which begins as early or later."""
    ((core, checkout, extended),) = published_rows(
        published_home,
        "select "
        + ", ".join(
            f"max(reached) filter (where funnel = '{funnel}')"
            for funnel in ("core", "checkout", "extended")
        )
        + " from marts.fct_closed_funnel where window_name = '28d' and is_current "
        "and segment_name = 'all' and unit = 'users' and step_key = 'purchase'",
    )
    assert 0 < extended <= core
    assert extended <= checkout
    ((reason,),) = published_rows(
        published_home,
        "select distinct table_description from marts.dim_column "
        "where table_name = 'fct_closed_funnel'",
    )
    assert "skipped an optional step" in reason


def test_the_day_has_one_answer(published_home: Settings) -> None:
    """The same in all rows of a date, and a yes once the sessions do not change any more."""
    found = published_rows(
        published_home,
        "select date, bool_and(is_day_complete), count(distinct is_day_complete), "
        "bool_or(maturity = 'provisional') filter (where report = 'sessions_by_all') "
        "from marts.fct_data_completeness where window_name = '1d' group by date",
    )
    assert len(found) >= 40
    assert {answers for _, _, answers, _ in found} == {1}
    assert {is_complete is not may_change for _, is_complete, _, may_change in found} == {True}
