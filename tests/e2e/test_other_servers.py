"""Servers that behave otherwise than one would like: two nights in a row publish, with the flags.

Four properties of one home, each behind a server with ways of its own; every check is on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from pipelines.config.settings import Ga4, Property, Settings, Store
from pipelines.emulator.server import serve
from pipelines.emulator.simulator import simulate
from pipelines.ga4.rate_limit import Governor, Policy
from pipelines.ingest.day_window import DayWindow
from pipelines.orchestration.resources import Ga4Resource
from tests.e2e.pulling import window_of
from tests.e2e.shop import LAST_DAY, at_now, night, published, running_now
from tests.support.hand_clock import HandClock

WINDOW = window_of(8)
LOOKBACK = DayWindow(window_of(4).start, LAST_DAY)
REPORT = {"method": "RunReport"}
# Property → what its server does, and when: two that do no harm to a number, and two that do.
UNHURT, ROUNDED, SAMPLED, FOLDED = ("100000001", "100000002", "100000003", "100000004")
SERVERS: dict[str, list[dict[str, Any]]] = {
    UNHURT: [
        {"when": {"method": "RunFunnelReport"}, "do": {"status": "unimplemented"}},
        {
            "when": {**REPORT, "calls": {"share": 0.05, "seed": 2}},
            "do": {"status": "unavailable"},
        },
    ],
    ROUNDED: [
        {"when": {"method": "GetMetadata"}, "do": {"status": "internal"}},
        {"when": REPORT, "do": {"realism": {"seed": 3}}},
    ],
    SAMPLED: [{"when": REPORT, "do": {"sampling": {"share": 0.75}}}],
    FOLDED: [
        {"when": REPORT, "do": {"threshold": {"min_users": 3}}},
        {"when": REPORT, "do": {"other": {"keep": 20}}},
    ],
}


class Ga4OfTests(Ga4Resource):
    """The real client; waits between tries take no time."""

    def governor(self, policy: Policy) -> Governor:
        return Governor(policy, HandClock())


@dataclass(frozen=True)
class Nights:
    settings: Settings
    codes: tuple[int, ...]

    def query(self, text: str) -> list[tuple[Any, ...]]:
        with published(self.settings) as connection:
            return connection.execute(text).fetchall()

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
    folder = tmp_path_factory.mktemp("other-servers")
    for seed, name in enumerate(SERVERS, start=7):
        simulate(
            folder / name, start=WINDOW.start, days=8, seed=seed, scenario="none",
            sessions_per_day=60, property_id=name,
        )  # fmt: skip
    with serve([folder / name for name in SERVERS], now=running_now()) as emulator:
        settings = at_now(
            Settings(
                home=folder / "home",
                store=Store(name="Test shops"),
                ga4=Ga4(endpoint=emulator.endpoint),
                properties=tuple(Property(id=name, time_zone="Europe/Berlin") for name in SERVERS),
            )
        )
        emulator.set_faults(
            [
                {"when": {**rule["when"], "property": name}, "do": rule["do"]}
                for name, rules in SERVERS.items()
                for rule in rules
            ]
        )
        client = {"ga4": Ga4OfTests(endpoint=emulator.endpoint)}
        records = [night(settings, window, client)[0] for window in (WINDOW, LOOKBACK)]
        yield Nights(settings, tuple(record.status.exit_code for record in records))


def test_both_nights_publish_every_property(nights: Nights) -> None:
    assert nights.codes == (0, 0), nights.query("select property_id, reason from ops.held_back")
    assert nights.query(
        "select property_id, max(date) from marts.fct_funnel_daily group by all order by all"
    ) == [(name, LAST_DAY) for name in SERVERS]


@pytest.mark.parametrize("name", [UNHURT, ROUNDED])
def test_what_these_servers_do_is_no_fault_of_a_number(nights: Nights, name: str) -> None:
    for segment in ("all", "device", "channel", "country", "visitor"):
        assert nights.core(name, segment, "is_complete, flags") == {(True, None)}, segment
    assert nights.core(name, "all", "tracking_state") == {("tracked",)}


def test_funnels_that_are_not_offered_are_left_out_and_said(nights: Nights) -> None:
    closed = "select distinct property_id from marts.fct_closed_funnel order by all"
    assert (UNHURT,) not in nights.query(closed)
    assert (ROUNDED,) in nights.query(closed)
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
