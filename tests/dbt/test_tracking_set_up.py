"""A shop sets up a missing event: what `sluice gtm` writes before, what the marts tell after."""

from datetime import date, timedelta

import pytest

from pipelines.config.tracking_plan import load_plan
from pipelines.gtm.coverage import read_coverage
from pipelines.gtm.events import Coverage, select_events
from tests.dbt.warehouse import Day, Warehouse

LAST = date(2026, 4, 30)
# One shop a moment, 56 days of each: BEFORE has never sent begin_checkout; FRESH does since three
# days, SET_UP since forty. LOST sent it until ten days ago, BACK did not for ten days but does
# today. QUIET has too few carts to tell.
BEFORE, FRESH, SET_UP, LOST, BACK, QUIET = SHOPS = tuple(map(str, range(701, 707)))
KEY = "checkout_start"


def shop_day(has_checkout: bool, carts: int = 60) -> Day:
    events = {"page_view": 900, "view_item": 600, "add_to_cart": carts}
    return Day(1_000, {**events, "begin_checkout": carts // 2} if has_checkout else events)


def fill(warehouse: Warehouse) -> None:
    sends = {
        BEFORE: lambda age: False,
        FRESH: lambda age: age < 3,
        SET_UP: lambda age: age < 40,
        LOST: lambda age: age >= 10,
        BACK: lambda age: age >= 11 or age == 0,
    }
    for property_id in SHOPS:
        warehouse.add_property(property_id, "Europe/Berlin")
    for property_id, is_sent in sends.items():
        days = {LAST - timedelta(days=age): shop_day(is_sent(age)) for age in range(56)}
        warehouse.load(property_id, {day: {("all", "all"): one} for day, one in days.items()})
    few = {LAST - timedelta(days=age): Day(1) for age in range(1, 28)}
    few[LAST] = Day(20, {"page_view": 20, "view_item": 10, "add_to_cart": 6})
    warehouse.load(QUIET, {day: {("all", "all"): one} for day, one in few.items()})


def coverage(built: Warehouse, property_id: str) -> Coverage:
    with built.opened() as connection:
        return read_coverage(connection, property_id)


def events(built: Warehouse, property_id: str) -> set[str]:
    """What a container for the shop would send."""
    found = select_events(load_plan(), coverage(built, property_id)).events
    return {one.name for one in found}


@pytest.mark.parametrize(
    ("property_id", "is_written", "state"),
    [
        (BEFORE, True, "not_tracked"),
        # Sent, though no rate can be told yet: another tag would double it.
        (FRESH, False, "not_tracked"),
        (SET_UP, False, "tracked"),
        (LOST, True, "tracking_lost"),
        (BACK, False, "tracking_lost"),
        (QUIET, False, "unknown_low_volume"),
    ],
)
def test_an_event_is_written_until_it_comes(
    hand_made: Warehouse, property_id: str, is_written: bool, state: str
) -> None:
    assert hand_made.query(
        "select tracking_state from marts.fct_tracking_coverage where property_id = ? and key = ?",
        [property_id, KEY],
    ) == [(state,)]
    assert ("begin_checkout" in events(hand_made, property_id)) is is_written
    found = coverage(hand_made, property_id)
    assert (KEY in found.missing, KEY in found.undecided) == (is_written, property_id == QUIET)
    assert (KEY in found.received) is (property_id in {FRESH, SET_UP, BACK})


def test_the_marts_say_that_it_works(hand_made: Warehouse) -> None:
    fixes = dict(
        hand_made.query(
            "select property_id, fix from marts.fct_tracking_coverage where key = ? "
            f"and property_id in {SHOPS}",
            [KEY],
        )
    )
    # 28 days with 60 carts each, half of which are checked out.
    assert fixes[BEFORE] == (
        "No begin_checkout in 1680 sessions: let the shop's GA4 integration or Google Tag Manager "
        "send it (sluice gtm writes the container), or declare checkout_start under "
        "not_applicable in tracking_plan.yml."
    )
    assert fixes[FRESH] == (
        "begin_checkout came first on 2026-04-28: its rates come once the window holds no day "
        "before that."
    )
    assert fixes[SET_UP] is None
    rates = hand_made.query(
        "select property_id, reached, step_rate, tracking_state from marts.fct_funnel_window "
        "where property_id in (?, ?) and window_name = '28d' and funnel = 'core' "
        "and segment_name = 'all' and step_key = ? order by property_id",
        [BEFORE, SET_UP, KEY],
    )
    assert rates == [
        (BEFORE, None, None, "not_tracked"), (SET_UP, 28 * 30, 0.5, "tracked"),
    ]  # fmt: skip


def test_what_else_arrives_is_left_alone(hand_made: Warehouse) -> None:
    selection = select_events(load_plan(), coverage(hand_made, BEFORE))
    assert not selection.has_page_views
    assert not {"add_to_cart", "view_item"} & {one.name for one in selection.events}
