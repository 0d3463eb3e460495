"""Scrolling, where the shop sends `scroll_depth`, GA4's own `scroll` (90 %), or both.

The client's own request, answered by the emulator over hand-made events: the union of both names
under the filters of the plan counts a session once, and never one that scrolled less.
"""

from datetime import date
from pathlib import Path

import pytest

from pipelines.config.tracking_plan import load_plan
from pipelines.emulator.server import serve
from pipelines.ga4.date_windows import Period
from pipelines.ga4.report_catalog import build_reports
from pipelines.ga4.report_request import report_request
from tests.support.emulated_shop import B_LATER, NOW, A, B, C, Shop, write_shop

ON_HOME, ON_PRODUCT = {"page_type": "home"}, {"page_type": "product"}
DAY = date(2026, 3, 10)


def depth(session: tuple, page: dict, percent: int) -> tuple:
    at = f"10 12:{percent:02}:00" if percent < 60 else f"10 13:{percent - 60:02}:00"
    return (at, session, "scroll_depth", page | {"percent_scrolled": percent}, {})


def scroll(session: tuple, page: dict) -> tuple:
    """As enhanced measurement sends it, with the page type that the shop adds to every event."""
    return ("10 14:00:00", session, "scroll", page | {"percent_scrolled": 90}, {})


@pytest.mark.parametrize(
    ("events", "home", "product"),
    [
        # Both events of one visitor who read all of a product page: one session.
        ([depth(A, ON_PRODUCT, 25), depth(A, ON_PRODUCT, 50), scroll(A, ON_PRODUCT)], 0, 1),
        # 25 % is past the fold of the home page, and too little of a product page.
        ([depth(A, ON_HOME, 25), depth(B, ON_PRODUCT, 25)], 1, 0),
        # No scroll_depth: who came to 90 % is seen, others are not.
        ([scroll(A, ON_PRODUCT), scroll(B, ON_HOME), scroll(B_LATER, ON_PRODUCT)], 1, 2),
        # GA4's own event without the shop's page_type says nothing of either page.
        ([scroll(A, {}), scroll(B, {}), depth(C, ON_PRODUCT, 50)], 0, 1),
        # Each visitor by another event: the union.
        ([depth(A, ON_PRODUCT, 75), scroll(B, ON_PRODUCT), depth(C, ON_HOME, 25)], 1, 2),
    ],
)
def test_sessions_of_both_names_are_united_under_the_filters(
    tmp_path: Path, events: list[tuple], home: int, product: int
) -> None:
    arrival = ("10 09:00:00", A, "page_view", ON_HOME, {})
    late = ("11 09:00:00", C, "page_view", ON_HOME, {})
    folder = write_shop(tmp_path, events=(arrival, late, *events))
    (spec,) = (one for one in build_reports(load_plan()) if one.name == "micro_by_all")
    found = {}
    with serve([folder], now=lambda: NOW) as emulator:
        shop = Shop(emulator.endpoint)
        for part in spec.parts:
            request = report_request("100000001", spec, part, [Period("1d", DAY, DAY)])
            answer = shop.client.run_report(request)
            found[part.constants["micro_key"]] = sum(
                int(row.metric_values[1].value) for row in answer.rows
            )
    assert (found["home_scroll_fold"], found["product_scroll_50"]) == (home, product)
