"""Corruptions of the marts of journeys, products, parameters and carts that the gate must catch."""

from __future__ import annotations

from functools import cache

import pytest

from data_checks import GateReport
from tests.support.checked_warehouse import failures, judged_apart

pytestmark = pytest.mark.slow

CLOSED, CARTS, LIFT = "fct_closed_funnel", "fct_cart_recovery", "fct_engagement_lift"
SIGNALS, PRODUCTS = "fct_micro_conversion_window", "fct_product_funnel_window"
PARAMETERS, REVIEWS = "fct_event_parameter", "fct_review_gap"
ACTIONS = "fct_closed_funnel_next_action"
SALES, ENDS, FINDINGS = "fct_sales_daily", "fct_furthest_stage", "fct_finding"
PERIODS, DETAILS, SOURCES = "fct_funnel_period", "fct_finding_detail", "fct_reconciliation"
EXPERIMENTS = "fct_experiment"
FRICTION, CLICKS = "fct_page_friction", "fct_heatmap_click"

CORRUPTIONS = {
    "users that GA4 did not tell": (
        f"update marts.{CLOSED} set reached = 49, step_rate = 1 where step_number = 2 "
        "and window_end = '2026-03-02' and window_name = '28d'",
        (CLOSED, {"totals_equal_intermediate", "interval_holds_the_rate"}),
    ),
    "an exit share that is not its ratio": (
        f"update marts.{CLOSED} set exit_share = 0.5, exit_ci_low = 0.4, exit_ci_high = 0.6 "
        "where window_end = '2026-03-02' and step_number = 1",
        (CLOSED, {"rate_is_their_ratio"}),
    ),
    "an exit share above 1 with an interval": (
        f"update marts.{CLOSED} set exited = 98, exit_share = 2, exit_ci_low = 0.9, "
        "exit_ci_high = 1 where window_end = '2026-03-02' and step_number = 1",
        (CLOSED, {"rate_is_in_range_or_flagged", "interval_holds_the_rate"}),
    ),
    "a step twice": (
        f"insert into marts.{CLOSED} from marts.{CLOSED} where window_end = '2026-03-02'",
        (CLOSED, {"grain_is_unique"}),
    ),
    "a next action of a sample": (
        f"update marts.{ACTIONS} set flags = 'sampled'",
        (ACTIONS, {"withheld_number_has_no_rate"}),
    ),
    "a lift's rate over nobody": (
        f"update marts.{LIFT} set other_users = 0",
        (LIFT, {"rate_has_numerator_and_denominator"}),
    ),
    "a signal that is not the sum of its days": (
        f"update marts.{SIGNALS} set sessions = 41, micro_rate = 41 / 400 where key = 'purchase'",
        (SIGNALS, {"totals_equal_intermediate", "interval_holds_the_rate"}),
    ),
    "a review rate without its sessions": (
        f"update marts.{REVIEWS} set review_sessions = null",
        (REVIEWS, {"rate_has_numerator_and_denominator"}),
    ),
    "units that were lost": (
        f"update marts.{PRODUCTS} set units = 19, step_rate = 0.95, ci_low = 0.9",
        (PRODUCTS, {"totals_equal_intermediate"}),
    ),
    "a share outside of its interval": (
        f"update marts.{PARAMETERS} set ci_low = 0.6",
        (PARAMETERS, {"interval_holds_the_rate"}),
    ),
    "an abandonment below 0 of a loss above 0": (
        f"update marts.{CARTS} set lost_checkouts = 1",
        (CARTS, {"rate_is_their_ratio", "rate_is_in_range_or_flagged"}),
    ),
    "buyers that no report has": (
        f"update marts.{SALES} set purchase_sessions = purchase_sessions + 1",
        (SALES, {"totals_equal_intermediate", "rate_is_their_ratio"}),
    ),
    "sessions that ended nowhere": (
        f"update marts.{ENDS} set ended_sessions = 54, ended_share = 0.27 where step_number = 1",
        (ENDS, {"totals_equal_intermediate"}),
    ),
    "a week twice": (
        f"insert into marts.{PERIODS} from marts.{PERIODS}",
        (PERIODS, {"grain_is_unique"}),
    ),
    "a finding outside of its interval": (
        f"update marts.{FINDINGS} set ci_low = 0.3",
        (FINDINGS, {"interval_holds_the_rate"}),
    ),
    "a product of a finding with another rate than its own": (
        f"update marts.{DETAILS} set rate = 0.06, ci_low = 0.01, ci_high = 0.1",
        (DETAILS, {"rate_is_their_ratio"}),
    ),
    "orders that neither source has": (
        f"update marts.{SOURCES} set value_b = 4, ratio = 0.8 where date = '2026-03-03' "
        "and step_key = 'purchase'",
        (SOURCES, {"value_equals_intermediate"}),
    ),
    "a ratio the other way round": (
        f"update marts.{SOURCES} set ratio = 2 where date = '2026-03-04'",
        (SOURCES, {"ratio_is_of_its_values"}),
    ),
    "a day that one source lacks as 0": (
        f"update marts.{SOURCES} set value_a = 0 where date = '2026-03-01'",
        (SOURCES, {"value_equals_intermediate", "what_a_source_lacks_is_said"}),
    ),
    "an experiment with other counts than its file": (
        f"update marts.{EXPERIMENTS} set control_exposed = 199",
        (EXPERIMENTS, {"counts_equal_outcomes"}),
    ),
    "an experiment's rate of other counts": (
        f"update marts.{EXPERIMENTS} set rate = 0.13",
        (EXPERIMENTS, {"rate_is_their_ratio"}),
    ),
    "a result beside a broken split": (
        f"update marts.{EXPERIMENTS} set verdict = 'invalid', rate = null, p_value = null",
        (EXPERIMENTS, {"invalid_result_is_hidden"}),
    ),
    "a verdict without a reason": (
        f"update marts.{EXPERIMENTS} set reason = ''",
        (EXPERIMENTS, {"verdict_has_a_reason"}),
    ),
    "a cart table that does not say how whole it is": (
        f"update marts.{CARTS} set is_complete = null",
        (CARTS, {"completeness_is_stated"}),
    ),
}
# What a sound night may have.
SOUND = {
    "a rate of 0, whose interval is 0 but for rounding": [
        f"update marts.{EXPERIMENTS} set rate = 0, numerator = 0, ci_low = 4.9e-17, ci_high = 0.02 "
        "where property_id = '100'",
        "update staging.stg_register__outcomes set numerator = 0 "
        "where variant = 'new' and property_id = '100'",
    ],
    "a rate of too few units for an interval": [
        f"update marts.{EXPERIMENTS} set ci_low = null, ci_high = null where property_id = '100'"
    ],
}
# Second sources warn: what is wrong with one never holds GA4's numbers back.
WARNED = {
    "friction that Clarity did not tell": (
        f"update marts.{FRICTION} set sessions = 31 where device = 'mobile'",
        (FRICTION, {"value_equals_raw"}),
    ),
    "more sessions with a sign than there were": (
        f"update marts.{FRICTION} set sessions_with_signal = 21 where device = 'desktop'",
        (FRICTION, {"value_equals_raw", "signs_are_within_sessions"}),
    ),
    "a page of a snapshot that is not there": (
        f"delete from marts.{FRICTION} where device = 'desktop'",
        (FRICTION, {"rows_are_those_of_raw"}),
    ),
    "clicks that no file has": (
        f"update marts.{CLICKS} set clicks = 7 where element = '#menu'",
        (CLICKS, {"clicks_equal_raw"}),
    ),
    "shares of clicks that are no whole": (
        f"update marts.{CLICKS} set click_share = 0.5 where element = '#menu'",
        (CLICKS, {"shares_add_up"}),
    ),
}


@cache
def _judged() -> dict[str, GateReport]:
    return judged_apart(
        "marts",
        {
            name: [f"{statement} {_only_property(statement)}"]
            for name, (statement, _) in (CORRUPTIONS | WARNED).items()
        }
        | SOUND,
    )


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corrupted_mart_is_held_back(name: str) -> None:
    _, (table, expectations) = CORRUPTIONS[name]
    found = failures(_judged()[name])
    properties = {property_id for property_id, *_ in found}
    assert {(one, expectation) for _, one, expectation in found} == {
        (table, expectation) for expectation in expectations
    }
    assert "100" in properties


@pytest.mark.parametrize("name", SOUND)
def test_what_a_sound_night_may_have_passes(name: str) -> None:
    assert failures(_judged()[name]) == set()


@pytest.mark.parametrize("name", WARNED)
def test_a_corrupted_second_source_is_warned_of(name: str) -> None:
    _, (table, expectations) = WARNED[name]
    report = _judged()[name]
    found = {(one.table_name, one.expectation) for one in report.results if not one.is_success}
    assert found == {(f"marts.{table}", expectation) for expectation in expectations}
    assert failures(report) == set()


def _only_property(statement: str) -> str:
    return "and property_id = '100'" if " where " in statement else "where property_id = '100'"
