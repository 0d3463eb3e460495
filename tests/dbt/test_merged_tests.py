"""dbt's generic tests as the gates judge them: as `dbt test` does, and whose rows failed."""

from datetime import date
from typing import Any

import pytest

from data_checks import GateResult, ModelTest, Window
from data_checks.dbt_tests import judge_tests, read_test
from pipelines import __version__
from tests.dbt import shop
from tests.dbt.conftest import Dbt
from tests.dbt.warehouse import Warehouse

WINDOW = Window(date(2020, 10, 14), shop.LAST)
NOBODY = None
# What is broken → (table, test) → whose rows. Worked out from the YAML by hand.
Failures = dict[tuple[str, str], set[str | None]]
CASES: dict[str, tuple[str, Failures]] = {
    "a value that is not accepted": (
        "update marts.fct_funnel_daily set status = 'odd' "
        f"where property_id = '{shop.BLIND}' and date = '{shop.LAST}'",
        {("marts.fct_funnel_daily", "accepted_values(status)"): {shop.BLIND}},
    ),
    "a grain twice, for all": (
        "insert into marts.fct_cart_recovery from marts.fct_cart_recovery",
        {
            (
                "marts.fct_cart_recovery",
                "unique_grain(property_id, window_name, segment_name, segment_value)",
            ): set(shop.PROPERTIES)
        },
    ),
    "a grain without a part of its key": (
        "update intermediate.int_funnel__keys_assessed set key = null "
        f"where property_id = '{shop.STEADY}' and key = 'purchase'",
        {
            (
                "intermediate.int_funnel__keys_assessed",
                "unique_grain(property_id, window_name, window_end, key)",
            ): {shop.STEADY}
        },
    ),
    "a parent that does not exist": (
        "update marts.fct_funnel_window set step_key = 'nowhere' "
        f"where property_id = '{shop.STEADY}' and step_key = 'purchase' and funnel = 'core'",
        {
            (
                "marts.fct_funnel_window",
                "relationships(step_key -> marts.dim_micro_conversion.key)",
            ): {shop.STEADY}
        },
    ),
    "a seed's row twice": (
        "insert into seeds.segments from seeds.segments where segment_name = 'device'",
        {("seeds.segments", "unique(segment_name)"): {NOBODY}},
    ),
    "a seed's parent, tested on some rows only": (
        "update seeds.micro_conversions set parent_key = 'nowhere' where key = 'gallery'",
        {
            (
                "seeds.micro_conversions",
                "relationships(parent_key -> seeds.micro_conversions.key)",
            ): {NOBODY}
        },
    ),
    "a name that is missing": (
        "update seeds.segments set segment_name = null where segment_name = 'visitor'",
        {("seeds.segments", "not_null(segment_name)"): {NOBODY}},
    ),
}


@pytest.fixture(scope="module")
def built(built_shops: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return built_shops.copied_to(tmp_path_factory.mktemp("copy"))


@pytest.fixture
def tests(dbt: Dbt) -> tuple[ModelTest, ...]:
    return dbt.generic_tests


def test_every_generic_test_of_the_project_is_judged(
    dbt: Dbt, tests: tuple[ModelTest, ...]
) -> None:
    generic = [node for node in dbt.manifest.nodes.values() if _is_generic(node)]
    assert len(tests) == len(generic) > 250
    assert len({(one.table_name, one.name) for one in tests}) == len(tests)


def _is_generic(node: Any) -> bool:
    return node.resource_type == "test" and getattr(node, "test_metadata", None) is not None


def test_what_is_whole_passes_every_test(built: Warehouse, tests: tuple[ModelTest, ...]) -> None:
    results = judge(built, tests)
    assert [result for result in results if not result.is_success] == []
    assert len(results) == len(tests)


def test_the_verdicts_are_those_of_dbt(
    dbt: Dbt, built: Warehouse, tests: tuple[ModelTest, ...]
) -> None:
    """All cases at once: one run of `dbt test` is dear."""
    with built.undone(*(statement for statement, _ in CASES.values())):
        results = judge(built, tests)
        told = failures_of_dbt(dbt, built)
    assert {(one.severity, bool(one.sample)) for one in results if not one.is_success} == {
        ("critical", True)
    }
    failed = failures(results)
    for case, (_, expected) in CASES.items():
        assert {key: failed.get(key) for key in expected} == expected, case
    assert set(failed) == told


def judge(warehouse: Warehouse, tests: tuple[ModelTest, ...]) -> list[GateResult]:
    with warehouse.opened() as connection:
        return judge_tests(tests, connection, WINDOW, shop.PROPERTIES)


def failures_of_dbt(dbt: Dbt, warehouse: Warehouse) -> set[tuple[str, str]]:
    """(table, test) of every generic test that `dbt test` itself calls failed."""
    nodes = dbt.manifest.writable_manifest().to_dict(omit_none=False)["nodes"]
    return {
        (of_node.table_name, of_node.name)
        for unique_id in dbt.failing_tests(warehouse, "--select", "test_type:generic")
        for of_node in [read_test(nodes[unique_id], nodes)]
    }


def test_rows_of_a_property_that_rests_are_not_judged(
    built: Warehouse, tests: tuple[ModelTest, ...]
) -> None:
    with built.undone(CASES["a value that is not accepted"][0]), built.opened() as connection:
        results = judge_tests(tests, connection, WINDOW, [shop.STEADY])
    assert [result for result in results if not result.is_success] == []


# All days passed a gate, by a version of Sluice. That those which are built anew count as tested no
# more: test_changed_days.py.
PASSED = (
    "insert into ops.tested_days select property_id, date, '{}' "
    "from intermediate.int_days__versioned"
)
ODD, ODD_FAILS = CASES["a value that is not accepted"]


@pytest.mark.parametrize(("code", "fails"), [(__version__, {}), ("0.0.1", ODD_FAILS)])
def test_a_day_is_tested_until_it_passed(
    built: Warehouse, tests: tuple[ModelTest, ...], code: str, fails: Failures
) -> None:
    with built.undone(ODD, PASSED.format(code)):
        assert failures(judge(built, tests)) == fails


@pytest.mark.parametrize("day", ["null", "date '1999-12-31'"])
def test_a_row_that_is_on_no_day_that_passed_is_tested(
    built: Warehouse, tests: tuple[ModelTest, ...], day: str
) -> None:
    moved = f"update marts.fct_funnel_daily set date = {day} where status = 'odd'"
    with built.undone(ODD, PASSED.format(__version__), moved):
        found = failures(judge(built, tests))
    assert found.items() >= ODD_FAILS.items()


def failures(results: list[GateResult]) -> Failures:
    failed: Failures = {}
    for one in results:
        if not one.is_success:
            failed.setdefault((one.table_name, one.expectation), set()).add(one.property_id)
    return failed
