"""Every scenario with a seed of its own, five shops in one night.

The planted leak is the largest shortfall that Sluice reports, and the marts equal the truth. The
full grid of scenarios and seeds is `python -m tests.study.truth`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pytest

from pipelines.emulator.simulator import SCENARIOS
from tests.e2e.shop import published
from tests.e2e.truth_grid import GridShop, publish_grid
from tests.e2e.truths import CLAIMS, differences

LEAKS = [name for name, scenario in SCENARIOS.items() if scenario.leaks]
UNTAGGED = "checkout_tag_missing"
LARGEST = """
    select benchmark_key, segment_name, segment_value, status
    from marts.fct_benchmark_comparison
    where property_id = ? and window_name = '28d' and shortfall > 0
    order by shortfall desc limit 1
"""


@dataclass(frozen=True)
class Grid:
    """What readers see, and the shops by scenario."""

    connection: duckdb.DuckDBPyConnection
    shops: dict[str, GridShop]

    def rows(self, query: str, scenario: str) -> list[tuple]:
        """The rows of a query about one shop."""
        return self.connection.execute(query, [self.shops[scenario].property_id]).fetchall()


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grid]:
    folder = tmp_path_factory.mktemp("grid")
    pairs = [(name, seed) for seed, name in enumerate(SCENARIOS, start=1)]
    assert len(pairs) >= 5
    settings, shops = publish_grid(folder, pairs, days=28, sessions=600)
    with published(settings) as connection:
        yield Grid(connection, {shop.scenario: shop for shop in shops})


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_marts_equal_the_truth(grid: Grid, scenario: str, claim: str) -> None:
    shop = grid.shops[scenario]
    count, found = differences(grid.connection, shop.events, CLAIMS[claim], shop.property_id)
    assert found == []
    assert count > 0


@pytest.mark.parametrize("scenario", LEAKS)
def test_the_planted_leak_is_the_largest_shortfall(grid: Grid, scenario: str) -> None:
    leak = SCENARIOS[scenario].leaks[0]
    assert grid.rows(LARGEST, scenario) == [
        (leak.benchmark_key, leak.segment_name, leak.segment_value, "below")
    ]


@pytest.mark.parametrize("scenario", LEAKS)
def test_the_planted_leak_is_ranked_first_and_worth_money(grid: Grid, scenario: str) -> None:
    leak = SCENARIOS[scenario].leaks[0]
    ((key, is_leak, low, middle, high, currency),) = grid.rows(
        "select benchmark_key, is_leak, opportunity_p05, opportunity_p50, opportunity_p95, "
        "currency from marts.fct_leak where property_id = ? and window_name = '28d' "
        "and segment_name = 'all' and leak_rank = 1",
        scenario,
    )
    assert (key, is_leak, currency) == (leak.benchmark_key, True, "EUR")
    assert 0 < low < middle < high


def test_a_healthy_shop_has_no_leak(grid: Grid) -> None:
    called = grid.rows(
        "select step_key from marts.fct_leak where property_id = ? and segment_name = 'all' "
        "and window_name = '28d' and is_leak",
        "none",
    )
    assert called == []


def test_a_missing_checkout_tag_is_not_tracked_and_never_zero(grid: Grid) -> None:
    verdicts = grid.rows(
        "select distinct status, rate, ci_low, p_value from marts.fct_benchmark_comparison "
        "where property_id = ? and window_name = '28d' and segment_name = 'all' "
        "and 'checkout_start' in (numerator_key, denominator_key)",
        UNTAGGED,
    )
    steps = grid.rows(
        "select distinct reached, step_rate, tracking_state from marts.fct_funnel_window "
        "where property_id = ? and step_key = 'checkout_start' and window_name = '28d' "
        "and segment_name = 'all'",
        UNTAGGED,
    )
    state = grid.rows(
        "select tracking_state from marts.fct_tracking_coverage "
        "where property_id = ? and key = 'checkout_start'",
        UNTAGGED,
    )
    assert verdicts == [("not_tracked", None, None, None)]
    assert steps == [(None, None, "not_tracked")]
    assert state == [("not_tracked",)]


def test_nothing_is_known_after_a_missing_tag(grid: Grid) -> None:
    closed = grid.rows(
        "select distinct step_key, reached, exit_share, status from marts.fct_closed_funnel "
        "where property_id = ? and window_name = '28d' and funnel = 'core' and step_number >= 3",
        UNTAGGED,
    )
    units = grid.rows(
        "select distinct units, step_rate, status from marts.fct_product_funnel_window "
        "where property_id = ? and step_key = 'checkout_start'",
        UNTAGGED,
    )
    carts = grid.rows(
        "select cart_status, checkout_status, checkouts, checkout_abandonment_rate "
        "from marts.fct_cart_recovery "
        "where property_id = ? and window_name = '28d' and segment_name = 'all'",
        UNTAGGED,
    )
    assert sorted(closed) == [
        ("checkout_start", None, None, "not_tracked"),
        ("purchase", None, None, "not_tracked"),
    ]
    assert units == [(None, None, "not_tracked")]
    assert carts == [("measured", "not_tracked", None, None)]
