"""The plan of an experiment: sizes, weeks, what is sooner, and what is recommended."""

from __future__ import annotations

import json
from collections.abc import Iterator

import duckdb
import pytest

from pipelines.analysis.experiments.planner import Candidate, MetricPlan, Plan, Wish, make_plan
from pipelines.errors import SluiceError
from pipelines.experiments.candidates import read_shop
from tests.support.reading import run

# A week of a small shop: 7,143 visits, 500 adds, 275 checkouts, 30 orders.
VISITS, ADDS, CHECKOUTS, ORDERS = 500 / 0.07, 500, 275, 30
MACRO = Candidate("purchase", "sessions", "outcome", ORDERS, VISITS, 1, place=4)
ADD = Candidate("add_to_cart", "sessions", "intent", ADDS, VISITS, 1, place=2)
CHECKOUT = Candidate("checkout_start", "add_to_cart", "progression", CHECKOUTS, ADDS, 1, place=3)
PAID = Candidate("paid", "add_to_cart", "progression", ORDERS, ADDS, 1, place=4)


def planned(*candidates: Candidate, macro: Candidate | None = MACRO, **wish: float) -> Plan:
    return make_plan(list(candidates), macro, Wish(**wish))  # type: ignore[arg-type]


def rows(plan: Plan) -> dict[str, MetricPlan]:
    return {one.key: one for one in plan.metrics}


def test_the_small_shop() -> None:
    """Units of each arm, weeks and speed-up, worked out apart from the code."""
    found = {
        key: (one.units_per_arm, round(one.weeks_exact or 0, 1), round(one.speed_up or 0, 2))
        for key, one in rows(planned(ADD, CHECKOUT, PAID)).items()
    }
    assert found == {
        "purchase": (102_307, 28.6, 1.0),
        "paid": (6_719, 26.9, 1.07),
        "add_to_cart": (5_691, 1.6, 17.98),
        "checkout_start": (309, 1.2, 23.19),
    }


@pytest.mark.parametrize(("rho", "first_order"), [(1, 17.8), (0.9, 14.5), (0.8, 11.4), (0.5, 4.5)])
def test_the_gain_shrinks_with_the_square_of_rho(rho: float, first_order: float) -> None:
    """(E_m / E_M) (1 - p_M) / (1 - p_m) rho^2 holds for small lifts; one of 1 % is small."""
    (add, _) = sorted(planned(ADD, lift=0.01, rho=rho).metrics, key=lambda one: one.key)
    assert add.speed_up == pytest.approx(first_order, rel=0.01)
    of_rho = {one.rho: one.speed_up for one in add.speed_up_by_rho}
    assert of_rho[rho] == pytest.approx(add.speed_up)


def test_two_whole_weeks_are_the_least_and_weeks_are_whole() -> None:
    found = rows(planned(ADD, CHECKOUT))
    assert [found[key].weeks for key in ("checkout_start", "add_to_cart", "purchase")] == [2, 2, 29]


def test_dispersion_takes_as_many_times_the_units() -> None:
    (plain,) = planned(ADD, macro=None).metrics
    (varying,) = planned(Candidate(**{**vars(ADD), "phi": 2.0}), macro=None).metrics
    assert varying.weeks_exact == pytest.approx(2 * (plain.weeks_exact or 0))
    assert (varying.detectable_lift or 0) > (plain.detectable_lift or 0)


def test_what_the_weeks_show_is_the_lift_that_takes_them() -> None:
    found = rows(planned(ADD, weeks=6))["add_to_cart"]
    again = rows(planned(ADD, lift=found.detectable_lift or 0))["add_to_cart"]
    assert again.weeks_exact == pytest.approx(6, abs=1e-6)


def test_more_variants_share_the_units_and_alpha() -> None:
    two, three = (rows(planned(ADD, variants=one))["add_to_cart"] for one in (2, 3))
    # (z(.9875) + z(.8))^2 / (z(.975) + z(.8))^2 = 1.2113, on a third of the units instead of half.
    ratio = (three.weeks_exact or 0) / (two.weeks_exact or 1)
    assert ratio == pytest.approx(1.2113 * 1.5, rel=0.002)


def test_what_is_recommended() -> None:
    scroll = Candidate("scroll", "sessions", "engagement", 4_000, VISITS, 1, place=9)
    assert planned(ADD, CHECKOUT, scroll).primary == "checkout_start"
    # Nothing within eight weeks: the quickest. Paid takes 26.9.
    assert planned(PAID).primary == "paid"
    # Purchases that are soon enough need nobody to stand for them.
    large = Candidate("purchase", "sessions", "outcome", 3_000, 700_000, 1, place=4)
    assert planned(ADD, macro=large).primary == "purchase"
    alone = planned(ADD, macro=None)
    assert (alone.primary, alone.guardrail) == ("add_to_cart", None)
    # 95 % cannot rise by a fifth.
    sure = Candidate("sure", "sessions", "intent", 95, 100, 1)
    assert planned(sure, macro=None).primary is None


def test_numbers_typed_in_as_json() -> None:
    found = json.loads(
        run("experiment", "plan", "--baseline", "0.07", "--weekly", "7143", "--macro-baseline",
            "0.0042", "--json").stdout
    )  # fmt: skip
    assert (found["primary"], found["guardrail"]) == ("metric", "macro")
    metric, macro = found["metrics"]
    assert (metric["units_per_arm"], metric["weeks"], macro["weeks"]) == (5691, 2, 29)
    assert metric["speed_up"] == pytest.approx(17.98, abs=0.01)
    assert macro["speed_up_by_rho"] == []


def test_numbers_typed_in_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.cli.common.out._width", 200)
    text = " ".join(
        run("experiment", "plan", "--baseline", "0.07", "--weekly", "7143", "--macro-baseline",
            "0.0042", "--rho", "0.8").stdout.split()
    )  # fmt: skip
    # A lift of 16 %: 8,770 units, the macro's 20 % as ever.
    assert "macro rate takes, ρ = 0.8" in text
    assert "metric units 7.00 % 500 of 7,143 7,143 8,7" in text
    assert "macro units 0.42 % 30 of 7,143 7,143 102,307 29" in text
    assert "Primary: metric; guardrail: macro." in text


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """Two properties; of the second nothing but visits is tracked."""
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.dim_property as select unnest(['1', '2']) as property_id"
        )
        connection.execute(
            "create table marts.fct_micro_conversion_window as select *, '28d' as window_name, "
            "'all' as segment_name, 28 as window_days from (values "
            "('1', 'add_to_cart', 'product_view', 'intent', 'measured', 400, 8000, 1.5), "
            "('1', 'wishlist', 'product_view', 'intent', 'not_tracked', null, 8000, null), "
            "('1', 'home_view', null, 'engagement', 'measured', 400, null, 1.0), "
            "('1', 'purchase', 'add_to_cart', 'outcome', 'measured', 40, 400, 1.0), "
            "('2', 'add_to_cart', 'product_view', 'intent', 'not_tracked', null, null, null)) "
            "as t (property_id, key, parent_key, family, status, sessions, parent_sessions, phi)"
        )
        connection.execute(
            "create table marts.fct_funnel_window as select *, '28d' as window_name, "
            "'all' as segment_name, 28 as window_days, 'core' as funnel from (values "
            "('1', 'add_to_cart', 2, 'measured', 'tracked', 400, 16000, 1.5), "
            "('1', 'purchase', 4, 'measured', 'tracked', 40, 16000, 0.7), "
            "('2', 'purchase', 4, 'not_tracked', 'not_tracked', null, 16000, null)) as t "
            "(property_id, step_key, step_number, status, tracking_state, reached, "
            "entry_reached, phi)"
        )
        yield connection


def test_a_shop_is_read_from_its_marts(marts: duckdb.DuckDBPyConnection) -> None:
    shop = read_shop(marts, "1")
    assert shop.candidates == [
        Candidate("add_to_cart", "product_view", "intent", 400, 8000, 4.0, 1.5, 2)
    ]
    # Less than chance is chance: phi is 1 at least.
    assert shop.macro == Candidate("purchase", "sessions", "outcome", 40, 16000, 4.0, 1.0, 4)
    assert shop.left_out == {"wishlist": "not_tracked"}


@pytest.mark.parametrize(
    ("property_id", "sentence"),
    [
        (None, "Several properties are published: give --property 1, say."),
        ("3", "There is no property '3'; did you mean"),
        ("2", "Property 2 has no rate of the last 28 days to plan with: 'sluice status' says"),
    ],
)
def test_what_cannot_be_planned_is_said(
    marts: duckdb.DuckDBPyConnection, property_id: str | None, sentence: str
) -> None:
    with pytest.raises(SluiceError) as caught:
        read_shop(marts, property_id)
    assert sentence in str(caught.value)
