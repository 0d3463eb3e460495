"""The governor: what is asked again, when, and what is given up."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.analytics.data_v1beta import types as ga4
from google.api_core import exceptions as google_errors
from google.auth import exceptions as auth_errors

from pipelines.ga4.api_errors import LIBRARY_ERRORS, CircuitOpenError, QuotaError
from pipelines.ga4.rate_limit import (
    BACKFILL,
    FIELDS,
    NIGHTLY,
    Exhausted,
    Governor,
    Policy,
    classify,
    next_hour,
)
from tests.support.hand_clock import HandClock

CONCURRENT = "Exhausted concurrent requests quota."
HOURLY = "Exhausted property tokens for a project per hour."
DAILY = "Exhausted property tokens per day. These quota tokens will return in under 24 hours."
THRESHOLDED = "Exhausted potentially thresholded requests quota."


def scripted(*results: object) -> tuple[Callable[[], object], list[int]]:
    """A call that raises or returns these results in turn; and how often it was called."""
    calls: list[int] = []
    waiting = list(results)

    def call() -> object:
        calls.append(1)
        result = waiting.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    return call, calls


def ask(governor: Governor, call: Callable[[], object]) -> object:
    return governor.call(call, property_id="1", what="the report items")


def answer_with(governor: Governor, quota: object) -> None:
    """Any request of property 1 that is answered with these readings."""
    governor.call(lambda: quota, property_id="1", what="x", quota_of=lambda answer: answer)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (CONCURRENT, Exhausted.CONCURRENT),
        (HOURLY, Exhausted.HOURLY),
        (DAILY, Exhausted.DAILY),
        (THRESHOLDED, Exhausted.THRESHOLDED),
        ("Exhausted something that nobody has seen.", Exhausted.HOURLY),
    ],
)
def test_which_quota_a_text_is_about(words: str, kind: Exhausted) -> None:
    assert classify(words) is kind


def test_too_many_at_once_waits_a_moment_and_asks_again() -> None:
    clock = HandClock()
    call, calls = scripted(
        google_errors.ResourceExhausted(CONCURRENT), google_errors.ResourceExhausted(CONCURRENT), 7
    )
    assert ask(Governor(NIGHTLY, clock), call) == 7
    assert len(calls) == 3
    assert clock.slept[-1] - datetime(2026, 7, 1, 12, 10, tzinfo=UTC) < timedelta(seconds=10)


@pytest.mark.parametrize("words", [HOURLY, DAILY, THRESHOLDED])
def test_a_night_does_not_wait_for_tokens(words: str) -> None:
    clock = HandClock()
    call, calls = scripted(google_errors.ResourceExhausted(words))
    with pytest.raises(google_errors.ResourceExhausted):
        ask(Governor(NIGHTLY, clock), call)
    assert (len(calls), clock.slept) == (1, [])


def test_a_backfill_waits_for_the_next_hour() -> None:
    clock = HandClock()
    call, _ = scripted(google_errors.ResourceExhausted(HOURLY), 7)
    assert ask(Governor(BACKFILL, clock), call) == 7
    assert clock.slept == [datetime(2026, 7, 1, 13, 0, tzinfo=UTC)]


def test_a_backfill_does_not_wait_for_the_next_day() -> None:
    call, calls = scripted(google_errors.ResourceExhausted(DAILY))
    with pytest.raises(google_errors.ResourceExhausted):
        ask(Governor(BACKFILL, HandClock()), call)
    assert len(calls) == 1


def test_an_answer_that_is_too_large_is_no_reason_to_wait() -> None:
    clock = HandClock()
    call, calls = scripted(
        google_errors.ResourceExhausted("Received message larger than max (5 vs. 4)")
    )
    with pytest.raises(google_errors.ResourceExhausted):
        ask(Governor(BACKFILL, clock), call)
    assert (len(calls), clock.slept) == (1, [])


class ChannelError(grpc.RpcError, grpc.Call):  # type: ignore[misc]
    """What the channel itself raises: an error that knows its status."""

    def __init__(self, code: grpc.StatusCode) -> None:
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return "Stream removed"

    def trailing_metadata(self) -> tuple[()]:
        return ()


ChannelError.__abstractmethods__ = frozenset()
# Everything that is not known to be final.
PASSING = [
    google_errors.ServiceUnavailable("x"), google_errors.InternalServerError("x"),
    google_errors.BadGateway("x"), google_errors.Unknown("Stream removed"),
    google_errors.Aborted("x"), google_errors.Cancelled("x"), google_errors.DataLoss("x"),
    google_errors.Conflict("x"), google_errors.GoogleAPICallError("a status of tomorrow"),
    google_errors.RetryError("x", cause=None), grpc.RpcError("x"),
    auth_errors.TransportError("x"), auth_errors.RefreshError("x", retryable=True),
    ChannelError(grpc.StatusCode.UNKNOWN),
]  # fmt: skip
FINAL = [
    google_errors.InvalidArgument("x"), google_errors.FailedPrecondition("x"),
    google_errors.OutOfRange("x"), google_errors.Unauthenticated("x"),
    google_errors.PermissionDenied("x"), google_errors.NotFound("x"),
    google_errors.AlreadyExists("x"), google_errors.MethodNotImplemented("x"),
    google_errors.MethodNotAllowed("x"), google_errors.PreconditionFailed("x"),
    google_errors.ServiceUnavailable("('invalid_grant: Invalid JWT Signature.')"),
    auth_errors.RefreshError("x"), ChannelError(grpc.StatusCode.INVALID_ARGUMENT),
]  # fmt: skip


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_what_may_pass_is_tried_twice_more(error: Exception) -> None:
    clock = HandClock()
    call, calls = scripted(error, error, error)
    with pytest.raises(LIBRARY_ERRORS):
        ask(Governor(NIGHTLY, clock), call)
    assert (len(calls), len(clock.slept)) == (3, 2)
    healing, calls = scripted(error, 7)
    assert ask(Governor(NIGHTLY, HandClock()), healing) == 7


@pytest.mark.parametrize("error", FINAL, ids=repr)
def test_what_is_final_is_not_asked_again(error: Exception) -> None:
    clock = HandClock()
    call, calls = scripted(error)
    with pytest.raises(LIBRARY_ERRORS):
        ask(Governor(NIGHTLY, clock), call)
    assert (len(calls), clock.slept) == (1, [])


def test_an_error_of_the_channel_is_told_by_its_status() -> None:
    call, _ = scripted(ChannelError(grpc.StatusCode.PERMISSION_DENIED))
    with pytest.raises(google_errors.PermissionDenied):
        ask(Governor(NIGHTLY, HandClock()), call)


def test_a_method_that_fails_by_itself_takes_no_other_with_it() -> None:
    """Fields cost three errors and slow answers count; reports and funnels are asked as before."""
    governor = Governor(NIGHTLY, HandClock())
    slow = google_errors.DeadlineExceeded("x")
    call, calls = scripted(slow, slow, slow)
    with pytest.raises(google_errors.DeadlineExceeded):
        governor.call(call, property_id="1", what="fields", bucket=FIELDS)
    with pytest.raises(CircuitOpenError, match="3 times"):
        governor.call(call, property_id="1", what="fields", bucket=FIELDS)
    assert len(calls) == 3
    for bucket in ("core", "funnel"):
        other, _ = scripted(8)
        assert governor.call(other, property_id="1", what="x", bucket=bucket) == 8


def test_a_deadline_is_tried_once_more() -> None:
    error = google_errors.DeadlineExceeded("x")
    call, calls = scripted(error, error)
    with pytest.raises(google_errors.DeadlineExceeded):
        ask(Governor(NIGHTLY, HandClock()), call)
    assert len(calls) == 2


def test_five_server_errors_an_hour_open_the_circuit_of_that_property_only() -> None:
    clock = HandClock()
    governor = Governor(NIGHTLY, clock)
    error = google_errors.ServiceUnavailable("x")
    first, _ = scripted(error, error, error)
    with pytest.raises(google_errors.ServiceUnavailable):
        ask(governor, first)
    second, calls = scripted(error, error, 7)
    with pytest.raises(CircuitOpenError, match="5 times"):
        ask(governor, second)
    assert len(calls) == 2
    other, _ = scripted(8)
    assert governor.call(other, property_id="2", what="x") == 8
    clock.sleep_until(clock.now() + timedelta(hours=1, seconds=30))
    healed, _ = scripted(9)
    assert ask(governor, healed) == 9


def reading(tokens_left: int) -> object:
    quota = ga4.PropertyQuota(
        tokens_per_project_per_hour={"consumed": 10, "remaining": tokens_left},
        tokens_per_day={"consumed": 10, "remaining": 190_000},
    )
    return ga4.PropertyQuota.pb(quota)


def test_a_backfill_leaves_a_fifth_of_the_hour_to_others() -> None:
    clock = HandClock()
    governor = Governor(BACKFILL, clock)
    answer_with(governor, reading(2_801))
    call, _ = scripted(7, 8, 9)
    ask(governor, call)
    assert clock.slept == []
    answer_with(governor, reading(2_799))
    assert governor.call(call, property_id="2", what="x") == 8
    assert clock.slept == []
    assert ask(governor, call) == 9
    assert clock.slept == [datetime(2026, 7, 1, 13, 0, tzinfo=UTC)]


class Interrupted:
    """A lock before whose n-th taking another thread's answer arrives."""

    def __init__(self, point: int, answer: Callable[[], None]) -> None:
        self._lock, self._left, self._answer = threading.Lock(), point, answer

    def __enter__(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._answer()
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()


@pytest.mark.parametrize("point", [1, 2, 3, 4])
def test_whenever_another_answer_reaches_the_reserve_a_call_not_yet_made_waits(point: int) -> None:
    clock, events = HandClock(), list[str]()

    def answer() -> None:
        events.append("answered")
        answer_with(governor, reading(2_799))

    governor = Governor(BACKFILL, clock, _lock=Interrupted(point, answer))  # type: ignore[arg-type]
    assert ask(governor, lambda: events.append("called")) is None
    is_late = events[:1] == ["called"]
    assert clock.slept == ([] if is_late else [datetime(2026, 7, 1, 13, 0, tzinfo=UTC)])
    assert events.count("called") == 1


def test_an_answer_tells_of_the_hour_in_which_it_was_asked_for() -> None:
    """It arrives when the hour is over and its tokens are back: nobody waits for the next one."""
    clock = HandClock()
    governor = Governor(BACKFILL, clock)

    def slow() -> object:
        clock.sleep_until(datetime(2026, 7, 1, 13, 0, 1, tzinfo=UTC))
        return reading(2_799)

    governor.call(slow, property_id="1", what="x", quota_of=lambda answer: answer)
    clock.slept.clear()
    assert ask(governor, lambda: 7) == 7
    assert clock.slept == []


def test_a_refusal_tells_of_the_hour_in_which_it_was_asked_for() -> None:
    clock = HandClock()
    asked: list[datetime] = []

    def refused_once() -> int:
        asked.append(clock.now())
        if len(asked) == 1:
            clock.sleep_until(datetime(2026, 7, 1, 13, 0, 1, tzinfo=UTC))
            raise google_errors.ResourceExhausted(HOURLY)
        return 7

    assert ask(Governor(BACKFILL, clock), refused_once) == 7
    assert asked[1] == datetime(2026, 7, 1, 13, 0, 1, tzinfo=UTC)


def test_a_360_property_has_ten_times_the_reserve() -> None:
    clock = HandClock()
    governor = Governor(BACKFILL, clock)
    answer_with(governor, reading(27_000))
    call, _ = scripted(7)
    ask(governor, call)
    assert clock.slept == [datetime(2026, 7, 1, 13, 0, tzinfo=UTC)]


def test_every_reading_is_in_the_ledger_once() -> None:
    governor = Governor(NIGHTLY, HandClock())
    answer_with(governor, reading(2_000))
    taken = {(one.quota, one.consumed, one.remaining) for one in governor.take_readings()}
    assert taken == {
        ("core_tokens_per_project_per_hour", 10, 2_000),
        ("core_tokens_per_day", 10, 190_000),
    }
    assert governor.take_readings() == []


def test_a_run_that_does_not_wait_says_when_to_come_back() -> None:
    governor = Governor(Policy(waits_for_hour=False, reserve=0.2), HandClock())
    answer_with(governor, reading(100))
    call, calls = scripted(7)
    with pytest.raises(QuotaError, match="after 13:00 UTC"):
        ask(governor, call)
    assert calls == []


def test_a_stopped_run_neither_sleeps_nor_asks() -> None:
    governor = Governor(BACKFILL)
    governor.stop()
    call, calls = scripted(7)
    with pytest.raises(QuotaError, match="was stopped"):
        ask(governor, call)
    governor.clock.sleep_until(datetime(2999, 1, 1, tzinfo=UTC))
    assert calls == []


def test_a_day_of_full_hours_is_enough() -> None:
    clock = HandClock()
    call, calls = scripted(*[google_errors.ResourceExhausted(HOURLY)] * 25)
    with pytest.raises(google_errors.ResourceExhausted):
        ask(Governor(BACKFILL, clock), call)
    assert (len(calls), len(clock.slept)) == (25, 24)


def test_when_tokens_come_back() -> None:
    moment = datetime(2026, 7, 1, 23, 59, 59, 5, tzinfo=UTC)
    assert next_hour(moment) == datetime(2026, 7, 2, 0, 0, tzinfo=UTC)
