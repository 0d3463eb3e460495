"""What is done when GA4 says no or not now, decided here and nowhere else (docs/ga4.md).

Every call of the client goes through one `Governor`. It waits, tries again, gives up for a
property, or lets the error through; and it keeps the ledger of all quota readings.
"""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Protocol, TypeVar

from google.api_core import exceptions as google_errors

from pipelines.clock import Clock as MachineClock
from pipelines.ga4.api_errors import (
    LIBRARY_ERRORS,
    CircuitOpenError,
    QuotaError,
    is_final,
    is_too_large,
    status_of,
)

_T = TypeVar("_T")

SERVER_ERROR_RETRIES = 2
DEADLINE_RETRIES = 1
CONCURRENT_RETRIES = 8
# A day of full hours for one request: by then it is not the hour's tokens that are missing.
HOURLY_WAITS = 24
# GA4 counts ten server errors an hour against the project; half of them are ours to spend on what
# is needed. What is only asked about fields fails for itself, and sooner.
CIRCUIT_ERRORS_PER_HOUR = 5
FIELDS = "fields"
FIELD_ERRORS_PER_HOUR = 3
# Tokens an hour of a standard property and of a 360 one (docs/ga4.md); readings tell only the rest.
HOURLY_LIMITS = {
    "tokens_per_hour": (40_000, 400_000),
    "tokens_per_project_per_hour": (14_000, 140_000),
}
STANDARD_DAILY_TOKENS = 200_000


class Clock(Protocol):
    """Time, so that tests can run a day of quota in a second."""

    def now(self) -> datetime:
        """The moment, with time zone."""
        ...

    def sleep_until(self, moment: datetime) -> None:
        """Return when it is `moment`, or when somebody calls `wake`."""
        ...

    def wake(self) -> None:
        """End all sleeps."""
        ...


class SystemClock(MachineClock):
    """The machine's clock, and waiting by it."""

    def __init__(self) -> None:
        self._woken = threading.Event()

    def sleep_until(self, moment: datetime) -> None:
        """Sleep in this thread."""
        self._woken.wait(max(0.0, (moment - self.now()).total_seconds()))

    def wake(self) -> None:
        """End all sleeps, now and later: the run is being stopped."""
        self._woken.set()


class Exhausted(Enum):
    """Which quota a message is about; GA4's texts are matched loosely."""

    CONCURRENT = "concurrent"
    THRESHOLDED = "thresholded"
    DAILY = "day"
    HOURLY = "hour"


def classify(words: str) -> Exhausted:
    """The quota that a 429's text names; a text that names none is taken for the hour's."""
    text = words.lower()
    return next((kind for kind in Exhausted if kind.value in text), Exhausted.HOURLY)


@dataclass(frozen=True)
class Reading:
    """One number of one quota reading."""

    property_id: str
    read_at: datetime
    quota: str
    consumed: int
    remaining: int


@dataclass(frozen=True)
class Policy:
    """How patient a run is.

    `waits_for_hour`: sleep until the hour's tokens are back (backfill) instead of stopping.
    `reserve`: share of the hour's tokens that is left to others, 0–1.
    """

    waits_for_hour: bool = False
    reserve: float = 0.0


NIGHTLY = Policy()
BACKFILL = Policy(waits_for_hour=True, reserve=0.20)


@dataclass
class Governor:
    """Decides about every call; safe to use from several threads."""

    policy: Policy = NIGHTLY
    clock: Clock = field(default_factory=SystemClock)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _errors: dict[tuple[str, str], list[datetime]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _low_until: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _readings: list[Reading] = field(default_factory=list)
    _is_stopped: threading.Event = field(default_factory=threading.Event)
    # What is still to be paid: calls under way, and the dearest of those that were answered.
    _under_way: Counter[tuple[str, str]] = field(default_factory=Counter)
    _dearest: Counter[tuple[str, str]] = field(default_factory=Counter)

    def call(
        self,
        call: Callable[[], _T],
        *,
        property_id: str,
        what: str,
        bucket: str = "core",
        quota_of: Callable[[_T], Any] | None = None,
    ) -> _T:
        """Call until it answers or there is no point in asking again.

        `bucket`: `core` or `funnel`, which GA4 counts apart, or `fields`, which costs no tokens.
        Each has a circuit of its own: a method that fails by itself takes no other with it.
        `quota_of`: the readings of an answer (raw PropertyQuota), kept in the ledger.

        Raises what the client library raised (LIBRARY_ERRORS; an error of the channel by its
        status), CircuitOpenError, or QuotaError when the hour's reserve is reached and this run
        does not wait.
        """
        tries: Counter[str] = Counter()
        while True:
            if self._is_stopped.is_set():
                raise QuotaError(f"The run was stopped before {what} of property {property_id}.")
            self._refuse_open_circuit(property_id, bucket, what)
            asked_at = self.clock.now()
            try:
                with self._counted(property_id, bucket, asked_at) as until:
                    if until is None:
                        answer = call()
                        if quota_of is not None:
                            self._read_quota(property_id, bucket, quota_of(answer), asked_at)
                        return answer
                self._await_hour(until, property_id, what)
            except LIBRARY_ERRORS as raised:
                error = status_of(raised)
                pause = self._pause(error, tries, (property_id, bucket), asked_at)
                if pause is None and error is raised:
                    raise
                if pause is None:
                    raise error from raised
                self.clock.sleep_until(pause)

    def stop(self) -> None:
        """Let nobody wait or ask any more: the run ends (Ctrl-C in the middle of an hour)."""
        self._is_stopped.set()
        self.clock.wake()

    def take_readings(self) -> list[Reading]:
        """The readings since the last call."""
        with self._lock:
            taken, self._readings = self._readings, []
        return taken

    def _read_quota(self, property_id: str, bucket: str, quota: Any, asked_at: datetime) -> None:
        """Keep the readings of an answer; the call is still under way.

        They tell of the hour in which it was asked for: by the time they are here the tokens may
        be back.
        """
        now = self.clock.now()
        readings = [
            Reading(property_id, now, f"{bucket}_{one.name}", status.consumed, status.remaining)
            for one, status in quota.ListFields()
        ]
        key = property_id, bucket
        with self._lock:
            self._readings.extend(readings)
            self._dearest[key] = max([self._dearest[key], *(one.consumed for one in readings)])
            unpaid = (self._under_way[key] - 1) * self._dearest[key]
            if any(self._is_low(one, bucket, unpaid) for one in readings):
                until = next_hour(asked_at)
                self._low_until[key] = max(until, self._low_until.get(key, until))

    @contextmanager
    def _counted(
        self, property_id: str, bucket: str, asked_at: datetime
    ) -> Iterator[datetime | None]:
        """A call under way: others must leave its tokens in the hour's quota. When the reserve is
        reached, the moment until which it has to wait, instead. Both at once: an answer that
        reaches the reserve knows of this call, or this call of it.
        """
        key = property_id, bucket
        with self._lock:
            until = self._low_until.get(key)
            if until is not None and until <= asked_at:
                until = None
            self._under_way[key] += until is None
        try:
            yield until
        finally:
            with self._lock:
                self._under_way[key] -= until is None

    def _is_low(self, reading: Reading, bucket: str, unpaid: int) -> bool:
        limits = HOURLY_LIMITS.get(reading.quota.removeprefix(f"{bucket}_"))
        if limits is None or not self.policy.reserve:
            return False
        standard, premium = limits
        limit = premium if reading.remaining > standard else standard
        return reading.remaining - unpaid < self.policy.reserve * limit

    def _await_hour(self, until: datetime, property_id: str, what: str) -> None:
        if not self.policy.waits_for_hour:
            raise QuotaError(
                f"The hour's tokens of property {property_id} are down to the reserve before "
                f"{what}: run the same command again after {until:%H:%M} UTC."
            )
        self.clock.sleep_until(until)

    def _refuse_open_circuit(self, property_id: str, bucket: str, what: str) -> None:
        hour_ago = self.clock.now() - timedelta(hours=1)
        with self._lock:
            errors = self._errors[property_id, bucket]
            recent = [moment for moment in errors if moment > hour_ago]
            self._errors[property_id, bucket] = recent
        if len(recent) >= (FIELD_ERRORS_PER_HOUR if bucket == FIELDS else CIRCUIT_ERRORS_PER_HOUR):
            raise CircuitOpenError(
                f"GA4 answered {len(recent)} times with a server error for property "
                f"{property_id} within an hour, so {what} was not asked for: run the same "
                "command again in an hour."
            )

    def _pause(
        self,
        error: Exception,
        tries: Counter[str],
        circuit: tuple[str, str],
        asked_at: datetime,
    ) -> datetime | None:
        """When to ask again; None where asking again is of no use, or was of none."""
        if is_final(error):
            return None
        match error:
            case google_errors.TooManyRequests() if is_too_large(error.message):
                return None
            case google_errors.TooManyRequests():
                return self._pause_for_quota(classify(error.message), tries, asked_at)
            case google_errors.GatewayTimeout() if circuit[1] != FIELDS:
                return self._backoff(tries, "deadline", DEADLINE_RETRIES)
        with self._lock:
            self._errors[circuit].append(self.clock.now())
        return self._backoff(tries, "server", SERVER_ERROR_RETRIES)

    def _pause_for_quota(
        self, kind: Exhausted, tries: Counter[str], asked_at: datetime
    ) -> datetime | None:
        if kind is Exhausted.CONCURRENT:
            return self._backoff(tries, "concurrent", CONCURRENT_RETRIES)
        if kind is Exhausted.HOURLY and self.policy.waits_for_hour and tries["hour"] < HOURLY_WAITS:
            tries["hour"] += 1
            return next_hour(asked_at)
        return None

    def _backoff(self, tries: Counter[str], reason: str, most: int) -> datetime | None:
        """A short wait with jitter that doubles from try to try."""
        if tries[reason] >= most:
            return None
        tries[reason] += 1
        seconds = random.uniform(0.5, 1.0) * 2 ** min(tries[reason], 4)
        return self.clock.now() + timedelta(seconds=seconds)


def next_hour(now: datetime) -> datetime:
    """The next full hour, when hourly tokens come back."""
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
