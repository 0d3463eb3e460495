"""Numbers in the marts equal what the simulator knows, for every date × segment × event."""

import pyarrow as pa
import pytest

from pipelines.settings import Settings
from tests.e2e.shop import Shop, published

# truth.json counts by every segment but the landing page.
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


@pytest.mark.parametrize("funnel", ["core", "extended"])
def test_every_step_of_the_funnels(shop: Shop, published_home: Settings, funnel: str) -> None:
    truth = shop.truth("keys")
    assert not difference(
        published_home,
        truth,
        "select date::date, segment_name, segment_value, key, sessions from truth where key in "
        f"(select step_key from marts.fct_funnel_daily where funnel = '{funnel}') "
        "and sessions > 0",
        "select date, segment_name, segment_value, step_key, reached from marts.fct_funnel_daily "
        f"where funnel = '{funnel}' and step_number > 0 and reached > 0 and {COUNTED}",
    )


def test_every_micro_conversion(shop: Shop, published_home: Settings) -> None:
    truth = shop.truth("keys")
    keys = set(truth["key"].to_pylist())
    assert {"gallery", "email_capture", "home_scroll_fold", "product_scroll_50"} <= keys
    assert not difference(
        published_home,
        truth,
        "select date::date, segment_name, segment_value, key, events, sessions from truth "
        "where events > 0",
        "select date, segment_name, segment_value, key, events, sessions "
        f"from marts.fct_micro_conversion_daily where events > 0 and {COUNTED}",
    )


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


def test_every_item(shop: Shop, published_home: Settings) -> None:
    assert not difference(
        published_home,
        shop.truth("items"),
        "select item_id, sum(items_viewed), sum(items_added_to_cart), sum(items_purchased), "
        "round(sum(item_revenue), 2) from truth group by all",
        "select item_id, sum(items_viewed), sum(items_added_to_cart), sum(items_purchased), "
        "round(sum(item_revenue), 2) from marts.fct_product_funnel group by all",
    )
