"""Shopify's Admin GraphQL API on loopback, over the truth of a simulated shop.

`serve_shopify` is the whole public interface. Nothing here knows our client.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from graphql import graphql_sync

from pipelines.emulator.server.errors import EmulatorError
from pipelines.emulator.shopify.budgets import Purse
from pipelines.emulator.shopify.faults import Do, FaultBook
from pipelines.emulator.shopify.graphql_schema import make_schema, root_value
from pipelines.emulator.shopify.shop_counts import read_counts
from pipelines.emulator.shopify.shopifyql import ParseError, Table, answer

__all__ = ["ShopifyEmulator", "serve_shopify"]

SHOP = "demo-shop.myshopify.com"
TOKEN = "shpat_0123456789abcdef0123456789abcdef"  # pragma: allowlist secret
OLDEST_VERSION = "2025-10"
_HOST = "127.0.0.1"
_PATH = re.compile(r"/admin/api/(20\d\d-(?:01|04|07|10))/graphql\.json")
_THROTTLED = [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]
_NO_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"


class ShopifyEmulator:
    """A running server; a context manager that stops it. `requests`: queries in their order."""

    def __init__(self, folder: Path, port: int, now: Callable[[], datetime]) -> None:
        self._counts = read_counts(folder)
        self._faults = FaultBook()
        self._purse = Purse(lambda: self._faults.plan.budgets, now)
        self._schema = make_schema()
        self._draw = random.Random(7)
        self.shop, self.token = SHOP, TOKEN
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

    def set_faults(self, content: Any) -> None:
        """Puts these faults in the place of all others (docs/emulator.md)."""
        self._faults.set(content)

    def stop(self) -> None:
        """Ends the server; may be called again."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def respond(
        self, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes] | None:
        """Status, headers and body of an answer; None ends the connection without one."""
        version = _PATH.fullmatch(path)
        if version is None or version[1] < OLDEST_VERSION:
            return 404, {}, b'{"errors":"Not Found"}'
        if headers.get("X-Shopify-Access-Token") != self.token:
            return 401, {}, json.dumps({"errors": _NO_TOKEN}).encode()
        asked = json.loads(body)
        query, variables = asked["query"], asked.get("variables") or {}
        about, text = _about(query, variables)
        self.requests.append({"query": query, "variables": variables, "about": about})
        dos = self._faults.met(about, text)
        time.sleep(sum(do.delay_ms for do in dos) / 1000)
        if any(do.disconnect for do in dos):
            return None
        for do in dos:
            if do.status is not None or do.body is not None:
                more = {} if do.retry_after is None else {"Retry-After": do.retry_after}
                return do.status or 200, more, (do.body or "").encode()
        is_paid, extensions = self._purse.pay(about)
        content: dict[str, Any]
        errors = next((do.errors for do in dos if do.errors is not None), None)
        if not is_paid or errors is not None:
            content = {"errors": errors if errors is not None else _THROTTLED}
        else:
            content = self._executed(query, variables, dos)
        return 200, {}, json.dumps({**content, "extensions": extensions}).encode()

    def _executed(
        self, query: str, variables: dict[str, Any], dos: tuple[Do, ...]
    ) -> dict[str, Any]:
        root = root_value(self.shop, self._counts, lambda text: self._shopifyql(text, dos))
        result = graphql_sync(self._schema, query, root, variable_values=variables)
        return dict(result.formatted)

    def _shopifyql(self, text: str, dos: tuple[Do, ...]) -> dict[str, Any]:
        tables = {"sessions": self._counts.sessions, "sales": self._counts.sales}
        told = [words for do in dos for words in do.parse_errors]
        try:
            if told:
                raise ParseError(told[0])
            table = answer(text, tables, self._draw)
        except ParseError as error:
            return {"tableData": None, "parseErrors": [str(error)]}
        if any(do.no_table for do in dos):
            return {"tableData": None, "parseErrors": []}
        for do in dos:
            table = _damaged(table, do)
        rows: list[Any] = list(table.rows)
        if any(do.rows_as_lists for do in dos):
            rows = [list(row.values()) for row in rows]
        return {"tableData": {"columns": table.columns, "rows": rows}, "parseErrors": []}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def serve_shopify(
    folder: Path, *, port: int = 0, now: Callable[[], datetime] | None = None
) -> ShopifyEmulator:
    """Serves the simulated shop in `folder` on 127.0.0.1; `port` 0 takes a free one.

    `now` is the clock of its budgets. Raises EmulatorError when the folder holds no simulation, or
    the port is in use.
    """
    return ShopifyEmulator(folder, port, now or (lambda: datetime.now(UTC)))


def _about(query: str, variables: Mapping[str, Any]) -> tuple[str, str]:
    """What a request is about, and its text as faults are matched by."""
    if "shopifyqlQuery" in query:
        text = str(next(iter(variables.values()), query))
        return ("sales" if "FROM sales" in text else "sessions"), text
    return ("checkouts" if "abandonedCheckouts" in query else "shop"), query


def _damaged(table: Table, do: Do) -> Table:
    rows = table.rows[: len(table.rows) - do.lose_rows] if do.lose_rows else list(table.rows)
    rows = [*rows, *rows[: do.repeat_rows]]
    if do.set_values:
        rows = [{**row, **_own(do.set_values, row)} for row in rows[:1]] + rows[1:]
    if do.shift_days:
        rows = [_shifted(row, do.shift_days) for row in rows]
    kept = [one for one in table.columns if one["name"] not in do.hide_columns]
    names = [one["name"] for one in kept]
    return Table(kept, [{name: row[name] for name in names} for row in rows])


def _own(values: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in row}


def _shifted(row: dict[str, Any], days: int) -> dict[str, Any]:
    if "day" not in row:
        return row
    day = datetime.fromisoformat(row["day"]).date() + timedelta(days=days)
    return {**row, "day": day.isoformat()}


class _Handler(BaseHTTPRequestHandler):
    server_emulator: ShopifyEmulator

    def do_POST(self) -> None:
        """A query."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = self.server_emulator.respond(self.path, dict(self.headers), body)
        if found is None:
            self.close_connection = True
            return
        status, headers, content = found
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Nothing is printed."""
