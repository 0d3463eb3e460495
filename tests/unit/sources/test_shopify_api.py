"""Shopify's API through the real client: what is asked, what is taken, and what never is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import SecretStr

from pipelines.config.second_sources import Shopify
from pipelines.emulator.shopify import ShopifyEmulator, serve_shopify
from pipelines.ingest.day_window import DayWindow
from pipelines.sources.contract import Fetched, SourceAuditError, SourceError, SourceTable, audit
from pipelines.sources.shopify.api import ShopifyApi
from pipelines.sources.shopify.client import ShopifyClient
from pipelines.sources.shopify.tables import (
    SHOPIFY_CHECKOUTS,
    SHOPIFY_SALES,
    SHOPIFY_SESSIONS,
)
from tests.support.hand_clock import HandClock
from tests.support.shopify_shop import FIRST, write_truth

DAYS = 400
WEEK = DayWindow(FIRST, FIRST + timedelta(days=6))
# The morning after the last day.
NOW = datetime(2027, 7, 6, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_truth(tmp_path_factory.mktemp("shopify") / "shop", DAYS)


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[ShopifyEmulator]:
    # Its budgets' clock runs: one that stands would never let a point come back.
    steps = iter(range(10**6))
    with serve_shopify(folder, now=lambda: NOW + timedelta(seconds=next(steps))) as server:
        yield server


@pytest.fixture
def shop(served: ShopifyEmulator) -> Iterator[ShopifyEmulator]:
    served.requests.clear()
    yield served
    served.set_faults([])


def entry(shop: ShopifyEmulator) -> Shopify:
    return Shopify(
        shop=shop.shop, property="42", endpoint=shop.endpoint, token=SecretStr(shop.token)
    )


def fetch(
    shop: ShopifyEmulator,
    table: SourceTable = SHOPIFY_SESSIONS,
    window: DayWindow = WEEK,
    *,
    clock: HandClock | None = None,
    now: datetime = NOW,
) -> Fetched:
    client = ShopifyClient(entry(shop), clock or HandClock())
    return audit(ShopifyApi(client, lambda: now).fetch(table, window))


def rows(fetched: Fetched, **only: Any) -> list[dict[str, Any]]:
    return [
        row
        for row in fetched.rows.to_pylist()
        if all(row[name] == value for name, value in only.items())
    ]


def test_a_day_is_the_truth_and_those_whom_ga4_does_not_see(shop: ShopifyEmulator) -> None:
    fetched = fetch(shop)
    common = {
        "shop": "demo-shop.myshopify.com", "date": FIRST, "is_complete": True, "origin": "api",
    }  # fmt: skip
    steps = (
        "sessions", "sessions_with_cart_additions", "sessions_that_reached_checkout",
        "sessions_that_completed_checkout",
    )  # fmt: skip
    # 25 % more sessions than the truth, 18 % more carts, 15 % more checkouts, 12 % more orders.
    expected = {
        ("desktop", "human"): (125, 59, 46, 28),
        ("mobile", "human"): (375, 118, 184, 56),
        ("all", "human"): (500, 177, 230, 84),
        # And 30 bots beside a hundred sessions of the truth; of steps nobody is asked.
        ("all", "none"): (500 + 30 + 90, None, None, None),
    }
    found = {(row["device"], row["bot_filter"]): row for row in rows(fetched, date=FIRST)}
    assert found == {
        (device, filtered): {
            **common, "device": device, "bot_filter": filtered,
            **dict(zip(steps, counts, strict=True)),
        }
        for (device, filtered), counts in expected.items()
    }  # fmt: skip
    assert fetched.rows.num_rows == 4 * 7
    assert (fetched.time_zone, fetched.currency) == ("Europe/Berlin", "EUR")


def test_humans_are_asked_for_by_name_and_every_list_has_an_order(shop: ShopifyEmulator) -> None:
    fetch(shop)
    texts = [one["variables"]["q"] for one in shop.requests if one["about"] == "sessions"]
    assert texts == [
        "FROM sessions SHOW sessions, sessions_with_cart_additions, "
        "sessions_that_reached_checkout, sessions_that_completed_checkout "
        "WHERE human_or_bot_session = 'human' SINCE 2026-06-01 UNTIL 2026-06-07",
        "FROM sessions SHOW sessions, sessions_with_cart_additions, "
        "sessions_that_reached_checkout, sessions_that_completed_checkout "
        "WHERE human_or_bot_session = 'human' TIMESERIES day SINCE 2026-06-01 UNTIL 2026-06-07 "
        "ORDER BY day ASC LIMIT 1000",
        "FROM sessions SHOW sessions, sessions_with_cart_additions, "
        "sessions_that_reached_checkout, sessions_that_completed_checkout "
        "WHERE human_or_bot_session = 'human' GROUP BY day, session_device_type "
        "SINCE 2026-06-01 UNTIL 2026-06-07 ORDER BY day ASC, session_device_type ASC LIMIT 1000",
        "FROM sessions SHOW sessions SINCE 2026-06-01 UNTIL 2026-06-07",
        "FROM sessions SHOW sessions TIMESERIES day SINCE 2026-06-01 UNTIL 2026-06-07 "
        "ORDER BY day ASC LIMIT 1000",
    ]


def test_a_long_history_comes_in_pages(folder: Path) -> None:
    cells = dict.fromkeys(("desktop", "mobile", "tablet"), (10, 1, 1, 1))
    many = write_truth(folder.parent / "three", DAYS, cells)
    with serve_shopify(many) as server:
        whole = DayWindow(FIRST, FIRST + timedelta(days=DAYS - 1))
        fetched = fetch(server, window=whole)
    assert fetched.rows.num_rows == DAYS * (1 + 3 + 1)
    offsets = [one["variables"]["q"] for one in server.requests if "OFFSET 1000" in str(one)]
    assert len(offsets) == 1


def test_sales_are_those_of_the_online_store(shop: ShopifyEmulator) -> None:
    fetched = fetch(shop, SHOPIFY_SALES)
    # 75 orders of 50.00, and 12 % more of them; the five at the till are none of these.
    assert rows(fetched, date=FIRST) == [
        {
            "shop": "demo-shop.myshopify.com", "date": FIRST, "orders": 84,
            "net_sales": Decimal("3529.4100"), "total_sales": Decimal("4200.0000"),
            "currency": "EUR",
        }
    ]  # fmt: skip
    assert fetched.rows.num_rows == 7


def test_checkouts_are_counted_by_day_and_nothing_of_a_person_is_asked(
    shop: ShopifyEmulator,
) -> None:
    days = DayWindow(FIRST + timedelta(days=1), FIRST + timedelta(days=40))
    fetched = fetch(shop, SHOPIFY_CHECKOUTS, days)
    # 230 reach the checkout and 84 order; 60 % of the other 146 typed an address, every tenth of
    # these 87 came back. Amounts go 40, 50 … 100 and again from 40.
    value = 12 * sum(range(40, 101, 10)) + 40 + 50 + 60
    assert rows(fetched, date=days.end) == [
        {
            "shop": "demo-shop.myshopify.com", "date": days.end, "abandoned": 87, "recovered": 9,
            "abandoned_value": Decimal(value).quantize(Decimal("0.0001")), "currency": "EUR",
        }
    ]  # fmt: skip
    # The newest five weeks, and what is replaced is no more than that.
    assert fetched.rows.num_rows == fetched.replaces[0].num_rows == 35
    asked = " ".join(one["query"] for one in shop.requests)
    for personal in ("customer", "email", "Address", "note", "Url", "name", "phone"):
        assert personal not in asked
    # 3,045 of them in pages of 250; where the budget had to be waited for, a page again.
    pages = {one["variables"]["after"] for one in shop.requests if one["about"] == "checkouts"}
    assert len(pages) == 13


def test_a_day_that_is_not_over_for_the_shop_is_not_asked_for(shop: ShopifyEmulator) -> None:
    # 22:30 UTC is past midnight in Berlin.
    evening = datetime(2026, 6, 3, 22, 30, tzinfo=UTC)
    assert max(fetch(shop, now=evening).rows["date"].to_pylist()) == date(2026, 6, 3)
    early = datetime(2026, 6, 1, 21, 0, tzinfo=UTC)
    with pytest.raises(SourceError, match="2026-06-01 is not over yet"):
        fetch(shop, now=early)


DENIED = {
    "message": "Access denied for shopifyqlQuery field. Required access: read_reports.",
    "extensions": {"code": "ACCESS_DENIED"},
}
TOO_LARGE = {"message": "Too big", "extensions": {"code": "RESPONSE_TOO_LARGE"}}
SERIES, GROUPS = {"text": "TIMESERIES"}, {"text": "GROUP BY"}
NO_COLUMN = "Column Not Found: Column 'sessions' not found"
ABOUT = '{"data": {"shop": {"ianaTimezone": "Europe/Berlin", "currencyCode": %s}}}'
# When, what happens, and what the error says. None of them is ever read as nobody having come.
WRONG: tuple[tuple[dict[str, Any], dict[str, Any], str], ...] = (
    ({}, {"parse_errors": [NO_COLUMN]}, f"cannot answer sessions as a whole ({NO_COLUMN})"),
    ({}, {"no_table": True}, "answers sessions as a whole without a table"),
    ({}, {"hide_columns": "sessions_with_cart_additions"}, "without the column sessions_with_"),
    (GROUPS, {"lose_rows": 1}, "not whole (sessions add up to 3,125 of 3,500)"),
    (SERIES, {"repeat_rows": 1}, "not whole (sessions add up to 4,000 of 3,500)"),
    ({}, {"set_values": {"sessions": None}}, "tells nothing where a count belongs"),
    ({}, {"set_values": {"sessions": "12.5"}}, "tells '12.5' where a count belongs"),
    ({}, {"set_values": {"sessions": "-3"}}, "tells '-3' where a count belongs"),
    ({}, {"set_values": {"sessions": True}}, "tells True where a count belongs"),
    ({}, {"set_values": {"day": "June"}}, "tells 'June' where a day belongs"),
    (SERIES, {"shift_days": 30}, "rows of other days came"),
    ({}, {"errors": "[API] Invalid API key"}, "refuses its time zone ([API] Invalid API key)"),
    ({"about": "sessions"}, {"errors": [DENIED]}, "read_reports.): give its app that access"),
    ({}, {"errors": [TOO_LARGE]}, "cannot answer its time zone (Too big)"),
    ({}, {"errors": [{"extensions": {"code": "THROTTLED"}}]}, "asks for patience again and again"),
    ({}, {"errors": [{"extensions": None}, "odd"]}, "cannot answer its time zone (; odd)"),
    (
        {},
        {"errors": [{"message": "odd", "extensions": ["x"]}]},
        "cannot answer its time zone (odd)",
    ),
    ({}, {"set_values": {"sessions": 10**30}}, "where a count belongs"),
    ({}, {"status": 308, "body": "{}"}, "has another address"),
    ({}, {"status": 429, "retry_after": "1e300"}, "has no budget left before"),
    ({}, {"status": 401, "body": "{}"}, "does not accept the token"),
    ({}, {"status": 404, "body": "{}"}, "correct shop and api_version"),
    ({}, {"status": 302, "body": "{}"}, "has another address"),
    ({}, {"status": 418, "body": "tea"}, "with 418, and nothing that can be read"),
    ({}, {"body": "<html>"}, "nothing that can be read"),
    ({}, {"body": "[]"}, "nothing that can be read"),
    ({}, {"body": "{}"}, "without data"),
    ({}, {"body": '{"data": {"shop": null}}'}, "tells no time zone"),
    ({}, {"body": '{"data": {"shop": {"ianaTimezone": "Moon/Base"}}}'}, "tells no time zone"),
    ({}, {"body": ABOUT % "null"}, "tells no currency"),
    ({}, {"body": ABOUT % '["EUR"]'}, "tells no currency"),
    ({}, {"status": 503, "body": ""}, "gave no usable answer (it answered 503)"),
    ({}, {"disconnect": True}, "it did not answer"),
)


def test_what_is_wrong_is_said_and_never_read_as_nobody(shop: ShopifyEmulator) -> None:
    for when, do, words in WRONG:
        shop.set_faults([{"when": when, "do": do}])
        with pytest.raises(SourceError) as caught:
            fetch(shop)
        assert words in str(caught.value), do
        assert shop.token not in str(caught.value)


CHECKOUT = (
    '{"createdAt": "2026-06-01T10:00:00Z", "completedAt": null, '
    '"totalPriceSet": {"shopMoney": {"amount": "3.0", "currencyCode": "EUR"}}}'
)
LAST_PAGE = '{"hasNextPage": false, "endCursor": null}'


@pytest.mark.parametrize(
    ("nodes", "info", "words"),
    [
        (f"{CHECKOUT}, null", LAST_PAGE, "answers abandoned checkouts without a whole list"),
        (CHECKOUT, "{}", "without a whole list"),
        (CHECKOUT, '{"hasNextPage": true, "endCursor": null}', "without a whole list"),
        (CHECKOUT, '{"hasNextPage": true, "endCursor": "a"}', "without a whole list"),
        (CHECKOUT.replace('"completedAt": null, ', ""), LAST_PAGE, "a checkout was completed"),
        (CHECKOUT.replace('{"shopMoney"', '[{"shopMoney"').replace("}}}", "}}]}"), LAST_PAGE,
         "in no known currency, and the shop in EUR"),
        (CHECKOUT.replace("EUR", "USD"), LAST_PAGE, "in USD, and the shop in EUR"),
    ],
)  # fmt: skip
def test_half_a_list_is_not_all_checkouts(
    shop: ShopifyEmulator, nodes: str, info: str, words: str
) -> None:
    body = f'{{"data": {{"abandonedCheckouts": {{"nodes": [{nodes}], "pageInfo": {info}}}}}}}'
    shop.set_faults([{"when": {"about": "checkouts"}, "do": {"body": body}}])
    with pytest.raises(SourceError, match=words):
        fetch(shop, SHOPIFY_CHECKOUTS)


@pytest.mark.parametrize("cost", ["NaN", "1e300", f"1{'0' * 400}"])
def test_costs_that_are_none_are_waited_for_no_longer_than_others(
    shop: ShopifyEmulator, cost: str
) -> None:
    told = (
        f'"cost": {{"requestedQueryCost": {cost}, '
        '"throttleStatus": {"currentlyAvailable": 0, "restoreRate": 1e-300}}'
    )
    body = f'{{"extensions": {{{told}}}, ' + (ABOUT % '"EUR"')[1:]
    shop.set_faults([{"when": {"about": "shop"}, "do": {"body": body}}])
    assert fetch(shop).rows.num_rows == 28


def test_a_token_that_a_server_repeats_is_not_repeated(shop: ShopifyEmulator) -> None:
    shop.set_faults([{"do": {"errors": f"the token {shop.token} is not valid"}}])
    with pytest.raises(SourceError) as caught:
        fetch(shop)
    assert "the token [redacted] is not valid" in str(caught.value)


def test_a_total_that_settles_is_asked_for_twice(shop: ShopifyEmulator) -> None:
    shop.set_faults([{"when": {"text": "GROUP BY", "calls": {"nth": 1}}, "do": {"lose_rows": 1}}])
    assert fetch(shop).rows.num_rows == 28


def test_lists_as_rows_numbers_and_longer_stamps_are_taken(shop: ShopifyEmulator) -> None:
    expected = fetch(shop).rows
    for when, do in (
        ({}, {"rows_as_lists": True}),
        (SERIES, {"set_values": {"day": "2026-06-01T00:00:00"}}),
        ({"text": "TIMESERIES day"}, {"set_values": {"sessions_with_cart_additions": 177}}),
        ({"text": "TIMESERIES day"}, {"set_values": {"sessions_with_cart_additions": "177.0"}}),
    ):
        shop.set_faults([{"when": when, "do": do}])
        assert fetch(shop).rows == expected, do


def test_a_day_of_which_nothing_is_known_is_no_day_of_zeros(shop: ShopifyEmulator) -> None:
    """A row without any metric; its sessions are in no total either."""
    names = fetch(shop).table.counts
    nothing = dict.fromkeys(names)
    rest = {"sessions": "3000", **dict(zip(names[1:], ("1062", "1380", "504"), strict=True))}
    shop.set_faults(
        [
            {"when": SERIES, "do": {"set_values": nothing}},
            {"when": {"text": "'human' SINCE"}, "do": {"set_values": rest}},
            {"when": GROUPS, "do": {"lose_rows": 2}},
            {"when": {"text": "SHOW sessions SINCE"}, "do": {"set_values": {"sessions": "3720"}}},
        ]
    )
    days = {row["date"] for row in rows(fetch(shop), device="all", bot_filter="human")}
    assert days == {FIRST + timedelta(days=number) for number in range(1, 7)}


def test_what_passes_is_tried_again(shop: ShopifyEmulator) -> None:
    expected = fetch(shop).rows
    for do, seconds in (
        ({"status": 503}, 2), ({"status": 429, "retry_after": "7"}, 7),
        ({"status": 429, "retry_after": "soon"}, 2), ({"disconnect": True}, 2),
    ):  # fmt: skip
        shop.set_faults([{"when": {"calls": {"first": 1}}, "do": do}])
        clock = HandClock()
        start = clock.now()
        assert fetch(shop, clock=clock).rows == expected
        assert clock.slept == [start + timedelta(seconds=seconds)]


def test_both_budgets_are_waited_for(folder: Path) -> None:
    clock = HandClock()
    with serve_shopify(folder, now=clock.now) as server:
        # Three requests' worth of points, which come back at one a second.
        server.set_faults({"budgets": {"points": 30, "restore_rate": 1}})
        assert fetch(server, clock=clock).rows.num_rows == 28
        # The shop's time zone and two queries are paid from the bucket, the other three wait.
        assert len(clock.slept) == 3
        waits = [
            later - earlier for earlier, later in zip(clock.slept, clock.slept[1:], strict=False)
        ]
        assert waits == [timedelta(seconds=10)] * 2

        clock.slept.clear()
        server.set_faults({"budgets": {"shopifyql": 20, "window_seconds": 60}})
        assert fetch(server, clock=clock).rows.num_rows == 28
        assert len(clock.slept) in {2, 3}

        server.set_faults({"budgets": {"shopifyql": 20, "window_seconds": 86_400}})
        clock.sleep_until(clock.now() + timedelta(hours=1))
        with pytest.raises(SourceError, match="has no budget left before"):
            fetch(server, clock=clock)


def test_an_audit_refuses_rows_twice_and_holes_in_keys(shop: ShopifyEmulator) -> None:
    whole = fetch(shop)
    table, rows_ = whole.table, whole.rows
    doubled = rows_.slice(0, 1)
    for wrong, words in (
        (pa.concat_tables([rows_, doubled]), "1 rows are there twice"),
        (rows_.set_column(2, "device", pa.nulls(28, pa.string())), "28 rows have no device"),
        (rows_.set_column(4, "sessions", pa.array([-1] * 28, pa.int64())), "sessions is -1"),
    ):
        with pytest.raises(SourceAuditError, match=words):
            audit(Fetched(table, wrong, whole.replaces))
