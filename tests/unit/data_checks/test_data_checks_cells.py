"""Corruptions of cells that the gates must catch, and what no gate may object to.

In the warehouse of `checked_warehouse` both cubes have 60 sessions a day on phones and 40 on
computers.
"""

from __future__ import annotations

import duckdb
import pytest

from tests.support.checked_warehouse import build_warehouse, check, failures

pytestmark = pytest.mark.slow

STAGED, COUNTED, MART = "stg_ga4__cells", "int_cells__counted", "fct_cell_funnel"
PHONES = "property_id = '100' and date = '2026-03-02' and device = 'mobile'"
JOINT, BY_COUNTRY = "cube = 'device_channel_visitor'", "cube = 'device_country'"


def warned(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """What the intermediate gate, which passes, observed of cells that do not add up."""
    report = check(connection, "intermediate")
    assert report.is_passed
    assert {(one.property_id, one.expectation) for one in report.warnings} <= {
        ("100", "cells_add_up_to_total")
    }
    return [one.observed for one in report.warnings]


def change(connection: duckdb.DuckDBPyConnection, sessions: int, cube: str) -> None:
    """GA4 told another number of sessions on phones, and the model has it."""
    for table, count, key in (("staging." + STAGED, "sessions", "key"),
                              ("intermediate." + COUNTED, "reached", "step_key")):  # fmt: skip
        connection.execute(
            f"update {table} set {count} = {sessions} where {PHONES} and {cube} "
            f"and {key} = 'sessions'"
        )


def test_a_staged_cell_lost_or_changed() -> None:
    connection = build_warehouse()
    connection.execute(f"delete from staging.{STAGED} where {PHONES} and {BY_COUNTRY}")
    connection.execute(f"update staging.{STAGED} set sessions = 61 where sessions = 60 and {JOINT}")
    assert failures(check(connection, "staging")) == {
        ("100", STAGED, "row_count_equals_raw"),
        *(("100", STAGED, f"{name}_equals_raw") for name in ("events", "sessions")),
        ("200", STAGED, "sessions_equals_raw"),
    }


@pytest.mark.parametrize(
    "statement",
    [
        f"delete from intermediate.{COUNTED} where {PHONES} and step_key = 'purchase'",
        f"insert into intermediate.{COUNTED} from intermediate.{COUNTED} where {PHONES}",
        f"update intermediate.{COUNTED} set reached = null where {PHONES} and {BY_COUNTRY}",
    ],
)
def test_a_cell_lost_twice_or_unknown_on_the_way(statement: str) -> None:
    connection = build_warehouse()
    connection.execute(statement)
    expected = {("100", COUNTED, "cells_equal_staging")}
    assert failures(check(connection, "intermediate")) == expected


@pytest.mark.parametrize(
    ("cube", "sessions", "observed"),
    [
        # 2 % of the total, 6 · 0.023 · √(100² + 40² + 41²) = 15.9 and 3 / 2 for rounding.
        (JOINT, 41, None),
        (JOINT, 40, "allowed_difference 19.4, difference 20, total 100, cells 80"),
        (JOINT, 82, None),
        (JOINT, 83, "allowed_difference 22.3, difference 23, total 100, cells 123"),
        # Smaller countries are not asked for.
        (BY_COUNTRY, 0, None),
        (BY_COUNTRY, 82, None),
        (BY_COUNTRY, 83, "allowed_difference 22.3, difference 23, total 100, cells 123"),
    ],
)
def test_cells_add_up_to_the_shop(cube: str, sessions: int, observed: str | None) -> None:
    connection = build_warehouse()
    change(connection, sessions, cube)
    assert warned(connection) == ([f"{observed}; 1 of 40 partitions differ"] if observed else [])


def test_cells_of_an_export_add_up_to_the_session() -> None:
    connection = build_warehouse()
    connection.execute("update intermediate.int_funnel__reach_daily set is_exact = true")
    assert warned(connection) == []
    change(connection, 59, JOINT)
    observed = "allowed_difference 0, difference 1, total 100, cells 99"
    assert warned(connection) == [f"{observed}; 1 of 40 partitions differ"]


def test_cells_that_lack_rows_prove_nothing() -> None:
    connection = build_warehouse()
    change(connection, 3, JOINT)
    connection.execute(f"update intermediate.{COUNTED} set is_complete = false where {PHONES}")
    assert warned(connection) == []


def test_a_shop_without_cells_passes_every_gate() -> None:
    connection = build_warehouse()
    for table in (f"staging.{STAGED}", f"intermediate.{COUNTED}", f"marts.{MART}"):
        connection.execute(f"delete from {table} where property_id = '200'")
    for report in ("cells", "cells_country"):
        connection.execute(f"delete from raw.ga4_{report} where property_id = '200'")
        connection.execute(
            f"delete from ops.pulls where property_id = '200' and report = '{report}'"
        )
    for gate in ("raw", "staging", "intermediate", "marts"):
        assert [one.sentence for one in check(connection, gate).results if not one.is_success] == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            f"delete from marts.{MART} where {PHONES} and step_key = 'purchase'",
            {"totals_equal_intermediate"},
        ),
        (f"update marts.{MART} set step_rate = 0.4 where {PHONES} and step_number = 1",
         {"rate_is_their_ratio"}),
        (
            f"update marts.{MART} set previous_reached = null where {PHONES}",
            {"rate_has_numerator_and_denominator"},
        ),
        (
            f"update marts.{MART} set flags = 'sampled' where {PHONES}",
            {"withheld_number_has_no_rate"},
        ),
        (f"insert into marts.{MART} from marts.{MART} where {PHONES}",
         {"grain_is_unique", "totals_equal_intermediate"}),
    ],
)  # fmt: skip
def test_rates_of_cells(statement: str, expected: set[str]) -> None:
    connection = build_warehouse()
    connection.execute(statement)
    found = failures(check(connection, "marts"))
    assert found == {("100", MART, expectation) for expectation in expected}
