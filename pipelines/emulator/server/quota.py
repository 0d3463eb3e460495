"""Quota accounting of one property: what a request costs, what is left, when it is refused.

One ledger is one of the API's buckets (core, funnel). Nothing is refused before a quota is used
up: the request that crosses a limit is still answered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from pipelines.emulator.server.errors import quota_exhausted

# The day's tokens come back at midnight in California, whatever the property's time zone.
_PACIFIC = ZoneInfo("America/Los_Angeles")
_CELLS_PER_TOKEN = 20


@dataclass(frozen=True)
class QuotaLimits:
    """Limits of a standard (not 360) property (docs/ga4.md, "Quota and errors")."""

    tokens_per_day: int = 200_000
    tokens_per_hour: int = 40_000
    tokens_per_project_per_hour: int = 14_000
    concurrent_requests: int = 10
    server_errors_per_project_per_hour: int = 10
    potentially_thresholded_requests_per_hour: int = 120


def token_price(days: int, width: int) -> int:
    """Tokens of one report: 1 + ⌊days × (1 + width) / 20⌋; Google tells no formula.

    `days` over all date ranges, overlaps counted twice. `width` is the number of dimensions, also
    of those that only a filter uses; in a funnel the number of steps, breakdown and next action.
    Rows and pages do not matter to it, so that a backfill can be planned: each page costs the same.
    """
    return 1 + days * (1 + width) // _CELLS_PER_TOKEN


class QuotaLedger:
    """The counters of one bucket; safe to use from several threads.

    `limits` is asked at every request: a faults file may change them on the way.
    """

    def __init__(
        self, now: Callable[[], datetime], limits: Callable[[], QuotaLimits] = QuotaLimits
    ) -> None:
        self._now = now
        self._limits = limits
        self._lock = threading.Lock()
        self._day = self._hour = ""
        self._day_tokens = self._hour_tokens = self._active = 0
        self._hour_errors = self._hour_thresholded = 0

    @contextmanager
    def request(self) -> Iterator[None]:
        """One request from its arrival to its answer; ApiError when a quota is used up."""
        with self._lock:
            self._refuse_when_exhausted()
            self._active += 1
        try:
            yield
        finally:
            with self._lock:
                self._active -= 1

    def charge(self, tokens: int) -> None:
        """Books the tokens of one report."""
        with self._lock:
            self._turn_over()
            self._day_tokens += tokens
            self._hour_tokens += tokens

    def count_server_error(self) -> None:
        """Books one answer with INTERNAL or UNAVAILABLE."""
        with self._lock:
            self._turn_over()
            self._hour_errors += 1

    def count_thresholded(self) -> None:
        """Books a request that may be thresholded; ApiError when there were too many this hour."""
        with self._lock:
            self._turn_over()
            if self._hour_thresholded >= self._limits().potentially_thresholded_requests_per_hour:
                raise quota_exhausted("Exhausted potentially thresholded requests quota.")
            self._hour_thresholded += 1

    def state(self, consumed: int = 0) -> dict[str, dict[str, int]]:
        """The fields of a `PropertyQuota` after a request that consumed so many tokens."""
        with self._lock:
            self._turn_over()
            return self._state(consumed)

    def _refuse_when_exhausted(self) -> None:
        self._turn_over()
        limits = self._limits()
        if self._active >= limits.concurrent_requests:
            raise quota_exhausted("Exhausted concurrent requests quota.")
        if self._hour_errors >= limits.server_errors_per_project_per_hour:
            raise quota_exhausted("Exhausted server errors quota for a project per hour.")
        if self._day_tokens >= limits.tokens_per_day:
            raise quota_exhausted(
                "Exhausted property tokens per day. These quota tokens will return in under "
                "24 hours."
            )
        for limit, name in (
            (limits.tokens_per_project_per_hour, "for a project per hour"),
            (limits.tokens_per_hour, "per hour"),
        ):
            if self._hour_tokens >= limit:
                raise quota_exhausted(
                    f"Exhausted property tokens {name}. These quota tokens will return in under "
                    "an hour."
                )

    def _turn_over(self) -> None:
        """Starts a new day or hour when the clock has moved into one."""
        now = self._now().astimezone(_PACIFIC)
        day, hour = f"{now:%Y%m%d}", f"{now:%Y%m%d%H%z}"
        if day != self._day:
            self._day, self._day_tokens = day, 0
        if hour != self._hour:
            self._hour = hour
            self._hour_tokens = self._hour_errors = self._hour_thresholded = 0

    def _state(self, tokens: int) -> dict[str, dict[str, int]]:
        limits = self._limits()

        def status(consumed: int, limit: int, used: int) -> dict[str, int]:
            return {"consumed": consumed, "remaining": max(0, limit - used)}

        return {
            "tokens_per_day": status(tokens, limits.tokens_per_day, self._day_tokens),
            "tokens_per_hour": status(tokens, limits.tokens_per_hour, self._hour_tokens),
            "tokens_per_project_per_hour": status(
                tokens, limits.tokens_per_project_per_hour, self._hour_tokens
            ),
            # The request that asks is over once it is read: a lone caller sees 0 and 10.
            "concurrent_requests": status(0, limits.concurrent_requests, max(0, self._active - 1)),
            "server_errors_per_project_per_hour": status(
                0, limits.server_errors_per_project_per_hour, self._hour_errors
            ),
            # No dimension of ours (age, gender, interests, audiences) is thresholded by itself:
            # requests under a `threshold` fault count.
            "potentially_thresholded_requests_per_hour": status(
                0, limits.potentially_thresholded_requests_per_hour, self._hour_thresholded
            ),
        }
