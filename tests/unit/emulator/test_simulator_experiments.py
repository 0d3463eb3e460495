"""Experiments of the simulated shop: who is shown what, what it does, and the truth about it."""

import json
from collections import defaultdict
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines.analysis.experiments.analysis import ExperimentPlan, analyse
from pipelines.emulator.simulator import (
    Arm,
    Experiment,
    SimulationError,
    read_experiment,
    simulate,
)
from pipelines.experiments.reading import read_outcomes

pytestmark = pytest.mark.slow

START, DAYS = date(2026, 3, 2), 9
BUTTON = Experiment(
    "button",
    "add_to_cart",
    (Arm("control", 0.5), Arm("green", 0.3, 2.0), Arm("red", 0.2, 0.0)),
    first=date(2026, 3, 3),
    last=date(2026, 3, 9),
)
FORM = Experiment("form", "purchase", (Arm("control", 0.5), Arm("short", 0.5)))
EVENTS = """
    select
        strptime(event_date, '%Y%m%d')::date as day, user_pseudo_id, event_timestamp, event_name,
        list_filter(event_params, lambda one: one.key = 'ga_session_id')[1].value.int_value,
        list_filter(event_params, lambda one: one.key = 'exp_variant_string')[1].value.string_value,
        ecommerce.transaction_id, ecommerce.purchase_revenue
    from read_parquet('{folder}/events_*.parquet') order by event_timestamp
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("events")
    simulate(made, start=START, days=DAYS, sessions_per_day=700, experiments=(BUTTON, FORM))
    return made


@pytest.fixture(scope="module")
def truth(folder: Path) -> dict:
    return json.loads((folder / "truth.json").read_text())


def counted(folder: Path, one: Experiment, step: str) -> tuple[dict, int]:
    """(day, variant) → numbers in the truth's order, user by user from the events' files."""
    users = defaultdict(list)
    for row in duckdb.sql(EVENTS.format(folder=folder)).fetchall():
        if one.is_open(row[0]):
            users[row[1]].append(row)
    cells: dict = defaultdict(lambda: [0] * 6)
    several = 0
    for rows in users.values():
        shown = [row for row in rows if row[5] in one.values]
        if len({row[5] for row in shown}) > 1:
            several += 1
        if len({row[5] for row in shown}) != 1:
            continue
        first = shown[0]
        later = [row for row in rows if row[2] > first[2]]
        stepped = [row for row in later if row[3] == step]
        orders = {row[6]: row[7] for row in reversed(later) if row[3] == "purchase"}
        visits = {row[4] for row in rows if row[2] >= first[2]}
        own = cells[first[0].isoformat(), first[5].rsplit("-")[-1]]
        for place, number in enumerate(
            (1, bool(stepped), bool(orders), sum(orders.values()), len(visits - {None}),
             len({row[4] for row in stepped} - {None}))
        ):  # fmt: skip
            own[place] += number
    return {cell: tuple(numbers) for cell, numbers in cells.items()}, several


# Hardly anybody comes to the checkout twice, and so sees two variants of the form.
@pytest.mark.parametrize(
    ("one", "step", "is_mixed"), [(BUTTON, "add_to_cart", True), (FORM, "purchase", False)]
)
def test_the_truth_is_what_the_events_say(
    folder: Path, truth: dict, one: Experiment, step: str, is_mixed: bool
) -> None:
    cells, several = counted(folder, one, step)
    rows = [row for row in truth["experiment_outcomes"]["rows"] if row[0] == one.name]
    assert {(row[1], row[2]): tuple(row[3:]) for row in rows if row[3]} == {
        cell: pytest.approx(numbers) for cell, numbers in cells.items()
    }
    days = [row[1] for row in rows]
    assert (min(days), max(days)) == (
        (one.first or START).isoformat(),
        (one.last or date(2026, 3, 10)).isoformat(),
    )
    assert len(days) == len(set(days)) * len(one.arms)
    planned = {plan["name"]: plan for plan in truth["experiments"]}[one.name]
    assert planned["users_in_several"] == several
    assert (several > 0) is is_mixed
    assert [arm["value"] for arm in planned["variants"]] == list(one.values)


def test_shares_and_effects_are_as_planned(truth: dict) -> None:
    sums: dict = defaultdict(lambda: [0, 0])
    for name, _, variant, exposed, converted, *_ in truth["experiment_outcomes"]["rows"]:
        sums[name, variant][0] += exposed
        sums[name, variant][1] += converted
    exposed = {variant: sums["button", variant][0] for variant in ("control", "green", "red")}
    rates = {variant: sums["button", variant][1] / exposed[variant] for variant in exposed}
    for arm in BUTTON.arms:
        # Four standard errors of a share.
        assert exposed[arm.name] / sum(exposed.values()) == pytest.approx(arm.share, abs=0.045)
    assert rates["red"] < 0.01 < rates["control"] * 1.5 < rates["green"]


def test_everybody_who_adds_has_been_shown_a_variant(folder: Path) -> None:
    """On the experiment's days, in the same session; but for sessions of the evening before."""
    ((adders, unseen),) = duckdb.sql(
        f"""
        with events as ({EVENTS.format(folder=folder)})
        select count(*), count(*) filter (not coalesce(was_shown, false))
        from (
            select
                event_name,
                bool_or(starts_with(exp_variant_string, 'SIM-button-')) over (
                    partition by user_pseudo_id, ga_session_id
                    order by event_timestamp rows between unbounded preceding and 1 preceding
                ) as was_shown
            from (select columns(*) from events as e (
                day, user_pseudo_id, event_timestamp, event_name, ga_session_id,
                exp_variant_string, transaction_id, revenue))
            where day between '2026-03-03' and '2026-03-09'
        ) where event_name = 'add_to_cart'
        """
    ).fetchall()
    assert adders > 100
    assert unseen <= 3


def test_a_tools_file_is_read_and_tells_the_planted_effect(folder: Path) -> None:
    outcomes = read_outcomes(folder / "outcomes_button.csv", date(2026, 3, 11))
    shares = {arm.name: arm.share for arm in BUTTON.arms}
    found = analyse(outcomes, ExperimentPlan("button", shares, 0.01))
    assert found.split.blocked_at is None
    green, red = found.comparisons
    assert green.fixed.ci_low > 0 > red.fixed.ci_high


def test_an_experiment_as_text() -> None:
    text = "button add_to_cart control=0.5 green=.3*2 red=0.2*0 2026-03-03..2026-03-09"
    assert read_experiment(text) == BUTTON
    assert read_experiment("form purchase a=0.5 b=0.5").arms == (Arm("a", 0.5), Arm("b", 0.5))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "cannot be read"),
        ("button add_to_cart", "cannot be read"),
        ("button add_to_cart control=0.5 green=0.5*-1", "cannot be read"),
        ("button view control=0.5 green=0.5", "choose one of add_to_cart, checkout_start"),
        ("button add_to_cart control=0.9", "two variants or more"),
        ("button add_to_cart control=0.5 control=0.5", "two variants or more"),
        ("button add_to_cart control=0.5 green=0.4", "add up to 1"),
        ("button add_to_cart control=0.5 green=0.5 2026-02-30", "which there is not"),
    ],
)
def test_an_experiment_that_cannot_be(text: str, told: str) -> None:
    with pytest.raises(SimulationError, match=told):
        read_experiment(text)


def test_two_experiments_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="'form' is there twice"):
        simulate(tmp_path / "shop", start=START, days=1, experiments=(FORM, FORM))
