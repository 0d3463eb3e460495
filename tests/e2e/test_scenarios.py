"""The planted leak of every scenario is the largest shortfall that Sluice reports."""

import pytest

from pipelines.emulator.simulator import SCENARIOS
from tests.e2e.scenarios import PROPERTIES, ScenarioShops

LEAKS = [name for name, scenario in SCENARIOS.items() if scenario.leaks]
UNTAGGED = f"property_id = '{PROPERTIES['checkout_tag_missing']}' and "


@pytest.mark.parametrize("scenario", LEAKS)
def test_the_planted_leak_is_the_largest_shortfall(scenarios: ScenarioShops, scenario: str) -> None:
    largest = scenarios.query(
        "select benchmark_key, segment_name, segment_value, status "
        "from marts.fct_benchmark_comparison where window_name = '28d' and shortfall > 0 "
        f"and property_id = '{PROPERTIES[scenario]}' order by shortfall desc limit 1"
    )
    leak = SCENARIOS[scenario].leaks[0]
    assert largest == [(leak.benchmark_key, leak.segment_name, leak.segment_value, "below")]


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
