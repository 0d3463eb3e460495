"""Pages and lists over whole windows equal the sums of what the simulator knows, day by day.

40 days up to the end of June, a Tuesday: 7d, 28d, the ISO week before and the whole of June. Of
the windows before them, those of 7d and week are there.
"""

import pytest

from pipelines.config.settings import Settings
from tests.e2e.shop import Shop, published
from tests.e2e.test_marts_equal_truth import difference


def sums(numbers: str, keys: str, table: str, *, age: int = 0) -> str:
    """SQL: truth summed over the days of every window of the mart, or of the one before it."""
    back = f"to_days(({age} * window_days)::int)"
    return (
        f"select window_name, {keys}, {numbers} from truth inner join ("
        f"select distinct window_name, window_days, window_start, window_end from marts.{table}) "
        f"on date::date between window_start - {back} and window_end - {back} group by all"
    )


def test_every_page(shop: Shop, published_home: Settings) -> None:
    truth = shop.truth("pages")
    assert len(set(truth["page_path"].to_pylist())) == 76
    assert not difference(
        published_home,
        truth,
        sums(
            "sum(views), sum(sessions), sum(scroll_sessions)", "page_path", "fct_page_engagement"
        ),
        "select window_name, page_path, views, sessions, scroll_sessions "
        "from marts.fct_page_engagement",
    )  # fmt: skip


def test_rounded_seconds_and_engaged_sessions_of_every_page(
    shop: Shop, published_home: Settings
) -> None:
    """A realistic server rounds every day's seconds, and now and then counts a session too many."""
    true = sums(
        "sum(engaged_sessions) as engaged, sum(engagement_seconds) as seconds",
        "page_path", "fct_page_engagement",
    )  # fmt: skip
    with published(published_home) as connection:
        connection.register("truth", shop.truth("pages"))
        rows = connection.execute(
            "select window_days, engaged_sessions - engaged, engagement_seconds - seconds "
            f"from marts.fct_page_engagement full join ({true}) using (window_name, page_path)"
        ).fetchall()
    assert len(rows) > 200
    assert all(0 <= more <= days and abs(off) <= days / 2 for days, more, off in rows)
    assert any(more for _, more, _ in rows)
    assert any(off for *_, off in rows)


def test_every_page_in_the_week_before(shop: Shop, published_home: Settings) -> None:
    assert not difference(
        published_home,
        shop.truth("pages"),
        "select * from ("
        + sums("sum(views), sum(sessions)", "page_path", "fct_page_engagement", age=1)
        + ") semi join marts.fct_page_engagement using (window_name, page_path) "
        "where window_name in ('7d', 'week')",
        "select window_name, page_path, prior_views, prior_sessions "
        "from marts.fct_page_engagement where prior_sessions > 0",
    )


@pytest.mark.parametrize("numbers", ["sessions", "events"])
def test_every_key_on_every_page(shop: Shop, published_home: Settings, numbers: str) -> None:
    truth = shop.truth("page_keys")
    keys = set(truth["key"].to_pylist())
    assert {"gallery", "review_scroll", "home_scroll_fold", "product_scroll_50", "purchase"} <= keys
    assert not difference(
        published_home,
        truth,
        sums(f"sum({numbers})", "page_path, key", "fct_page_micro_conversion"),
        f"select window_name, page_path, key, {numbers} "
        f"from marts.fct_page_micro_conversion where {numbers} > 0",
    )


def test_pages_are_placed_and_what_never_happened_on_them_is_a_zero(
    published_home: Settings,
) -> None:
    with published(published_home) as connection:
        stages = dict(
            connection.execute(
                "select page_path, page_stage from marts.fct_page_engagement "
                "where window_name = '28d'"
            ).fetchall()
        )
        states = connection.execute(
            "select distinct tracking_state from marts.fct_page_micro_conversion where sessions = 0"
        ).fetchall()
    assert stages["/"] == "home"
    assert stages["/cart"] == "cart"
    assert stages["/checkout/payment"] == "checkout"
    assert stages["/checkout/confirmation"] == "outcome"
    assert stages["/pages/about"] is None
    prefixes = {"/collections/": "collection", "/products/": "product"}
    for prefix, stage in prefixes.items():
        assert {stages[path] for path in stages if path.startswith(prefix)} == {stage}
    assert states == [("tracked",)]


def test_every_list(shop: Shop, published_home: Settings) -> None:
    assert not difference(
        published_home,
        shop.truth("lists"),
        sums("sum(items_viewed), sum(items_clicked)", "item_list_name", "fct_collection"),
        "select window_name, item_list_name, items_viewed, items_clicked from marts.fct_collection",
    )


# x of n of a cell on a date; the intervals of the cells; the tables of truth.json.
INTERVALS = {
    "scroll": (
        "select page_path as cell, date, scroll_sessions as x, sessions as n from pages",
        "select window_name, page_path, scroll_ci_low, scroll_ci_high "
        "from marts.fct_page_engagement",
        ("pages",),
    ),
    "key": (
        "select page_path || cells.key as cell, n.date, coalesce(x.sessions, 0) as x, "
        "n.sessions as n from (select distinct page_path, key, parent_key "
        "from marts.fct_page_micro_conversion) as cells "
        "inner join page_keys as n using (page_path) "
        "left join page_keys as x on x.key = cells.key and x.page_path = n.page_path "
        "and x.date = n.date where n.key = cells.parent_key",
        "select window_name, page_path || key, ci_low, ci_high "
        "from marts.fct_page_micro_conversion where parent_key <> 'sessions'",
        ("page_keys",),
    ),
    "parameter": (
        "select 'home' as cell, date, keys.sessions as x, events.sessions as n "
        "from keys inner join events using (date, segment_name) "
        "where segment_name = 'all' and key = 'home_view' and event_name = 'page_view'",
        "select window_name, parameter_value, ci_low, ci_high from marts.fct_event_parameter "
        "where parameter = 'page_type' and event_name = 'page_view'",
        ("keys", "events"),
    ),
}


@pytest.mark.parametrize("kind", INTERVALS)
def test_intervals_hold_the_variation_between_days(
    shop: Shop, published_home: Settings, kind: str
) -> None:
    """As the readers' aggregates over the true days; some are wider than of days that are alike."""
    days, cells, tables = INTERVALS[kind]
    with published(published_home) as connection:
        for name in tables:
            connection.register(name, shop.truth(name))
        found = connection.execute(
            "select abs(low - ci_low) < 1e-9 and abs(high - ci_high) < 1e-9, low < plain - 1e-9 "
            "from (select window_name, cell, marts.wilson_low_days(x, n) as low, "
            "marts.wilson_high_days(x, n) as high, marts.wilson_low(sum(x), sum(n)) as plain "
            f"from ({days}) inner join (select distinct window_name, window_start, window_end "
            "from marts.fct_page_engagement) on date::date between window_start and window_end "
            f"group by all having sum(x) > 0 and sum(x) <= sum(n)) left join ({cells}) "
            "as told (window_name, cell, ci_low, ci_high) using (window_name, cell)"
        ).fetchall()
    assert len(found) >= 4
    equal, wider = zip(*found, strict=True)
    assert set(equal) == {True}
    assert any(wider)
