"""Every fault on a real ingestion: right numbers, or a partition that is held back and says why.

The numbers to compare with are those of the same shop without faults; what GA4 itself leaves out
must be told in `ops.pulls`. What readers see of it is in test_faults_published.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.ga4 import report_request
from pipelines.ga4.api_errors import (
    AuditError,
    CircuitOpenError,
    CredentialsError,
    Ga4Error,
    PropertyError,
    QuotaError,
    RequestRefusedError,
    SlowPageError,
    UnreachableError,
)
from pipelines.ga4.rate_limit import BACKFILL, STANDARD_DAILY_TOKENS
from pipelines.ingest.day_window import DayWindow, nightly_window
from pipelines.ingest.ingest_run import NothingPulledError
from tests.e2e.pulling import REPORTS as ALL_REPORTS
from tests.e2e.pulling import Puller, answered, open_puller, specs
from tests.e2e.shop import LAST_DAY

REPORTS = specs(
    "sessions_by_all", "events_by_all", "sessions_by_device", "sessions_by_channel", "items",
)  # fmt: skip
NAMES = tuple(spec.name for spec in REPORTS)
# Of REPORTS only this one has the dimension.
BY_DEVICE = {"method": "RunReport", "dimensions": "deviceCategory"}
BY_CHANNEL = {"method": "RunReport", "dimensions": "sessionDefaultChannelGroup"}
ITEMS = {"method": "RunReport", "dimensions": "itemId"}
BY_EVENT = {"method": "RunReport", "exact_dimensions": ["date", "eventName"]}
NEXT_PAGES = {**BY_EVENT, "offset_above": 0}
DAY = LAST_DAY - timedelta(days=1)


def fault(when: dict[str, Any], **do: Any) -> tuple[dict[str, Any]]:
    return ({"when": when, "do": do},)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Puller]:
    """Six days with about 60 sessions each, pulled once without a fault. Copy it."""
    with open_puller(tmp_path_factory.mktemp("faults"), days=6, sessions=60) as puller:
        outcome = puller.run((*REPORTS, *specs("funnel", "metadata", "micro_by_device")))
        assert not outcome.problems
        yield puller


@pytest.fixture
def puller(loaded: Puller, tmp_path: Path) -> Puller:
    return loaded.copy(tmp_path / "home")


def assert_as_before(loaded: Puller, puller: Puller, reports: tuple[str, ...] = NAMES) -> None:
    assert puller.stored(reports) == loaded.stored(reports)


# Faults that go away: nothing is different in the end, but for the waits.
HEALED: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    "429 concurrent": ({"method": "RunReport", "calls": {"first": 4}}, {"status": "concurrent"}, 4),
    "500 twice": ({**BY_DEVICE, "calls": {"first": 2}}, {"status": "internal"}, 2),
    "503 twice": ({**BY_DEVICE, "calls": {"first": 2}}, {"status": "unavailable"}, 2),
    "504 once": ({**BY_DEVICE, "calls": {"first": 1}}, {"status": "deadline"}, 1),
    # 250,000 and 125,000 rows are too many (twice each), 62,500 come through.
    "504 for large pages": ({**BY_DEVICE, "limit_above": 100_000}, {"status": "deadline"}, 2),
    "a row twice, once": ({**BY_DEVICE, "calls": {"first": 1}}, {"duplicate_rows": 1}, 0),
    "rows missing, once": ({**BY_DEVICE, "calls": {"first": 1}}, {"missing_rows": 1}, 0),
    "503 in a funnel": (
        {"method": "RunFunnelReport", "calls": {"first": 1}}, {"status": "unavailable"}, 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HEALED)
def test_what_heals_leaves_the_right_numbers(loaded: Puller, puller: Puller, name: str) -> None:
    when, do, waits = HEALED[name]
    reports = specs("funnel") if "Funnel" in str(when) else REPORTS
    outcome = puller.run(reports, fault(when, **do))
    assert (outcome.problems, outcome.failures) == ({}, {})
    assert len(puller.waits) == waits
    assert_as_before(loaded, puller, tuple(spec.name for spec in reports))


def test_a_used_up_hour_is_waited_for_by_a_backfill(loaded: Puller, puller: Puller) -> None:
    started = puller.clock.now()
    until = started.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    spent = fault({**BY_DEVICE, "until": until.isoformat()}, status="hourly")
    assert puller.run(REPORTS, spent, policy=BACKFILL).problems == {}
    assert puller.clock.slept[-1] == puller.clock.now() == until
    assert_as_before(loaded, puller)


def test_row_count_changes_between_pages_once(
    loaded: Puller, puller: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_request, "PAGE_ROWS", 50)
    once = fault({**NEXT_PAGES, "calls": {"first": 1}}, row_count_add=7)
    assert puller.run(REPORTS, once).problems == {}
    assert puller.pulls("events_by_all", "pages")[-1] == (4,)
    assert_as_before(loaded, puller)


# Faults that stay: when, what, the error of the night (None: it goes on), status in `ops.pulls`,
# words of the message, waits, and the report concerned.
STOPPED: dict[str, tuple[Any, ...]] = {
    "429 hourly": (BY_DEVICE, "hourly", QuotaError, "failed", "Exhausted property tokens", 0),
    "429 property hourly": (BY_DEVICE, "property_hourly", QuotaError, "failed", "Exhausted", 0),
    "429 daily": (BY_DEVICE, "daily", QuotaError, "failed", "tokens per day", 0),
    "429 server errors": (BY_DEVICE, "server_errors", QuotaError, "failed", "server errors", 0),
    "429 thresholded": (BY_DEVICE, "thresholded", None, "skipped", "thresholded", 0),
    "429 concurrent for ever": (BY_DEVICE, "concurrent", QuotaError, "failed", "concurrent", 8),
    "too large, required": (BY_DEVICE, "too_large", Ga4Error, "failed", "larger than max", 0),
    "too large, optional": (ITEMS, "too_large", None, "failed", "larger than max", 0),
    "500 for ever": (BY_DEVICE, "internal", UnreachableError, "failed", "Internal error", 2),
    "503 for ever": (BY_DEVICE, "unavailable", UnreachableError, "failed", "unavailable", 2),
    "503 for ever, optional": (ITEMS, "unavailable", None, "failed", "unavailable", 2),
    # 250,000 → 1,000 rows: nine sizes, each asked for twice.
    "504 for ever": (BY_DEVICE, "deadline", SlowPageError, "failed", "Deadline", 9),
    "400, required": (BY_DEVICE, "incompatible", RequestRefusedError, "refused", "Please re", 0),
    "400, optional": (ITEMS, "incompatible", None, "refused", "Please remove itemListClick", 0),
    "401": (BY_DEVICE, "unauthenticated", CredentialsError, "failed", "credentials", 0),
    "403": (BY_DEVICE, "forbidden", PropertyError, "failed", "Viewer role", 0),
    "403, optional report": (ITEMS, "forbidden", None, "failed", "Viewer role", 0),
}  # fmt: skip


@pytest.mark.parametrize("name", STOPPED)
def test_what_stays_is_told_and_changes_nothing(loaded: Puller, puller: Puller, name: str) -> None:
    when, status, error, recorded, words, waits = STOPPED[name]
    report = "items" if when is ITEMS else "sessions_by_device"
    if error is None:
        outcome = puller.run(REPORTS, fault(when, status=status))
        assert words in outcome.problems[report]
        assert outcome.failures == {}
    else:
        can_wait = issubclass(error, (QuotaError, UnreachableError))
        with pytest.raises(error if can_wait else NothingPulledError, match=words) as caught:
            puller.run(REPORTS, fault(when, status=status))
        assert isinstance(caught.value if can_wait else caught.value.__cause__, error)
        assert caught.value.exit_code == (75 if can_wait else 2)
        ((reason,),) = puller.query(
            f"select reason from ops.held_back where run_id = 'run{puller.count}'"
        )
        assert reason == str(caught.value)
    assert len(puller.waits) == waits
    ((told, message, days),) = puller.query(
        "select status, any_value(message), count(*) from ops.pulls "
        f"where run_id = 'run{puller.count}' and report = '{report}' group by status"
    )
    assert (told, days) == (recorded, 6)
    assert words in message
    assert_as_before(loaded, puller)


# The answer contradicts itself three times in a row.
CONTRADICTIONS = {
    "row_count between pages": (NEXT_PAGES, {"row_count_add": 7}, "row_count went from"),
    "a row twice": (BY_EVENT, {"duplicate_rows": 1}, "came 2 times"),
    "rows too many": (BY_EVENT, {"extra_rows": 1}, "row_count says"),
    "rows too few": (BY_EVENT, {"missing_rows": 1}, "rows|pages end"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_contradictions_are_held_back(
    loaded: Puller, puller: Puller, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(report_request, "PAGE_ROWS", 50)
    when, do, words = CONTRADICTIONS[name]
    # The shop changed, too: what is held back must not be half new.
    changed = ({"do": {"restate": {"factor": 2}}}, *fault(when, **do))
    with pytest.raises(AuditError, match=words) as caught:
        puller.run(specs("events_by_all"), changed)
    assert caught.value.exit_code == 2
    assert puller.pulls("events_by_all", "status, row_count, message") == [
        ("held_back", None, str(caught.value))
    ]
    assert_as_before(loaded, puller, ("events_by_all",))


def test_server_errors_open_the_circuit(loaded: Puller, puller: Puller) -> None:
    before = len(puller.emulator.requests)
    with pytest.raises(UnreachableError):
        puller.run(REPORTS, fault({"method": "RunReport", "dimensions": "date"}, status="internal"))
    # Five may fail; the two others that were under way then may fail, too.
    assert 5 <= answered(puller.emulator.requests[before:], "INTERNAL") <= 7
    said = {message for name in NAMES for (message,) in puller.pulls(name, "message")}
    assert any("within an hour" in message for message in said)
    assert issubclass(CircuitOpenError, UnreachableError)
    assert_as_before(loaded, puller)


def test_nobody_answers_the_first_question(loaded: Puller, puller: Puller) -> None:
    for status, error in (("forbidden", PropertyError), ("unauthenticated", CredentialsError)):
        with pytest.raises(error):
            puller.run(REPORTS, fault({}, status=status))
    assert_as_before(loaded, puller)


# What GA4 leaves out or changes by itself: loaded, with a flag in ops.pulls.


def summed(puller: Puller, report: str, column: str) -> int:
    ((total,),) = puller.query(f"select sum({column}) from raw.ga4_{report}")
    return int(total)


def test_other_in_a_dimension(loaded: Puller, puller: Puller) -> None:
    rolled = fault(BY_EVENT, other={"dimension": "eventName", "keep": 4})
    assert puller.run(REPORTS, rolled).problems == {}
    assert len({row[0] for row in puller.rows("events_by_all", "event_name")}) == 5
    total = summed(puller, "events_by_all", "event_count")
    assert total == summed(loaded, "events_by_all", "event_count")
    ((in_other,),) = puller.query(
        "select sum(event_count) from raw.ga4_events_by_all where event_name = '(other)'"
    )
    ((has_other, share),) = puller.pulls("events_by_all", "has_other_row, other_share")
    assert has_other
    assert share == pytest.approx(in_other / total)
    assert_as_before(loaded, puller, ("sessions_by_all", "items"))


def test_other_in_the_date(loaded: Puller, puller: Puller) -> None:
    rolled = fault(BY_DEVICE, other={"dimension": "date", "share": 0.2})
    assert puller.run(REPORTS, rolled).problems == {}
    kept = puller.query(
        "select row_json from ops.quarantine where date_text = '(other)' "
        "and report = 'sessions_by_device'"
    )
    lost = sum(json.loads(text)["sessions"] for (text,) in kept)
    assert lost > 0
    stored = summed(puller, "sessions_by_device", "sessions")
    assert stored + lost == summed(loaded, "sessions_by_device", "sessions")
    assert puller.pulls("sessions_by_device", "has_other_row") == [(True,)]


def test_other_in_the_date_counts_as_other(puller: Puller) -> None:
    """Below 5 % a report counts as complete, and here a fifth of the sessions has no date."""
    rolled = fault(BY_DEVICE, other={"dimension": "date", "share": 0.2})
    puller.run(REPORTS, rolled)
    ((share,),) = puller.pulls("sessions_by_device", "other_share")
    assert share == pytest.approx(0.2, abs=0.05)


def test_thresholding(loaded: Puller, puller: Puller) -> None:
    hidden = fault(BY_DEVICE, threshold={"min_users": 20})
    assert puller.run(REPORTS, hidden).problems == {}
    assert puller.pulls("sessions_by_device", "is_thresholded") == [(True,)]
    assert puller.pulls("sessions_by_all", "is_thresholded") == [(False,)]
    rows, before = puller.rows("sessions_by_device"), loaded.rows("sessions_by_device")
    assert set(rows) < set(before)


def test_sampling(puller: Puller) -> None:
    assert puller.run(REPORTS, fault(BY_DEVICE, sampling={"share": 0.5})).problems == {}
    assert puller.pulls("sessions_by_device", "is_sampled") == [(True,)]
    assert puller.pulls("sessions_by_all", "is_sampled") == [(False,)]
    # Every user that was read stands for two.
    assert all(count % 2 == 0 for (count,) in puller.rows("sessions_by_device", "sessions"))


def test_a_restricted_metric_is_unknown_and_not_zero(loaded: Puller, puller: Puller) -> None:
    hidden = fault(BY_DEVICE, restrict={"metrics": ["purchaseRevenue"]})
    assert puller.run(REPORTS, hidden).problems == {}
    assert set(puller.rows("sessions_by_device", "purchase_revenue")) == {(None,)}
    assert puller.pulls("sessions_by_device", "restricted_metrics") == [("purchaseRevenue",)]
    others = "* exclude (pulled_at, pull_id, purchase_revenue)"
    assert puller.rows("sessions_by_device", others) == loaded.rows("sessions_by_device", others)
    ((totals,),) = puller.query(
        "select distinct totals->>'purchase_revenue' from ops.pulls "
        f"where run_id = 'run{puller.count}' and report = 'sessions_by_device'"
    )
    assert totals is None


def test_a_property_that_is_suddenly_empty_keeps_what_is_stored(
    loaded: Puller, puller: Puller
) -> None:
    with pytest.raises(AuditError, match=r"reports no row of .* \(NO_DATA\), where .* are stored"):
        puller.run(REPORTS, fault({}, empty={"reason": "NO_DATA"}))
    assert_as_before(loaded, puller)
    for name in NAMES:
        assert ("loaded",) not in puller.pulls(name, "status")


def test_a_property_that_always_was_empty(loaded: Puller, tmp_path: Path) -> None:
    settings = loaded.settings.model_copy(update={"home": tmp_path / "empty"})
    puller = Puller(loaded.emulator, loaded.clock, settings, loaded.window)
    nothing = puller.run(REPORTS, fault({}, empty={"reason": "NO_DATA"}))
    assert set(nothing.rows.values()) == {0}
    for name in NAMES:
        assert puller.rows(name) == []
        # As if it had not been asked: the days must not pass for empty ones once there are rows.
        assert puller.pulls(name, "status, row_count, empty_reason") == [("failed", 0, "NO_DATA")]


def test_truncation(puller: Puller) -> None:
    cut = fault(BY_DEVICE, truncate={"before": str(DAY), "message": "Too old."})
    assert puller.run(REPORTS, cut).problems == {}
    assert {row[0] for row in puller.rows("sessions_by_device", "date")} == {DAY, LAST_DAY}
    ((text,),) = puller.pulls("sessions_by_device", "truncation")
    assert text == f"DATE_RANGE {DAY} Too old."


# Changes of the numbers: the newest pull is what is stored, and the older one is remembered.


def test_a_restated_day(loaded: Puller, puller: Puller) -> None:
    assert puller.run(REPORTS, fault({}, restate={"dates": str(DAY), "factor": 2})).problems == {}
    doubled = [
        (day, count * 2 if day == DAY else count)
        for day, count in loaded.rows("sessions_by_all", "date, sessions")
    ]
    assert puller.rows("sessions_by_all", "date, sessions") == doubled
    seen = puller.query(
        "select cast(totals->>'sessions' as bigint) from ops.pulls "
        f"where report = 'sessions_by_all' and date = '{DAY}' order by pulled_at"
    )
    assert len(seen) == 2
    assert seen[1][0] == 2 * seen[0][0]


def test_a_vanished_key(loaded: Puller, puller: Puller) -> None:
    gone = fault({}, vanish={"dates": str(DAY), "events": "add_to_cart"})
    assert puller.run(REPORTS, gone).problems == {}
    columns = "date, event_name, event_count"
    expected = [
        row for row in loaded.rows("events_by_all", columns) if row[:2] != (DAY, "add_to_cart")
    ]
    assert expected != loaded.rows("events_by_all", columns)
    assert puller.rows("events_by_all", columns) == expected


def test_rows_that_are_attributed_anew(loaded: Puller, puller: Puller) -> None:
    moved = {"dimension": "sessionDefaultChannelGroup", "from": "Direct", "to": "Referral"}
    assert puller.run(REPORTS, fault(BY_CHANNEL, rename=moved)).problems == {}
    channel = "session_default_channel_group"
    assert ("Direct",) in loaded.rows("sessions_by_channel", channel)
    assert ("Direct",) not in puller.rows("sessions_by_channel", channel)
    # Each session counts once, whatever its channel.
    total = summed(puller, "sessions_by_channel", "sessions")
    assert total == summed(loaded, "sessions_by_channel", "sessions")


def test_late_rows_come_with_the_next_night(loaded: Puller, puller: Puller) -> None:
    seen = puller.clock.now() + timedelta(hours=8)
    late = {"dates": str(LAST_DAY), "share": 0.3, "visible_from": seen.isoformat()}
    puller.run(REPORTS, fault({}, late=late))
    before = loaded.rows("sessions_by_all", "date, sessions")
    first = puller.rows("sessions_by_all", "date, sessions")
    assert first[:-1] == before[:-1]
    assert first[-1][1] < before[-1][1]
    puller.clock.sleep_until(seen)
    puller.run(REPORTS, fault({}, late=late))
    assert_as_before(loaded, puller)


def test_currency_and_time_zone_change(puller: Puller) -> None:
    moved = fault({}, currency="USD", time_zone="America/New_York")
    settings = puller.settings
    unpinned = settings.properties[0].model_copy(update={"time_zone": None})
    puller.settings = settings.model_copy(update={"properties": (unpinned,)})
    assert puller.run(REPORTS, moved).problems == {}
    assert puller.query("select field, old, new from ops.property_changes order by field") == [
        ("currency", "EUR", "USD"), ("time_zone", "Europe/Berlin", "America/New_York"),
    ]  # fmt: skip
    assert puller.pulls("sessions_by_all", "currency, time_zone") == [("USD", "America/New_York")]


def test_fields_that_go(loaded: Puller, puller: Puller) -> None:
    hidden = fault({}, hide_fields=["itemName", "customEvent:page_type"])
    tomorrow = DayWindow(puller.window.start, LAST_DAY + timedelta(days=1))
    reports = (*REPORTS, *specs("metadata", "micro_by_device"))
    outcome = puller.run(reports, hidden, window=tomorrow)
    assert set(outcome.problems) == {"items"}
    assert "itemName" in outcome.problems["items"]
    assert puller.pulls("items", "status") == [("refused",)]
    assert puller.query("select kind, api_name, change from ops.field_changes order by all") == [
        ("dimension", "customEvent:page_type", "went"), ("dimension", "itemName", "went"),
    ]  # fmt: skip
    ((message,),) = puller.pulls("micro_by_device", "message")
    assert "Not asked for" in message
    assert_as_before(loaded, puller, NAMES)


# Funnels: the emulator always answers with the oddities of the recorded answer.

CORE = ("session_start", "view_item", "add_to_cart", "begin_checkout", "purchase")


def users_by_hand(events: Path, steps: tuple[str, ...]) -> list[int]:
    """Users who did the steps one after another, straight from the event files."""
    sql = f"""
        with events as (
            select user_pseudo_id as who, event_name as what, event_timestamp as moment
            from read_parquet('{events}/events_*.parquet') where user_pseudo_id is not null
        ), step0 as (
            select who, min(moment) as moment from events where what = '{steps[0]}' group by who
        )
    """
    for number, name in enumerate(steps[1:], start=1):
        sql += f""", step{number} as (
            select who, min(events.moment) as moment from step{number - 1} as earlier
            join events using (who)
            where what = '{name}' and events.moment > earlier.moment group by who
        )"""
    counts = ", ".join(f"(select count(*) from step{number})" for number in range(len(steps)))
    with duckdb.connect() as connection:
        row = connection.execute(f"{sql} select {counts}").fetchone()
    assert row is not None
    return list(row)


def core_funnel(puller: Puller) -> list[tuple[Any, ...]]:
    return puller.query(
        "select step_key, active_users from raw.ga4_funnel where funnel = 'core' "
        "and window_name = '28d' and device_category = 'all' order by step_number"
    )


def test_the_oddities_of_a_funnel_are_read_rightly(loaded: Puller) -> None:
    keys = ("sessions", "product_view", "add_to_cart", "checkout_start", "purchase")
    by_hand = users_by_hand(loaded.settings.home.parent / "events", CORE)
    assert core_funnel(loaded) == list(zip(keys, by_hand, strict=True))


def test_steps_that_nobody_reached_are_zero(loaded: Puller, puller: Puller) -> None:
    puller.run(specs("funnel"), fault({}, vanish={"events": ["begin_checkout", "purchase"]}))
    assert core_funnel(puller) == [
        *core_funnel(loaded)[:3], ("checkout_start", 0), ("purchase", 0),
    ]  # fmt: skip


def test_a_server_without_funnels_loses_only_them(loaded: Puller, puller: Puller) -> None:
    without = fault({"method": "RunFunnelReport"}, status="unimplemented")
    outcome = puller.run((*REPORTS, *specs("funnel")), without)
    assert set(outcome.problems) == {"funnel"}
    assert outcome.failures == {}
    assert puller.pulls("funnel", "status") == [("refused",)]
    assert_as_before(loaded, puller, (*NAMES, "funnel"))


# What a night without faults costs.


def test_a_night_costs_less_than_five_percent_of_the_day(puller: Puller) -> None:
    """By the emulator's accounting: an ordinary night, and a Sunday's with its 35-day sweep."""
    sunday = LAST_DAY - timedelta(days=2)
    assert sunday.isoweekday() == 7
    # So far back goes what the shop has stored.
    puller.run(specs("sessions_by_all"), window=DayWindow(sunday - timedelta(days=60), sunday))
    for last_day in (LAST_DAY, sunday):
        before = len(puller.emulator.requests)
        night = nightly_window(last_day, puller.settings.nightly.lookback_days)
        assert puller.run(tuple(ALL_REPORTS.values()), window=night).problems == {}
        asked = puller.emulator.requests[before:]
        core, funnels = (
            sum(one.tokens for one in asked if one.asked.method == method)
            for method in ("RunReport", "RunFunnelReport")
        )
        print(
            f"\nA night that ends on a {last_day:%A}: {core} core tokens ({core / 2_000:.2f} % of "
            f"the day's 200,000), {funnels} funnel tokens, {len(asked)} requests"
        )
        assert 0 < core < 0.05 * STANDARD_DAILY_TOKENS
        assert 0 < funnels < 0.05 * STANDARD_DAILY_TOKENS
