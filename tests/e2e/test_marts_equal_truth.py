"""Numbers in the marts equal what the simulator knows, for every date × segment × event.

The server is realistic; in a shop this small it counts all sessions, and estimates the users of
28 days. Large counts, and an exact server: test_scenarios.py.
"""

from math import exp, log, sqrt

import pyarrow as pa
import pytest

from pipelines.config.settings import Settings
from tests.e2e.shop import PROPERTY, Shop, published, published_rows
from tests.e2e.truths import CLAIMS, differences

# The simulator's truth knows no landing pages.
COUNTED = "segment_name <> 'landing_page'"


def difference(settings: Settings, truth: pa.Table, left: str, right: str) -> list[tuple]:
    """Rows that are in only one of the two queries (`truth` is a table in them)."""
    with published(settings) as connection:
        connection.register("truth", truth)
        return connection.execute(
            f"(({left}) except all ({right})) union all (({right}) except all ({left})) limit 5"
        ).fetchall()


def test_sessions_of_every_date_and_segment(shop: Shop, published_home: Settings) -> None:
    truth = shop.truth("sessions")
    assert truth.num_rows > 40 * (1 + 3 + 5 + 5 + 2)
    assert not difference(
        published_home,
        truth,
        "select date::date, segment_name, segment_value, sessions from truth where sessions > 0",
        "select date, segment_name, segment_value, reached from marts.fct_funnel_daily "
        f"where funnel = 'core' and step_number = 0 and {COUNTED}",
    )


@pytest.mark.parametrize("funnel", ["core", "extended", "checkout"])
def test_every_step_of_the_funnels(shop: Shop, published_home: Settings, funnel: str) -> None:
    truth = shop.truth("keys")
    assert not difference(
        published_home,
        truth,
        "select date::date, segment_name, segment_value, key, sessions from truth where key in "
        f"(select step_key from marts.fct_funnel_daily where funnel = '{funnel}') "
        "and sessions > 0",
        "select date, segment_name, segment_value, step_key, reached from marts.fct_funnel_daily "
        f"where funnel = '{funnel}' and step_key <> 'sessions' and reached > 0 and {COUNTED}",
    )


def test_the_funnel_of_a_channel_on_phones(shop: Shop, published_home: Settings) -> None:
    """Over all days: sessions of cells may be added up, and a rate is made of two sums."""
    cells = "cube = 'device_channel_visitor' and device = 'mobile' and channel = 'Paid Search'"
    assert not difference(
        published_home,
        shop.truth("cells"),
        "select key, sum(sessions), sum(sessions) / lag(sum(sessions)) over (order by min(place)) "
        "from truth join (select unnest(['sessions', 'product_view', 'add_to_cart', "
        "'checkout_start', 'purchase']) as key, unnest(range(5)) as place) using (key) "
        f"where {cells} group by key",
        "select step_key, sum(reached), sum(reached) / sum(previous_reached) "
        f"from marts.fct_cell_funnel where {cells} group by step_key",
    )


@pytest.mark.parametrize("cube", ["device_channel_visitor", "device_country"])
def test_cells_add_up_to_the_funnel_of_a_device(published_home: Settings, cube: str) -> None:
    rows = published_rows(
        published_home,
        "select count(*), count(*) filter (where cells.reached = days.reached) from (select "
        "date, device as segment_value, step_key, sum(reached) as reached "
        f"from marts.fct_cell_funnel where cube = '{cube}' group by all) as cells "
        "join marts.fct_funnel_daily as days "
        "using (date, segment_value, step_key) where funnel = 'core' "
        "and segment_name = 'device'",
    )
    ((count, equal),) = rows
    assert count == equal > 40 * 3 * 4


def test_the_newest_week_and_month_of_the_history_are_the_windows(
    published_home: Settings,
) -> None:
    """Here every step is tracked from the first day on, so that both judge it alike."""
    columns = (
        "window_name, window_start, window_end, days_loaded, segment_name, segment_value, "
        "step_key, reached, previous_reached, entry_reached, round(step_rate, 12), "
        "round(ci_low, 12), round(ci_high, 12), status, is_complete, maturity, flags"
    )
    with published(published_home) as connection:
        rows = connection.execute(
            f"select {columns} from marts.fct_funnel_window where funnel = 'core' "
            f"and window_name in ('week', 'month') and {COUNTED} "
            f"except all select {columns} from marts.fct_funnel_period"
        ).fetchall()
        ((weeks, days),) = connection.execute(
            "select count(*), sum(days_loaded) from marts.fct_funnel_period "
            "where window_name = 'week' and segment_name = 'all' and step_number = 0"
        ).fetchall()
    assert rows == []
    assert (weeks, days) == (7, 40)


def test_readers_get_the_intervals_of_the_marts_from_days(published_home: Settings) -> None:
    """Over the days of each window and segment value, whatever varies between them."""
    rows = published_rows(
        published_home,
        "select windows.ci_low, windows.ci_high, windows.phi, "
        "marts.wilson_low_days(days.reached, days.previous_reached), "
        "marts.wilson_high_days(days.reached, days.previous_reached) "
        "from marts.fct_funnel_window as windows inner join marts.fct_funnel_daily as days "
        "using (property_id, funnel, segment_name, segment_value, step_key, previous_step_key) "
        "where days.date between windows.window_start and windows.window_end "
        "and windows.status = 'measured' group by windows.window_name, funnel, segment_name, "
        "segment_value, step_key, windows.ci_low, windows.ci_high, windows.phi",
    )
    assert len(rows) > 100
    assert max(phi for _, _, phi, *_ in rows) > 1
    for low, high, _, own_low, own_high in rows:
        assert (own_low, own_high) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim(shop: Shop, published_home: Settings, claim: str) -> None:
    with published(published_home) as connection:
        count, found = differences(connection, shop.events, CLAIMS[claim], PROPERTY, is_exact=False)
    assert found == []
    assert count > 0


def test_lift_and_its_interval_from_the_four_counts(published_home: Settings) -> None:
    rows = published_rows(
        published_home,
        "select view_users, did_users, did_add_users, view_add_users, lift, lift_ci_low, "
        "lift_ci_high from marts.fct_engagement_lift where status = 'measured'",
    )
    assert len(rows) > 8
    for view, did, did_add, view_add, *told in rows:
        other, other_add = view - did, view_add - did_add
        rates = did_add / did, other_add / other
        error = sqrt((1 - rates[0]) / did_add + (1 - rates[1]) / other_add)
        middle = log(rates[0] / rates[1])
        expected = [exp(middle + sign * 1.959964 * error) for sign in (0, -1, 1)]
        assert told == pytest.approx(expected, rel=1e-5)


def test_the_home_page_has_its_signals(published_home: Settings) -> None:
    rows = published_rows(
        published_home,
        "select key, status from marts.fct_micro_conversion_window where stage = 'home' "
        "and window_name = 'month' and segment_name = 'all' order by key",
    )
    keys = ("hero_click", "home_scroll_fold", "home_view", "navigation_click", "promotion_view")
    assert rows == [(key, "measured") for key in keys]


def test_landing_pages_add_up_to_the_truth_of_the_whole_shop(
    shop: Shop, published_home: Settings
) -> None:
    """A session lands once, and this shop has fewer pages than are pulled."""
    assert not difference(
        published_home,
        shop.truth("keys"),
        "select date::date, key, events, sessions from truth "
        "where segment_name = 'all' and events > 0",
        "select date, key, sum(events), sum(sessions) from marts.fct_micro_conversion_daily "
        "where segment_name = 'landing_page' group by all having sum(events) > 0",
    )
