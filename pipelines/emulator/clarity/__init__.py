"""Microsoft Clarity's Data Export API on loopback, over the truth of a simulated shop.

`serve_clarity` is the whole public interface. Nothing here knows our client. Like the real one it
gives counts as text, whole addresses with their queries, ten answers a day, and an empty answer
for a dimension that there is not.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import Field

from pipelines.emulator.clarity.page_friction import read_friction
from pipelines.emulator.http_emulator import Answer, HttpDo, HttpEmulator, cut_short
from pipelines.emulator.server.faults.matching import Calls, Part, validated

__all__ = ["ClarityEmulator", "serve_clarity"]

TOKEN = "eyJhbGciOiJSUzI1NiJ9.ZGVtby1jbGFyaXR5LXRva2Vu.c2lnbmF0dXJl"
CALLS_A_DAY = 10
_PATH = "/export-data/api/v1/project-live-insights"
_DIMENSIONS = frozenset(
    ("Browser", "Device", "Country/Region", "OS", "Source", "Medium", "Campaign", "Channel", "URL")
)


class Do(HttpDo):
    """What becomes of a call; several at once are fine."""

    lower_keys: bool = False
    spaced_names: bool = False
    drop_metrics: tuple[str, ...] = ()
    set_values: dict[str, Any] = Field(default_factory=dict)
    no_rows: bool = False


class Rule(Part):
    """One fault and the calls, by their number, that it happens to."""

    calls: Calls = Calls()
    do: Do


class ClarityFaults(Part):
    """All of them."""

    rules: tuple[Rule, ...] = ()


class ClarityEmulator(HttpEmulator):
    """A running server; a context manager that stops it. `requests`: the calls in their order."""

    method = "GET"

    def __init__(self, folder: Path, port: int, now: Callable[[], datetime]) -> None:
        self._friction = read_friction(folder)
        self._now, self._lock = now, threading.Lock()
        self._rules: tuple[Rule, ...] = ()
        self._calls, self._days = 0, Counter[str]()
        self.token = TOKEN
        self.requests: list[dict[str, Any]] = []
        super().__init__(port)

    def set_faults(self, rules: Any) -> None:
        """Puts these faults in the place of all others, and counts calls from 1 again."""
        found = validated(ClarityFaults, rules, "The faults given")
        with self._lock:
            self._rules, self._calls = found.rules, 0

    def respond(self, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """As `HttpEmulator`."""
        parts = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self._lock:
            self._calls += 1
            day = f"{self._now().astimezone(UTC):%Y-%m-%d}"
            self._days[day] += 1
            is_over = self._days[day] > CALLS_A_DAY
            dos = [one.do for one in self._rules if one.calls.include(self._calls)]
            self.requests.append(asked)
        if (instead := cut_short(dos)) is not None:
            return instead
        if parts.path != _PATH:
            return Answer(404)
        if headers.get("Authorization") != f"Bearer {self.token}":
            return Answer(401)
        if is_over:
            return Answer(429)
        dimensions = [asked[name] for n in (1, 2, 3) if (name := f"dimension{n}") in asked]
        if asked.get("numOfDays") not in {"1", "2", "3"} or not _DIMENSIONS.issuperset(dimensions):
            return Answer(200)
        content = self._friction.answer(self._now(), int(asked["numOfDays"]), dimensions)
        for do in dos:
            content = _damaged(content, do)
        return Answer(200, json.dumps(content).encode())


def serve_clarity(
    folder: Path, *, port: int = 0, now: Callable[[], datetime] | None = None
) -> ClarityEmulator:
    """Serves the simulated shop in `folder` on 127.0.0.1; `port` 0 takes a free one.

    `now` is the end of the hours that it tells of, and the clock of its ten calls a day. Raises
    EmulatorError when the folder holds no simulation, or the port is in use.
    """
    return ClarityEmulator(folder, port, now or (lambda: datetime.now(UTC)))


def _damaged(content: list[dict[str, Any]], do: Do) -> list[dict[str, Any]]:
    found = []
    for metric in content:
        if metric["metricName"] in do.drop_metrics:
            continue
        name, rows = metric["metricName"], metric["information"]
        if do.spaced_names:
            name = "".join(f" {one}" if one.isupper() else one for one in name).strip()
        rows = [] if do.no_rows else rows
        rows = [{**row, **{k: v for k, v in do.set_values.items() if k in row}} for row in rows]
        if do.lower_keys:
            rows = [{key.lower(): value for key, value in row.items()} for row in rows]
        found.append({"metricName": name, "information": rows})
    return found
