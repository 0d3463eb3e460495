"""Every scenario with a seed of its own, in one night.

The planted leak is the largest shortfall that Sluice reports, and the marts equal the truth, or
differ from it as a realistic server's numbers do. The full grid of scenarios and seeds is
`python -m tests.study.truth`.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.emulator.simulator import SCENARIOS
from tests.e2e.scenarios import DAYS, PROPERTIES, REALISTIC, WINDOW, ScenarioShops
from tests.e2e.shop import published
from tests.e2e.truths import CLAIMS, differences
from tests.support.reading import run
from tests.unit.gtm.tag_manager import File

LEAKS = [name for name, scenario in SCENARIOS.items() if scenario.leaks]
# Of one value of one dimension at most, and open to the end: a row of fct_leak is about it.
PLAIN = [
    name
    for name in LEAKS
    if all(len(leak.scope) <= 1 and not leak.days_healed for leak in SCENARIOS[name].leaks)
]
UNTAGGED = f"property_id = '{PROPERTIES['checkout_tag_missing']}' and "


def test_at_least_five_shops_with_seeds_of_their_own() -> None:
    assert len(set(PROPERTIES.values())) >= 5


@pytest.fixture(scope="module")
def marts(scenarios: ScenarioShops) -> Iterator[duckdb.DuckDBPyConnection]:
    with published(scenarios.settings) as connection:
        yield connection


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_marts_equal_the_truth(
    scenarios: ScenarioShops, marts: duckdb.DuckDBPyConnection, scenario: str, claim: str
) -> None:
    property_id = PROPERTIES[scenario]
    count, found = differences(marts, scenarios.folder / property_id, CLAIMS[claim], property_id)
    assert found == []
    assert count > 0


# What is counted from more than 3,000 sessions or users in a shop of this size.
ESTIMATED = {"open reach", "micro-conversions over 28 days", "closed funnels", "furthest stage"}


@pytest.mark.parametrize("claim", CLAIMS)
def test_marts_of_a_realistic_server_are_within_its_errors(
    scenarios: ScenarioShops, marts: duckdb.DuckDBPyConnection, claim: str
) -> None:
    events = scenarios.folder / REALISTIC
    count, found = differences(marts, events, CLAIMS[claim], REALISTIC, is_exact=False)
    _, inexact = differences(marts, events, CLAIMS[claim], REALISTIC)
    assert found == []
    assert count > 0
    if claim in ESTIMATED:
        assert inexact


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_planted_leak_is_the_only_finding(scenarios: ScenarioShops, scenario: str) -> None:
    """Its step, its part of the shop, its first day where there are days before it, its state."""
    found = scenarios.query(
        "select step_key, scope, since_earliest, since_latest, recovered_date, state, currency, "
        "opportunity_p50 > 0, finding_rank "
        f"from marts.fct_finding where property_id = '{PROPERTIES[scenario]}'"
    )
    assert len(found) == len(SCENARIOS[scenario].leaks)
    for leak, row in zip(SCENARIOS[scenario].leaks, found, strict=True):
        step, scope, earliest, latest, recovered, state, *rest = row
        assert step == leak.step_key
        assert tuple(tuple(one.values()) for one in json.loads(scope)) == leak.scope
        first, last = leak.dates(WINDOW.start, DAYS)
        if first == WINDOW.start:
            assert earliest is None
        else:
            assert earliest <= first <= latest
        if leak.days_healed:
            assert abs((recovered - last).days - 1) <= 1
        assert state == ("healed" if leak.days_healed else "new")
        assert rest == ["EUR", True, 1]


@pytest.mark.parametrize("scenario", LEAKS)
def test_every_finding_has_a_likely_cause(scenarios: ScenarioShops, scenario: str) -> None:
    """Also on a first night, without weeks of its own; a finding that healed needs none."""
    assert not scenarios.query(
        "select finding_id from marts.fct_finding anti join marts.fct_diagnosis "
        f"using (property_id, finding_id) where property_id = '{PROPERTIES[scenario]}' "
        "and state <> 'healed'"
    )


def test_cells_answer_what_crosses_two_dimensions(scenarios: ScenarioShops) -> None:
    """Paid Social on mobile in one statement: next to nobody adds."""
    ((added, viewed, rate),) = scenarios.query(
        "select sum(reached), sum(previous_reached), sum(reached) / sum(previous_reached) "
        "from marts.fct_cell_funnel where device = 'mobile' and channel = 'Paid Social' "
        "and cube = 'device_channel_visitor' and step_key = 'add_to_cart' "
        f"and property_id = '{PROPERTIES['paid_social_landing']}'"
    )
    assert viewed > 300
    assert rate == added / viewed < 0.03


@pytest.mark.parametrize("scenario", PLAIN)
def test_the_planted_leak_is_the_largest(scenarios: ScenarioShops, scenario: str) -> None:
    """The one that is worth most over all segments, and the first of the whole shop."""
    leak = SCENARIOS[scenario].leaks[0]
    mine = f"property_id = '{PROPERTIES[scenario]}' and window_name = '28d'"
    largest = scenarios.query(
        "select benchmark_key, segment_name, segment_value, is_leak from marts.fct_leak "
        f"where {mine} and leak_order = 1"
    )
    assert largest == [(leak.benchmark_key, *leak.segment, True)]
    ((key, low, middle, high, currency),) = scenarios.query(
        "select benchmark_key, opportunity_p05, opportunity_p50, opportunity_p95, currency "
        f"from marts.fct_leak where {mine} and segment_name = 'all' and leak_rank = 1 and is_leak"
    )
    assert (key, currency) == (leak.benchmark_key, "EUR")
    assert 0 < low < middle < high
    assert scenarios.query(
        "select status from marts.fct_benchmark_comparison "
        f"where {mine} and benchmark_key = '{leak.benchmark_key}' "
        f"and segment_value = '{leak.segment[1]}'"
    ) == [("below",)]


def test_a_cart_that_leaks_is_diagnosed_and_others_are_not(scenarios: ScenarioShops) -> None:
    """28 days have no weeks of their own to compare with: the rules on benchmarks can fire."""
    found = scenarios.query(
        "select property_id, rule, evidence, likely_cause from marts.fct_diagnosis "
        "where window_name = '28d' and segment_name = 'all'"
    )
    leaky = {rule for property_id, rule, *_ in found if property_id == PROPERTIES["shipping_shock"]}
    assert {"K1", "K2"} <= leaky
    healthy = {rule for property_id, rule, *_ in found if property_id == PROPERTIES["none"]}
    assert not healthy & {"K1", "P4", "X0", "X1", "X2", "X3", "X4", "T1"}
    assert all("ikely" in cause for *_, cause in found)


def test_a_healthy_shop_has_no_leak(scenarios: ScenarioShops) -> None:
    assert not scenarios.query(
        "select step_key from marts.fct_leak where window_name = '28d' and segment_name = 'all' "
        f"and is_leak and property_id = '{PROPERTIES['none']}'"
    )


def test_a_missing_checkout_tag_is_not_tracked_and_never_zero(scenarios: ScenarioShops) -> None:
    verdicts = scenarios.query(
        "select distinct status, rate, ci_low, p_value from marts.fct_benchmark_comparison "
        f"where {UNTAGGED} window_name = '28d' and segment_name = 'all' "
        "and 'checkout_start' in (numerator_key, denominator_key)"
    )
    steps = scenarios.query(
        "select distinct reached, step_rate, tracking_state from marts.fct_funnel_window where "
        f"{UNTAGGED} step_key = 'checkout_start' and window_name = '28d' and segment_name = 'all'"
    )
    state = scenarios.query(
        f"select tracking_state from marts.fct_tracking_coverage where {UNTAGGED} "
        "key = 'checkout_start'"
    )
    assert verdicts == [("not_tracked", None, None, None)]
    assert steps == [(None, None, "not_tracked")]
    assert state == [("not_tracked",)]


def test_the_container_of_a_missing_tag_has_every_key_that_is_not_tracked(
    scenarios: ScenarioShops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_HOME", str(scenarios.settings.home))
    to, shop = str(tmp_path / "container.json"), PROPERTIES["checkout_tag_missing"]
    result = run(
        "gtm", "--measurement-id", "G-8KQ2PD9VBN", "--property", shop, "--out", to, "--json"
    )
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    lacking = scenarios.query(
        f"select key from marts.fct_tracking_coverage where {UNTAGGED} "
        "tracking_state in ('not_tracked', 'tracking_lost') order by key"
    )
    covered = {key for event in told["events"] for key in event["keys"]}
    assert [(key,) for key in sorted(covered)] == lacking
    assert "checkout_start" in covered
    assert told["left_out"] == {}
    File.model_validate_json(Path(to).read_text(encoding="utf-8"))


def test_nothing_is_known_after_a_missing_tag(scenarios: ScenarioShops) -> None:
    closed = scenarios.query(
        "select distinct step_key, reached, exit_share, status from marts.fct_closed_funnel "
        f"where {UNTAGGED} window_name = '28d' and funnel = 'core' and step_number >= 3 order by 1"
    )
    units = scenarios.query(
        "select distinct units, step_rate, status from marts.fct_product_funnel_window "
        f"where {UNTAGGED} step_key = 'checkout_start'"
    )
    carts = scenarios.query(
        "select cart_status, checkout_status, checkouts, checkout_abandonment_rate "
        f"from marts.fct_cart_recovery where {UNTAGGED} window_name = '28d' "
        "and segment_name = 'all'"
    )
    assert closed == [
        ("checkout_start", None, None, "not_tracked"),
        ("purchase", None, None, "not_tracked"),
    ]
    assert units == [(None, None, "not_tracked")]
    assert carts == [("measured", "not_tracked", None, None)]


def test_orders_of_the_server_are_told_and_make_no_leak(scenarios: ScenarioShops) -> None:
    mine = f"property_id = '{PROPERTIES['server_side_orders']}'"
    coverage = scenarios.query(
        f"select tracking_state from marts.fct_tracking_coverage where {mine} and key = 'purchase'"
    )
    verdicts = scenarios.query(
        "select distinct status, rate, ci_low, p_value from marts.fct_benchmark_comparison "
        f"where {mine} and window_name = '28d' and segment_name = 'all' "
        "and numerator_key = 'purchase'"
    )
    leaks = scenarios.query(
        f"select step_key from marts.fct_leak where {mine} and window_name = '28d' "
        "and segment_name = 'all' and is_leak"
    )
    assert coverage == [("sessionless",)]
    assert verdicts == [("sessionless", None, None, None)]
    assert leaks == []
