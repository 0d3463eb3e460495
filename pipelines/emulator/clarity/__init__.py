"""Microsoft Clarity's Data Export API on loopback, over the truth of a simulated shop.

`serve_clarity` is the whole public interface. Nothing here knows our client. Like the real one it
gives counts as text, whole addresses with their queries, ten answers a day, and an empty answer
for a dimension that there is not.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, TypeAdapter, ValidationError

from pipelines.emulator.clarity.page_friction import read_friction
from pipelines.emulator.server.errors import EmulatorError
from pipelines.emulator.server.faults.matching import Calls, Part

__all__ = ["ClarityEmulator", "serve_clarity"]

TOKEN = "eyJhbGciOiJSUzI1NiJ9.ZGVtby1jbGFyaXR5LXRva2Vu.c2lnbmF0dXJl"
CALLS_A_DAY = 10
_HOST = "127.0.0.1"
_PATH = "/export-data/api/v1/project-live-insights"
_DIMENSIONS = frozenset(
    ("Browser", "Device", "Country/Region", "OS", "Source", "Medium", "Campaign", "Channel", "URL")
)


class Do(Part):
    """What becomes of a call; several at once are fine."""

    status: int | None = None
    body: str | None = None
    disconnect: bool = False
    delay_ms: int = 0
    lower_keys: bool = False
    spaced_names: bool = False
    drop_metrics: tuple[str, ...] = ()
    set_values: dict[str, Any] = Field(default_factory=dict)
    no_rows: bool = False


class Rule(Part):
    """One fault and the calls, by their number, that it happens to."""

    calls: Calls = Calls()
    do: Do


class ClarityEmulator:
    """A running server; a context manager that stops it. `requests`: the calls in their order."""

    def __init__(self, folder: Path, port: int, now: Callable[[], datetime]) -> None:
        self._friction = read_friction(folder)
        self._now, self._lock = now, threading.Lock()
        self._rules: tuple[Rule, ...] = ()
        self._calls, self._days = 0, Counter[str]()
        self.token = TOKEN
        self.requests: list[dict[str, Any]] = []
        emulator = self

        class Handler(_Handler):
            server_emulator = emulator

        try:
            self._server = ThreadingHTTPServer((_HOST, port), Handler)
        except OSError as error:
            raise EmulatorError(
                f"Port {port} on {_HOST} is in use: stop what listens there, or choose another "
                "port."
            ) from error
        self.endpoint = f"{_HOST}:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def set_faults(self, rules: Any) -> None:
        """Puts these faults in the place of all others, and counts calls from 1 again."""
        try:
            found = TypeAdapter(tuple[Rule, ...]).validate_python(rules)
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise EmulatorError(f"The faults given cannot be used: correct {where}.") from error
        with self._lock:
            self._rules, self._calls = found, 0

    def stop(self) -> None:
        """Ends the server; may be called again."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def respond(self, target: str, headers: Mapping[str, str]) -> tuple[int, bytes] | None:
        """Status and body of an answer; None ends the connection without one."""
        parts = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self._lock:
            self._calls += 1
            day = f"{self._now().astimezone(UTC):%Y-%m-%d}"
            self._days[day] += 1
            is_over = self._days[day] > CALLS_A_DAY
            dos = [one.do for one in self._rules if one.calls.include(self._calls)]
            self.requests.append(asked)
        time.sleep(sum(do.delay_ms for do in dos) / 1000)
        if any(do.disconnect for do in dos):
            return None
        for do in dos:
            if do.status is not None or do.body is not None:
                return do.status or 200, (do.body or "").encode()
        if parts.path != _PATH:
            return 404, b""
        if headers.get("Authorization") != f"Bearer {self.token}":
            return 401, b""
        if is_over:
            return 429, b""
        dimensions = [asked[name] for n in (1, 2, 3) if (name := f"dimension{n}") in asked]
        if asked.get("numOfDays") not in {"1", "2", "3"} or not _DIMENSIONS.issuperset(dimensions):
            return 200, b""
        content = self._friction.answer(self._now(), int(asked["numOfDays"]), dimensions)
        for do in dos:
            content = _damaged(content, do)
        return 200, json.dumps(content).encode()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


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


class _Handler(BaseHTTPRequestHandler):
    server_emulator: ClarityEmulator

    def do_GET(self) -> None:
        """A call."""
        found = self.server_emulator.respond(self.path, dict(self.headers))
        if found is None:
            self.close_connection = True
            return
        status, content = found
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Nothing is printed."""
