"""Tables by day are rebuilt from the first day that changed, however it changed and was missed."""

import json
from datetime import date
from pathlib import Path

import pytest

from tests.dbt import changed_days, shop
from tests.dbt.changed_days import OLD_DAY, SLIGHT
from tests.dbt.conftest import Dbt
from tests.dbt.test_incremental import content, run
from tests.dbt.warehouse import Warehouse


@pytest.fixture
def built(built_shops: Warehouse, tmp_path: Path) -> Warehouse:
    return built_shops.copied_to(tmp_path)


def stale_days(warehouse: Warehouse) -> dict[str, set[date]]:
    """Property → the days that the last build replaced."""
    return days_of(warehouse, "intermediate.int_days__versioned where is_stale")


def days_of(warehouse: Warehouse, rows: str) -> dict[str, set[date]]:
    """Property → days of a table."""
    found = warehouse.query(f"select property_id, date from {rows}")
    return {name: {day for own, day in found if own == name} for name, _ in found}


@pytest.fixture(scope="module")
def refreshed(
    dbt: Dbt, built_shops: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[tuple]]:
    """What a full refresh makes of the shops after the old days changed."""
    warehouse = built_shops.copied_to(tmp_path_factory.mktemp("refreshed"))
    changed_days.change(warehouse)
    dbt(warehouse, "run", "--full-refresh")
    return content(warehouse)


def test_a_changed_day_and_all_after_it_are_built_again(
    dbt: Dbt, changed_shops: Warehouse, refreshed: dict[str, list[tuple]], tmp_path: Path
) -> None:
    built = changed_shops.copied_to(tmp_path)
    assert stale_days(built) == {
        shop.STEADY: set(shop.dates(OLD_DAY)), shop.GAPPY: set(shop.dates(SLIGHT)),
    }  # fmt: skip
    # Also the days after the changed one, which are built anew from what they were built from.
    assert days_of(built, "ops.tested_days") == days_of(
        built, "intermediate.int_days__versioned where not is_stale"
    )
    assert built.query(
        "select reached, tracking_state from marts.fct_funnel_daily where date = ? "
        "and property_id = ? and step_key = 'add_to_cart' and funnel = 'core' "
        "and segment_value = 'desktop'",
        [OLD_DAY, shop.STEADY],
    ) == [(0, "tracking_lost")]
    assert content(built) == refreshed
    run(dbt, built, shop.LAST, "--select", "+int_days__versioned")
    assert stale_days(built) == {}


def test_what_an_ended_night_left_behind_is_made_up_for(
    dbt: Dbt, built: Warehouse, refreshed: dict[str, list[tuple]]
) -> None:
    """A night is killed after intermediate; the next has a window of its own."""
    changed_days.change(built)
    for layer in ("tag:staging", "tag:intermediate"):
        run(dbt, built, OLD_DAY, "--select", layer)
    run(dbt, built, shop.LAST)
    assert content(built) == refreshed


def test_a_changed_tracking_plan_changes_the_whole_history(dbt: Dbt, built: Warehouse) -> None:
    built.query("insert into ops.not_applicable_keys values ('purchase')")
    run(dbt, built, shop.LAST, "--select", "+int_days__versioned")
    assert stale_days(built)[shop.STEADY] == set(shop.dates())


def test_a_changed_threshold_changes_the_whole_history(dbt: Dbt, built: Warehouse) -> None:
    """Intervals of days are as wide as the variable says that GA4's estimates vary."""
    changed = json.dumps({"sessions_sigma": 0.03})
    dbt(built, "run", "--vars", changed, "--select", "+int_days__versioned")
    assert stale_days(built)[shop.STEADY] == set(shop.dates())


def test_a_new_time_zone_changes_how_old_the_numbers_were(dbt: Dbt, built: Warehouse) -> None:
    built.query(
        "update ops.properties set time_zone = 'Asia/Tokyo' where property_id = ?", [shop.BLIND]
    )
    run(dbt, built, shop.LAST, "--select", "+int_days__versioned")
    assert stale_days(built) == {shop.BLIND: set(shop.dates(shop.BLIND_FIRST))}
