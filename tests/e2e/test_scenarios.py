"""The planted leak of every scenario is the largest shortfall that Sluice reports."""

from pathlib import Path

import pytest

from pipelines.emulator.simulator import SCENARIOS
from tests.e2e.shop import night, open_shop, published

LEAKS = [name for name, scenario in SCENARIOS.items() if scenario.leaks]
LARGEST = """
    select benchmark_key, segment_name, segment_value, status
    from marts.fct_benchmark_comparison where window_name = '28d' and shortfall > 0
    order by shortfall desc limit 1
"""


@pytest.mark.parametrize("scenario", LEAKS)
def test_the_planted_leak_is_the_largest_shortfall(scenario: str, tmp_path: Path) -> None:
    with open_shop(tmp_path / "events", days=28, sessions=600, scenario=scenario) as shop:
        settings = shop.settings(tmp_path / "home")
        record, _ = night(settings, shop.window)
    assert record.status == "published", record.message
    leak = SCENARIOS[scenario].leaks[0]
    with published(settings) as connection:
        largest = connection.execute(LARGEST).fetchone()
    assert largest == (leak.benchmark_key, leak.segment_name, leak.segment_value, "below")


def test_a_missing_checkout_tag_is_not_tracked_and_never_zero(tmp_path: Path) -> None:
    with open_shop(
        tmp_path / "events", days=28, sessions=600, scenario="checkout_tag_missing"
    ) as shop:
        settings = shop.settings(tmp_path / "home")
        record, _ = night(settings, shop.window)
    assert record.status == "published", record.message
    with published(settings) as connection:
        verdicts = connection.execute(
            "select distinct status, rate, ci_low, p_value from marts.fct_benchmark_comparison "
            "where window_name = '28d' and segment_name = 'all' "
            "and 'checkout_start' in (numerator_key, denominator_key)"
        ).fetchall()
        steps = connection.execute(
            "select distinct reached, step_rate, tracking_state from marts.fct_funnel_window "
            "where step_key = 'checkout_start' and window_name = '28d' and segment_name = 'all'"
        ).fetchall()
        state = connection.execute(
            "select tracking_state from marts.fct_tracking_coverage where key = 'checkout_start'"
        ).fetchall()
    assert verdicts == [("not_tracked", None, None, None)]
    assert steps == [(None, None, "not_tracked")]
    assert state == [("not_tracked",)]
