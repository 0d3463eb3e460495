"""Experiments of a shop that a night published: the plan, and its register."""

import json

import pytest

from pipelines.analysis.experiments.sizes import units_per_arm
from pipelines.config.settings import Settings
from pipelines.report.page import property_page
from tests.e2e.scenarios import PROPERTIES, ScenarioShops
from tests.e2e.shop import published
from tests.support.reading import run

HEALTHY = PROPERTIES["none"]
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

EDIT = "smallest_effect was 0.04, is 0.02 (noticed 2026-07-31)"
WITHDRAWN = "state was running, is withdrawn (noticed 2026-07-31)"
TESTED = """
    select state, first_date::varchar, edits, numerator, denominator, control_numerator, difference,
        p_value, sequential_p_value < 0.05, macro_converted, control_macro_converted, verdict,
        weeks_left > 0
    from marts.fct_experiment where experiment_id = $id
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


def test_a_night_analyses_what_is_registered(scenarios: ScenarioShops) -> None:
    with published(scenarios.settings) as connection:
        button, headline, badges, colour = (
            connection.execute(TESTED, {"id": name}).fetchall()
            for name in ("button", "headline", "badges", "colour")
        )
        (reason,) = (
            connection.execute(
                "select reason from marts.fct_experiment where experiment_id = 'badges'"
            ).fetchone()
            or ()
        )
    # 28 days of 400 units each: 12 and 8 % convert, and one in a hundred orders, in both.
    assert button == [
        ("running", "2026-06-01", EDIT, 1344, 11200, 896, pytest.approx(0.04),
         pytest.approx(0, abs=1e-9), True, 112, 112, "hold, macro unproven", True)
    ]  # fmt: skip
    # In the file the new variant stands first, in the register the old one.
    assert headline == [
        ("ended", None, None, 585, 5000, 500, pytest.approx(0.017),
         pytest.approx(0.006276, abs=1e-6), False, None, None, "hold, macro unproven", None)
    ]  # fmt: skip
    # It was taken out of the register, and keeps its result.
    assert colour == [("withdrawn", None, WITHDRAWN, *headline[0][3:])]
    # A broken file stopped nothing, and is told.
    assert badges == [("running", *[None] * 12)]
    assert reason.endswith(
        "badges.csv, line 1: there is no column 'converted' (is it 'orders'?); write variant, "
        "exposed, converted, separated by commas, semicolons or tabs."
    )


def test_a_night_plans_as_the_command_does(
    scenarios: ScenarioShops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_HOME", str(scenarios.settings.home))
    found = json.loads(run("experiment", "plan", "--property", HEALTHY, "--json").stdout)
    roles = {found["guardrail"]: "guardrail", found["primary"]: "primary"}
    stored = scenarios.query(
        "select key, numerator, denominator, weeks, detectable_lift, recommended "
        f"from marts.fct_experiment_plan where property_id = '{HEALTHY}' order by key"
    )
    names = ("key", "numerator", "denominator", "weeks", "detectable_lift")
    assert stored == [
        (*(one[name] for name in names), roles.get(one["key"]))
        for one in sorted(found["metrics"], key=lambda one: one["key"])
    ]


def test_the_list_is_what_the_page_has(
    scenarios: ScenarioShops, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = scenarios.settings
    properties = [{"id": one.id, "time_zone": one.time_zone} for one in settings.properties]
    monkeypatch.setenv("SLUICE_PROPERTIES", json.dumps(properties))
    monkeypatch.setenv("SLUICE_HOME", str(settings.home))
    for name in ("experiments", "changes"):
        monkeypatch.setenv(f"SLUICE_{name.upper()}", str(getattr(settings, name)))
    listed = json.loads(run("experiment", "list", "--json").stdout)
    with published(settings) as connection:
        pages = [property_page(connection, one.id) for one in settings.properties]
    sections = [
        one for page in pages for one in page.more if one.title == "Experiments and changes"
    ]
    tried = [one for one in listed if one["kind"] == "experiment"]
    assert [one["description"] for one in tried] == [
        card.title for section in sections for card in section.cards
    ]
    assert [one["reason"] for one in tried] == [
        dict(card.lines)["Why"] for section in sections for card in section.cards
    ]
    assert {one["since_night"] for one in listed} == {None}
    # What the register says since has been read by no night.
    monkeypatch.delenv("SLUICE_EXPERIMENTS")
    listed = json.loads(run("experiment", "list", "--json").stdout)
    assert {one["id"]: one["since_night"] for one in listed} == {
        **dict.fromkeys(("badges", "button"), "taken out"),
        **dict.fromkeys(("colour", "headline", "sale", "wallet", "repair")),
        "form": "changed",
    }


def test_only_a_property_with_a_register_has_rows(scenarios: ScenarioShops) -> None:
    for table, count in (
        ("fct_experiment", 1),
        ("fct_experiment_plan", 3),
        ("fct_change_overlap", 3),
    ):
        assert scenarios.query(f"select count(distinct property_id) from marts.{table}") == [
            (count,)
        ]


def test_which_entries_overlap_is_published(scenarios: ScenarioShops) -> None:
    found = scenarios.query(
        "select change_id, overlap, overlaps_with, confounded from marts.fct_change_overlap "
        f"where property_id = '{HEALTHY}' order by change_id"
    )
    assert found == [
        ("badges", True, "form", False), ("button", False, "", False), ("colour", False, "", False),
        ("form", True, "badges", True), ("headline", False, "", False), ("sale", False, "", False),
    ]  # fmt: skip


def test_the_page_has_every_experiment_and_the_changes_beside_findings(
    scenarios: ScenarioShops,
) -> None:
    with published(scenarios.settings) as connection:
        healthy, leaking, healed, other = (
            property_page(connection, PROPERTIES[name])
            for name in ("none", "mobile_payment_broken", "payment_repaired", "shipping_shock")
        )
    (section,) = (one for one in healthy.more if one.title == "Experiments and changes")
    assert [card.title for card in section.cards] == [
        "Trust badges help", "A green button is seen sooner", "A red button is seen sooner",
        "A shorter headline keeps visitors",
    ]  # fmt: skip
    assert dict(section.cards[1].lines)["Changed after its start"] == EDIT
    assert section.cards[2].mark == "✕ withdrawn · 2 May 2026"
    assert len(section.tables[0].rows) == 2
    assert dict(leaking.cards[0].lines)["Changed at that time"] == (
        "10 Jun 2026, “Another payment service”, checkout"
    )
    assert healed.lines[0] == (
        "It rose again after a change (23 Jun 2026, “The payment form takes all cards again”, "
        "checkout): they go together, which does not prove that the one caused the other."
    )
    assert "Experiments and changes" not in {one.title for one in other.more}


def test_the_days_of_a_change_are_no_baseline(scenarios: ScenarioShops) -> None:
    found = scenarios.query(
        "select distinct date::varchar, segment_value from marts.fct_anomaly "
        f"where is_declared and window_days = 1 and property_id = '{HEALTHY}'"
    )
    assert found == [("2026-06-10", "desktop")]
