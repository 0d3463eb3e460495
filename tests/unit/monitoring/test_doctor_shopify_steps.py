"""What the doctor says of a property's second sources."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pipelines.config.second_sources import Shopify
from pipelines.config.settings import Property, Settings
from pipelines.emulator.shopify import ShopifyEmulator, serve_shopify
from pipelines.monitoring.doctor.shopify_steps import shopify_steps
from pipelines.monitoring.doctor.step_model import Mark
from pipelines.sources.shopify.api import ShopifyApi
from pipelines.sources.shopify.tables import FUNNEL
from tests.support.shopify_shop import write_truth

# The morning after the second day.
NOW = datetime(2026, 6, 3, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopifyEmulator]:
    with serve_shopify(write_truth(tmp_path_factory.mktemp("shopify") / "shop", 2)) as server:
        yield server


OWN = Property(id="42", time_zone="Europe/Berlin")


def step(
    home: Path, zone: str | None = "Europe/Berlin", own: Property = OWN, **entry: Any
) -> tuple[Mark, str]:
    shop = Shopify(shop="demo-shop.myshopify.com", property="42", **entry)
    settings = Settings(home=home, properties=(own,), shopify=(shop,))
    assert shopify_steps(settings, Property(id="43"), zone, NOW) == ()
    (found,) = shopify_steps(settings, own, zone, NOW)
    return found.mark, " ".join((found.message, *found.details))


def test_a_shop_that_answers_is_right(served: ShopifyEmulator, tmp_path: Path) -> None:
    opened = {"endpoint": served.endpoint, "token": SecretStr(served.token)}
    said = "demo-shop.myshopify.com answers, 500 sessions on 2026-06-02"
    assert step(tmp_path, **opened) == (Mark.RIGHT, said)
    assert step(tmp_path, None, **opened) == (Mark.RIGHT, said)


def test_what_a_shop_lacks_is_said_with_what_to_do(served: ShopifyEmulator, tmp_path: Path) -> None:
    opened = {"endpoint": served.endpoint, "token": SecretStr(served.token)}
    mark, said = step(tmp_path, "America/New_York", **opened)
    assert mark is Mark.WRONG
    assert said.endswith("set GA4's time zone to the shop's.")
    for scopes, expected, words in (
        ('[{"handle": "read_orders"}]', Mark.WRONG, "lacks the scope read_reports"),
        ('[{"handle": "read_reports"}]', Mark.RIGHT, "abandoned checkouts are not counted"),
        ("null", Mark.WRONG, "lacks the scope read_reports"),
    ):
        body = f'{{"data": {{"currentAppInstallation": {{"accessScopes": {scopes}}}}}}}'
        served.set_faults([{"when": {"text": "accessScopes"}, "do": {"body": body}}])
        mark, said = step(tmp_path, **opened)
        assert (mark, words in said) == (expected, True)
    served.set_faults([{"do": {"parse_errors": ["Column Not Found: Column 'x' not found"]}}])
    mark, said = step(tmp_path, **opened)
    assert (mark, "Column 'x' not found" in said) == (Mark.WRONG, True)
    served.set_faults([])
    mark, said = step(tmp_path, endpoint=served.endpoint, token=SecretStr("shpat_of_nobody"))
    assert (mark, "does not accept the token" in said) == (Mark.WRONG, True)
    assert "shpat" not in said


@pytest.mark.parametrize(("zone", "currency"), [("America/New_York", "EUR"), ("UTC", "USD")])
def test_a_shop_alone_is_named_by_its_own_time_zone_and_currency(
    served: ShopifyEmulator, tmp_path: Path, zone: str, currency: str
) -> None:
    opened = {"endpoint": served.endpoint, "token": SecretStr(served.token)}
    own = Property(id="42", source="shopify", time_zone=zone, currency=currency)
    mark, said = step(tmp_path, zone, own, **opened)
    assert mark is Mark.WRONG
    assert said == (
        "demo-shop.myshopify.com lives in Europe/Berlin and sells in EUR: write 'time_zone: "
        "Europe/Berlin, currency: EUR' in the entry of property 42 in sluice.yml."
    )


def test_a_day_without_a_row_and_what_nobody_thought_of(
    served: ShopifyEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = {"endpoint": served.endpoint, "token": SecretStr(served.token)}
    none = dict.fromkeys(FUNNEL, "0")
    served.set_faults(
        [
            {"when": {"text": "TIMESERIES"}, "do": {"lose_rows": 1}},
            {"when": {"text": "GROUP BY"}, "do": {"lose_rows": 2}},
            {"when": {"about": "sessions"}, "do": {"set_values": none}},
        ]
    )
    mark, said = step(tmp_path, **opened)
    served.set_faults([])
    assert (mark, "answers, 0 sessions on 2026-06-02" in said) == (Mark.RIGHT, True)

    monkeypatch.setattr(ShopifyApi, "scopes", lambda _: 1 / 0)
    mark, said = step(tmp_path, **opened)
    assert mark is Mark.WRONG
    assert "What demo-shop.myshopify.com tells could not be fetched (ZeroDivisionError)" in said


def test_dropped_reports_are_read_and_their_age_is_told(tmp_path: Path) -> None:
    file = tmp_path / "sessions.csv"
    heading = "Day,Sessions,Added to cart,Reached checkout,Sessions converted\n"
    for day, mark, words in (
        ("2026-06-01", Mark.RIGHT, "have 1 day, 2026-06-01 to 2026-06-01"),
        ("2026-05-20", Mark.WRONG, "the newest is 13 days behind; export the report again."),
        ("", Mark.WRONG, "has a day of demo-shop.myshopify.com"),
    ):
        file.write_text(f"{heading}{day},9,1,1,1\n")
        found, said = step(tmp_path, csv=tmp_path / "*.csv")
        assert (found, words in said) == (mark, True), said
