"""`sluice experiment plan` on a shop that a night published."""

import json

import pytest

from pipelines.config.settings import Settings
from pipelines.experiments.sizes import units_per_arm
from tests.e2e.shop import published
from tests.support.reading import run

ADD = """
    select sessions, parent_sessions, greatest(phi, 1) from marts.fct_micro_conversion_window
    where window_name = '28d' and segment_name = 'all' and key = 'add_to_cart'
"""
ORDERS = """
    select reached, entry_reached from marts.fct_funnel_window
    where window_name = '28d' and segment_name = 'all' and funnel = 'core' and step_key = 'purchase'
"""
NO_RATE = """
    select key from marts.fct_micro_conversion_window
    where window_name = '28d' and segment_name = 'all' and status <> 'measured'
        and parent_key is not null
"""


def test_the_plan_is_of_the_published_rates(
    published_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_HOME", str(published_home.home))
    found = json.loads(run("experiment", "plan", "--json").stdout)
    with published(published_home) as connection:
        x, n, phi = connection.execute(ADD).fetchone() or ()
        orders = connection.execute(ORDERS).fetchone()
        untracked = {key for (key,) in connection.execute(NO_RATE).fetchall()}
    metrics = {one["key"]: one for one in found["metrics"]}
    add, macro = metrics["add_to_cart"], metrics["purchase"]
    assert (add["numerator"], add["denominator"]) == (x, n)
    assert (macro["numerator"], macro["denominator"]) == orders
    units = phi * units_per_arm(x / n, 1.2 * x / n)
    assert add["weeks_exact"] == pytest.approx(2 * units / (n / 4))
    assert add["speed_up"] == pytest.approx(macro["weeks_exact"] / add["weeks_exact"])
    assert found["guardrail"] == "purchase"
    assert found["primary"] in metrics
    # What is not tracked has no rate of 0, but a word.
    assert untracked <= set(found["left_out"])
    assert not untracked & set(metrics)
