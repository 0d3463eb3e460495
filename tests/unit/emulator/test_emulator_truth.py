"""The emulator over simulated events against what the simulator itself knows to be true."""

import json
from datetime import date

import pytest
from google.analytics.data_v1beta import types as ga4

from pipelines.emulator.server import serve
from pipelines.emulator.simulator import simulate
from tests.support.emulated_shop import Shop

START, DAYS = date(2026, 10, 1), 4
SEGMENTS = {
    "all": "",
    "device": "deviceCategory",
    "channel": "sessionDefaultChannelGroup",
    "country": "country",
    "visitor": "newVsReturning",
}
EVERY_DAY = [ga4.DateRange(start_date="2026-09-30", end_date="2026-10-31")]


@pytest.fixture(scope="module", params=["none", "server_side_orders"])
def simulated(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("events")
    simulate(folder, start=START, days=DAYS, sessions_per_day=300, scenario=request.param)
    with serve([folder], exact=True) as emulator:
        yield Shop(emulator.endpoint), json.loads((folder / "truth.json").read_text())


def asked(shop: Shop, dimensions: str, metrics: str) -> dict[tuple, tuple]:
    """Rows by their dimensions, numbers as numbers."""
    width = len(dimensions.split())
    rows = shop.rows(dimensions, metrics, date_ranges=EVERY_DAY, limit=250_000)
    return {row[:width]: tuple(map(float, row[width:])) for row in rows}


def true_rows(truth: dict, table: str, keys: str, numbers: str, **where: str) -> dict:
    """Rows of a truth table that are not zero throughout, as `asked` gives them."""
    rows = [dict(zip(truth[table]["columns"], row, strict=True)) for row in truth[table]["rows"]]
    found = {}
    for row in rows:
        values = tuple(float(row[name]) for name in numbers.split())
        if any(values) and all(row[name] == value for name, value in where.items()):
            names = (str(row[name]) for name in keys.split())
            found[tuple(n.replace("-", "") if n == row["date"] else n for n in names)] = values
    assert found
    return found


@pytest.mark.parametrize("segment", SEGMENTS)
def test_sessions_and_events_equal_the_truth(simulated, segment: str):
    shop, truth = simulated
    dimension = SEGMENTS[segment]
    keys = f"date {'segment_value' if dimension else ''}"
    metrics = "sessions engagedSessions transactions purchaseRevenue screenPageViews"
    assert asked(shop, f"date {dimension}", metrics) == true_rows(
        truth,
        "sessions",
        keys,
        "sessions engaged_sessions transactions purchase_revenue screen_page_views",
        segment_name=segment,
    )
    assert asked(shop, f"date eventName {dimension}", "eventCount sessions") == true_rows(
        truth,
        "events",
        keys.replace("date", "date event_name"),
        "events sessions",
        segment_name=segment,
    )


def test_items_equal_the_truth(simulated):
    shop, truth = simulated
    metrics = "itemsViewed itemsAddedToCart itemsCheckedOut itemsPurchased itemRevenue"
    assert asked(shop, "date itemId itemName", metrics) == true_rows(
        truth,
        "items",
        "date item_id item_name",
        "items_viewed items_added_to_cart items_checked_out items_purchased item_revenue",
    )


def test_pages_and_what_was_done_on_them_equal_the_truth(simulated):
    shop, truth = simulated
    metrics = "screenPageViews sessions engagedSessions userEngagementDuration"
    assert asked(shop, "date pagePath", metrics) == true_rows(
        truth, "pages", "date page_path", "views sessions engaged_sessions engagement_seconds"
    )
    by_event = asked(shop, "date pagePath eventName", "eventCount sessions")
    # A purchase that the shop's server sent happened on no page.
    nowhere = [row for row in by_event if row[1] == "(not set)"]
    assert {row[2] for row in nowhere} <= {"purchase"}
    assert bool(nowhere) == bool(truth["server_side_orders"])
    events = {"gallery": "image_gallery_interaction", "add_to_cart": "add_to_cart"}
    for key, event in events.items():
        found = {row[:2]: counts for row, counts in by_event.items() if row[2] == event}
        assert found == true_rows(truth, "page_keys", "date page_path", "events sessions", key=key)
    scrolled = {row[:2]: counts[1:] for row, counts in by_event.items() if row[2] == "scroll"}
    assert scrolled == true_rows(truth, "pages", "date page_path", "scroll_sessions")


def test_lists_equal_the_truth(simulated):
    shop, truth = simulated
    metrics = "itemsViewedInList itemsClickedInList"
    rows = asked(shop, "date itemListName", metrics)
    assert rows == true_rows(truth, "lists", "date item_list_name", "items_viewed items_clicked")
    assert all(viewed > clicked > 0 for viewed, clicked in rows.values())
