"""What readers see of faults: flags, unknown instead of wrong numbers, the other properties.

Two nights over four properties of one home, every check on. One has a server that behaves otherwise
than one would like and does no harm to a number, in both nights. One has a good first night; in the
second its reports are thresholded, sampled, rolled up and restricted, each another report, and one
of its days was restated. Of the two others everything is sampled, or thresholded and rolled up, in
the first night; in the second one of them may not be read, and one has lost everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from pipelines.config.settings import Ga4, Property, Settings, Store
from pipelines.emulator.server import serve
from pipelines.emulator.simulator import simulate
from pipelines.ga4.rate_limit import Governor, Policy
from pipelines.orchestration.resources import Ga4Resource
from pipelines.warehouse.runs import RunRecord
from tests.e2e.pulling import window_of
from tests.e2e.shop import (
    LAST_DAY,
    all_marts,
    at_now,
    night,
    published,
    published_rows,
    running_now,
)
from tests.support.hand_clock import HandClock

UNHURT, FAULTY, SAMPLED, FOLDED = ("100000001", "100000002", "100000003", "100000004")
# In the second night.
REFUSED, EMPTY = SAMPLED, FOLDED
SESSIONS = {UNHURT: 60, FAULTY: 150, SAMPLED: 60, FOLDED: 60}
FUNNEL = "fct_funnel_daily"
WINDOW = window_of(8)
REPORT = {"method": "RunReport"}
OF_UNHURT: list[dict[str, Any]] = [
    {"when": {"method": "RunFunnelReport"}, "do": {"status": "unimplemented"}},
    {"when": {**REPORT, "calls": {"share": 0.05, "seed": 2}}, "do": {"status": "unavailable"}},
    {"when": {"method": "GetMetadata"}, "do": {"status": "internal"}},
    {"when": REPORT, "do": {"realism": {"seed": 3}}},
]
IN_BOTH_NIGHTS = [
    {"when": {**one["when"], "property": UNHURT}, "do": one["do"]} for one in OF_UNHURT
]
FIRST_FAULTS: list[dict[str, Any]] = [
    {"when": {**REPORT, "property": SAMPLED}, "do": {"sampling": {"share": 0.75}}},
    {"when": {**REPORT, "property": FOLDED}, "do": {"threshold": {"min_users": 3}}},
    {"when": {**REPORT, "property": FOLDED}, "do": {"other": {"keep": 20}}},
]
RESTATED = LAST_DAY - timedelta(days=1)


def of_faulty(dimension: str) -> dict[str, Any]:
    return {"method": "RunReport", "property": FAULTY, "dimensions": ["date", dimension]}


SECOND_FAULTS: list[dict[str, Any]] = [
    {"when": of_faulty("deviceCategory"), "do": {"threshold": {"min_users": 20}}},
    {"when": of_faulty("newVsReturning"), "do": {"sampling": {"share": 0.5}}},
    {"when": of_faulty("country"), "do": {"other": {"dimension": "country", "keep": 1}}},
    {"when": of_faulty("itemId"), "do": {"restrict": {"metrics": ["itemRevenue"]}}},
    {
        "when": {"property": FAULTY},
        "do": {"restate": {"dates": str(RESTATED), "factor": 2}},
    },
    {"when": {"property": REFUSED}, "do": {"status": "forbidden"}},
    {"when": {"property": EMPTY}, "do": {"empty": {"reason": "NO_DATA"}}},
]


class Ga4OfTests(Ga4Resource):
    """The real client; waits between tries take no time."""

    def governor(self, policy: Policy) -> Governor:
        return Governor(policy, HandClock())


@dataclass(frozen=True)
class Nights:
    """Marts after the first night and after the second, and how that one ended."""

    settings: Settings
    record: RunRecord
    before: dict[str, list[tuple[Any, ...]]]
    after: dict[str, list[tuple[Any, ...]]]

    def query(self, text: str) -> list[tuple[Any, ...]]:
        return published_rows(self.settings, text)

    def core(self, name: str, segment: str, what: str) -> set[tuple[Any, ...]]:
        """Of the core funnel's steps of the newest day by a segment."""
        return set(
            self.query(
                f"select distinct {what} from marts.fct_funnel_daily where funnel = 'core' and "
                f"property_id = '{name}' and segment_name = '{segment}' and date = '{LAST_DAY}'"
            )
        )


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    folder = tmp_path_factory.mktemp("published-faults")
    for seed, (name, sessions) in enumerate(SESSIONS.items(), start=7):
        simulate(
            folder / name, start=WINDOW.start, days=8, seed=seed, scenario="none",
            sessions_per_day=sessions, property_id=name,
        )  # fmt: skip
    with serve([folder / name for name in SESSIONS], now=running_now()) as emulator:
        settings = at_now(
            Settings(
                home=folder / "home",
                store=Store(name="Test shops"),
                ga4=Ga4(endpoint=emulator.endpoint),
                properties=tuple(Property(id=name, time_zone="Europe/Berlin") for name in SESSIONS),
            )
        )
        client = {"ga4": Ga4OfTests(endpoint=emulator.endpoint)}
        emulator.set_faults([*IN_BOTH_NIGHTS, *FIRST_FAULTS])
        record, _ = night(settings, WINDOW, client)
        assert record.status == "published", record.message
        before = all_marts(settings)
        emulator.set_faults([*IN_BOTH_NIGHTS, *SECOND_FAULTS])
        record, _ = night(settings, WINDOW, client)
        yield Nights(settings, record, before, all_marts(settings))


def of_property(rows: list[tuple[Any, ...]], name: str) -> list[tuple[Any, ...]]:
    return [row for row in rows if row[0] == name]


def test_the_night_is_published_without_those_that_failed(nights: Nights) -> None:
    assert (nights.record.status, nights.record.status.exit_code) == ("partly_published", 2)
    assert f"property {REFUSED} was held back: GA4 refuses" in nights.record.message
    reasons = dict(
        nights.query(
            "select property_id, any_value(reason) from ops.held_back "
            f"where run_id = '{nights.record.run_id}' group by all"
        )
    )
    assert set(reasons) == {REFUSED, EMPTY}
    assert "where" in reasons[EMPTY] and "are stored: these stay" in reasons[EMPTY]


@pytest.mark.parametrize("name", [REFUSED, EMPTY])
def test_what_was_held_back_keeps_its_rows(nights: Nights, name: str) -> None:
    for mart, rows in nights.before.items():
        assert of_property(nights.after[mart], name) == of_property(rows, name), mart
    assert len(of_property(nights.after["fct_funnel_daily"], name)) > 100


STEPS = (
    "select date, step_number, reached from marts.fct_funnel_daily where funnel = 'core' "
    f"and property_id = '{FAULTY}' and segment_name = 'all' order by all"
)


def test_a_restated_day_shows_its_new_numbers_and_that_it_changed(nights: Nights) -> None:
    columns = ("property_id", "date", "funnel", "segment_name", "step_number", "reached")
    with published(nights.settings) as connection:
        names = [row[0] for row in connection.execute("describe marts.fct_funnel_daily").fetchall()]
    places = [names.index(column) for column in columns]
    before = {
        (row[1], row[4]): row[5]
        for row in (tuple(one[place] for place in places) for one in nights.before[FUNNEL])
        if row[0] == FAULTY and row[2:4] == ("core", "all")
    }
    after = {(day, step): reached for day, step, reached in nights.query(STEPS)}
    assert len(after) == 40
    for (day, step), reached in after.items():
        assert reached == before[day, step] * (2 if day == RESTATED else 1)
    assert nights.query(
        "select date, restatement_count, last_total = 2 * first_total "
        f"from marts.fct_data_completeness where property_id = '{FAULTY}' "
        "and report = 'events_by_all' and restatement_count > 0"
    ) == [(RESTATED, 1, True)]  # fmt: skip


def states(nights: Nights, segment: str, what: str) -> set[tuple[Any, ...]]:
    """Of the core funnel's steps by a segment of the faulty property."""
    return set(
        nights.query(
            f"select distinct {what} from marts.fct_funnel_daily where funnel = 'core' "
            f"and property_id = '{FAULTY}' and segment_name = '{segment}'"
        )
    )


def test_other_segments_are_complete(nights: Nights) -> None:
    assert states(nights, "channel", "is_complete, flags") == {(True, None)}
    assert states(nights, "all", "is_complete, tracking_state") == {(True, "tracked")}


def test_sampled_rates_are_withheld(nights: Nights) -> None:
    found = "is_complete, tracking_state, step_rate, flags"
    assert states(nights, "visitor", found) == {(False, "withheld", None, "sampled")}


def test_thresholded_rates_carry_the_flag_and_missing_rows_are_no_zeros(nights: Nights) -> None:
    found = states(nights, "device", "is_complete, flags")
    # On most days more is missing than 5 % of GA4's own total.
    assert (False, "thresholded, missing_rows") in found
    assert {(complete, flags.split(", ")[0]) for complete, flags in found} == {
        (False, "thresholded")
    }
    # Nobody was reported: no rate of zero is made of it.
    rates = states(nights, "device", "reached, coalesce(step_rate, -1)")
    assert not [rate for reached, rate in rates if not reached and rate == 0]


def test_what_is_rolled_up_is_not_complete(nights: Nights) -> None:
    assert states(nights, "country", "is_complete, flags") == {(False, "other")}
    assert ("(other)",) in states(nights, "country", "segment_value")


def test_a_restricted_metric_is_null(nights: Nights) -> None:
    ((revenue, units, complete),) = nights.query(
        "select count(item_revenue), count(items_viewed), bool_or(is_complete) "
        f"from marts.fct_product_funnel where property_id = '{FAULTY}'"
    )
    assert (revenue, complete) == (0, False)
    assert units > 0
    assert nights.query(
        "select distinct restricted_metrics, is_complete from marts.fct_data_completeness "
        f"where property_id = '{FAULTY}' and report = 'items'"
    ) == [("itemRevenue", False)]  # fmt: skip


def test_what_the_server_does_is_no_fault_of_a_number(nights: Nights) -> None:
    """Twice: it is published up to the newest day."""
    assert nights.query(
        f"select max(date) from marts.fct_funnel_daily where property_id = '{UNHURT}'"
    ) == [(LAST_DAY,)]
    for segment in ("all", "device", "channel", "country", "visitor"):
        assert nights.core(UNHURT, segment, "is_complete, flags") == {(True, None)}, segment
    assert nights.core(UNHURT, "all", "tracking_state") == {("tracked",)}


def test_funnels_that_are_not_offered_are_left_out_and_said(nights: Nights) -> None:
    closed = "select distinct property_id from marts.fct_closed_funnel order by all"
    assert (UNHURT,) not in nights.query(closed)
    assert (FAULTY,) in nights.query(closed)
    ((status, message),) = nights.query(
        "select distinct last_status, last_message from marts.fct_data_completeness "
        f"where property_id = '{UNHURT}' and report = 'funnel' and date = '{LAST_DAY}' "
        "and window_name = '1d'"
    )
    assert status in {"refused", "failed"}
    assert "not implemented" in message.lower()


def test_sampled_numbers_are_flagged_and_make_no_rate(nights: Nights) -> None:
    for segment in ("all", "device"):
        found = nights.core(SAMPLED, segment, "is_complete, flags, step_rate")
        assert found == {(False, "sampled", None)}


def test_thresholded_numbers_are_flagged(nights: Nights) -> None:
    for segment in ("channel", "country"):
        complete, flags = zip(*nights.core(FOLDED, segment, "is_complete, flags"), strict=True)
        assert set(complete) == {False}
        assert all("thresholded" in flag for flag in flags)


def test_folded_rows_are_flagged(nights: Nights) -> None:
    """Twenty rows of events by device are not all of them: the rest is one row."""
    complete, flags = zip(*nights.core(FOLDED, "device", "is_complete, flags"), strict=True)
    assert set(complete) == {False}
    assert all("other" in flag for flag in flags)
