"""Numbers in the marts equal what the simulator knows, for every date × segment × event."""

import pyarrow as pa
import pytest

from pipelines.settings import Settings
from tests.e2e.shop import PROPERTY, Shop, published
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


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim(shop: Shop, published_home: Settings, claim: str) -> None:
    with published(published_home) as connection:
        count, found = differences(connection, shop.events, CLAIMS[claim], PROPERTY)
    assert found == []
    assert count > 0
