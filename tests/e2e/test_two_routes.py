"""A night over one shop by both routes: exact numbers are equal, whichever route counted them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipelines.config.settings import Ga4, Property, Settings
from pipelines.emulator.server import serve
from pipelines.ingest.day_window import DayWindow
from tests.e2e.shop import LAST_DAY, PROPERTY, ZONE, at_now, night, published, running_now
from tests.support.routes import simulated

EXPORT, DAYS = "100000002", 14
WINDOW = DayWindow(LAST_DAY - timedelta(days=DAYS - 1), LAST_DAY)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The home after the night."""
    folder = tmp_path_factory.mktemp("routes")
    events = simulated(folder / "events", scenario="none", seed=6, days=DAYS, sessions=60)
    with serve([events], exact=True, now=running_now()) as emulator:
        settings = Settings(
            home=folder / "home",
            ga4=Ga4(endpoint=emulator.endpoint),
            properties=(
                Property(id=PROPERTY, time_zone=ZONE),
                Property(
                    id=EXPORT, source="export", path=str(events), time_zone=ZONE, currency="EUR",
                    same_shop_as=PROPERTY,
                ),
            ),
        )  # fmt: skip
        record, _ = night(at_now(settings), WINDOW)
    assert record.status == "published", record.message
    return settings


def test_every_ratio_of_exact_numbers_is_1(settings: Settings) -> None:
    with published(settings) as connection:
        rows = connection.execute(
            "select property_id, source_a, source_b, step_key, count(*), min(ratio), max(ratio), "
            "max(date), any_value(status), count(distinct status) from marts.fct_reconciliation "
            "group by all order by any_value(step_number)"
        ).fetchall()
    # All days but the three newest, which may still change; there are no weeks to compare with.
    told = (DAYS - 3, 1.0, 1.0, LAST_DAY - timedelta(days=3), "learning", 1)
    assert rows == [
        (PROPERTY, "data_api", "export", step, *told)
        for step in ("sessions", "product_view", "add_to_cart", "checkout_start", "purchase")
    ]


def test_both_are_published_and_one_names_the_other(settings: Settings) -> None:
    with published(settings) as connection:
        known = connection.execute(
            "select property_id, property_source, same_shop_as from marts.dim_property order by 1"
        ).fetchall()
        told = connection.execute(
            "select distinct property_id from marts.fct_funnel_daily"
        ).fetchall()
    assert known == [(PROPERTY, "data_api", None), (EXPORT, "export", PROPERTY)]
    assert {name for (name,) in told} == {PROPERTY, EXPORT}
