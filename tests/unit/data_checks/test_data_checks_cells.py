"""Corruptions of cells that the gates must catch, and what no gate may object to.

In the warehouse of `checked_warehouse` both cubes have 60 sessions a day on phones and 40 on
computers.
"""

from __future__ import annotations

from functools import cache

import pytest

from data_checks import GateReport
from tests.support.checked_warehouse import failures, judged_apart

pytestmark = pytest.mark.slow

STAGED, COUNTED, MART = "stg_ga4__cells", "int_cells__counted", "fct_cell_funnel"
PHONES = "property_id = '100' and date = '2026-03-02' and device = 'mobile'"
JOINT, BY_COUNTRY = "cube = 'device_channel_visitor'", "cube = 'device_country'"


def told(sessions: int, cube: str) -> list[str]:
    """GA4 told another number of sessions on phones, and the model has it."""
    return [
        f"update {table} set {count} = {sessions} where {PHONES} and {cube} and {key} = 'sessions'"
        for table, count, key in (
            (f"staging.{STAGED}", "sessions", "key"),
            (f"intermediate.{COUNTED}", "reached", "step_key"),
        )
    ]


EXACT = "update intermediate.int_funnel__reach_daily set is_exact = true where property_id = '100'"
NO_CELLS = [
    *(
        f"delete from {table} where property_id = '200'"
        for table in (f"staging.{STAGED}", f"intermediate.{COUNTED}", f"marts.{MART}",
                      "raw.ga4_cells", "raw.ga4_cells_country")
    ),
    "delete from ops.pulls where property_id = '200' and report in ('cells', 'cells_country')",
]  # fmt: skip
LOST = {
    "lost": f"delete from intermediate.{COUNTED} where {PHONES} and step_key = 'purchase'",
    "twice": f"insert into intermediate.{COUNTED} from intermediate.{COUNTED} where {PHONES}",
    "unknown": f"update intermediate.{COUNTED} set reached = null where {PHONES} and {BY_COUNTRY}",
}
# Statements, and what the intermediate gate, which passes, observed of cells that do not add up.
SUMS: dict[str, tuple[list[str], str | None]] = {
    # 2 % of the total, 6 · 0.023 · √(100² + 40² + 41²) = 15.9 and 3 / 2 for rounding.
    "41 of 60": (told(41, JOINT), None),
    "40 of 60": (
        told(40, JOINT),
        "allowed_difference 19.4, difference 20, total 100, cells 80",
    ),
    "82 of 60": (told(82, JOINT), None),
    "83 of 60": (
        told(83, JOINT),
        "allowed_difference 22.3, difference 23, total 100, cells 123",
    ),
    # Smaller countries are not asked for.
    "none of a country": (told(0, BY_COUNTRY), None),
    "82 of a country": (told(82, BY_COUNTRY), None),
    "83 of a country": (
        told(83, BY_COUNTRY),
        "allowed_difference 22.3, difference 23, total 100, cells 123",
    ),
    # Cells of an export add up to the session.
    "exact": ([EXACT], None),
    "exact, one less": (
        [EXACT, *told(59, JOINT)],
        "allowed_difference 0, difference 1, total 100, cells 99",
    ),
    # Cells that lack rows prove nothing.
    "incomplete": (
        [
            *told(3, JOINT),
            f"update intermediate.{COUNTED} set is_complete = false where {PHONES}",
        ],
        None,
    ),
}
RATES = {
    "a lost step": (
        f"delete from marts.{MART} where {PHONES} and step_key = 'purchase'",
        {"totals_equal_intermediate"},
    ),
    "another rate": (
        f"update marts.{MART} set step_rate = 0.4 where {PHONES} and step_number = 1",
        {"rate_is_their_ratio"},
    ),
    "no denominator": (
        f"update marts.{MART} set previous_reached = null where {PHONES}",
        {"rate_has_numerator_and_denominator"},
    ),
    "a sample's": (
        f"update marts.{MART} set flags = 'sampled' where {PHONES}",
        {"withheld_number_has_no_rate"},
    ),
    "twice": (
        f"insert into marts.{MART} from marts.{MART} where {PHONES}",
        {"grain_is_unique", "totals_equal_intermediate"},
    ),
}


@cache
def _intermediate() -> dict[str, GateReport]:
    lost = {name: [statement] for name, statement in LOST.items()}
    sums = {name: statements for name, (statements, _) in SUMS.items()}
    return judged_apart("intermediate", lost | sums | {"no cells": NO_CELLS})


@cache
def _marts() -> dict[str, GateReport]:
    rates = {name: [statement] for name, (statement, _) in RATES.items()}
    return judged_apart("marts", rates | {"no cells": NO_CELLS})


@cache
def _staging() -> dict[str, GateReport]:
    spoiled = [
        f"delete from staging.{STAGED} where {PHONES} and {BY_COUNTRY}",
        f"update staging.{STAGED} set sessions = 61 "
        f"where property_id in ('100', '200') and sessions = 60 and {JOINT}",
    ]
    return judged_apart("staging", {"lost or changed": spoiled, "no cells": NO_CELLS})


def test_a_staged_cell_lost_or_changed() -> None:
    assert failures(_staging()["lost or changed"]) == {
        ("100", STAGED, "row_count_equals_raw"),
        *(("100", STAGED, f"{name}_equals_raw") for name in ("events", "sessions")),
        ("200", STAGED, "sessions_equals_raw"),
    }


@pytest.mark.parametrize("name", LOST)
def test_a_cell_lost_twice_or_unknown_on_the_way(name: str) -> None:
    assert failures(_intermediate()[name]) == {("100", COUNTED, "cells_equal_staging")}


@pytest.mark.parametrize("name", SUMS)
def test_cells_add_up_to_the_shop(name: str) -> None:
    _, observed = SUMS[name]
    report = _intermediate()[name]
    assert report.is_passed
    assert [(one.property_id, one.expectation, one.observed) for one in report.warnings] == (
        [("100", "cells_add_up_to_total", f"{observed}; 1 of 40 partitions differ")]
        if observed
        else []
    )


def test_a_shop_without_cells_passes_every_gate() -> None:
    raw = judged_apart("raw", {"no cells": NO_CELLS})
    for reports in (raw, _staging(), _intermediate(), _marts()):
        results = reports["no cells"].results
        assert [one.sentence for one in results if not one.is_success] == []


@pytest.mark.parametrize("name", RATES)
def test_rates_of_cells(name: str) -> None:
    assert failures(_marts()[name]) == {("100", MART, one) for one in RATES[name][1]}
