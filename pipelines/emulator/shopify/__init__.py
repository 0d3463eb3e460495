"""Shopify's Admin GraphQL API on loopback, over the truth of a simulated shop.

`serve_shopify` is the whole public interface. Nothing here knows our client.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from graphql import graphql_sync

from pipelines.emulator.http_emulator import Answer, HttpEmulator, cut_short
from pipelines.emulator.shopify.budgets import Purse
from pipelines.emulator.shopify.faults import Do, FaultBook
from pipelines.emulator.shopify.graphql_schema import make_schema, root_value
from pipelines.emulator.shopify.shop_counts import read_counts
from pipelines.emulator.shopify.shopifyql import ParseError, Table, answer

__all__ = ["ShopifyEmulator", "serve_shopify"]

SHOP = "demo-shop.myshopify.com"
TOKEN = "shpat_0123456789abcdef0123456789abcdef"  # pragma: allowlist secret
OLDEST_VERSION = "2025-10"
_PATH = re.compile(r"/admin/api/(20\d\d-(?:01|04|07|10))/graphql\.json")
_THROTTLED = [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]
_NO_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"


class ShopifyEmulator(HttpEmulator):
    """A running server; a context manager that stops it. `requests`: queries in their order."""

    method = "POST"

    def __init__(self, folder: Path, port: int, now: Callable[[], datetime]) -> None:
        self._counts = read_counts(folder)
        self._faults = FaultBook()
        self._purse = Purse(lambda: self._faults.plan.budgets, now)
        self._schema = make_schema()
        self._draw = random.Random(7)
        self.shop, self.token = SHOP, TOKEN
        self.requests: list[dict[str, Any]] = []
        super().__init__(port)

    def set_faults(self, content: Any) -> None:
        """Puts these faults in the place of all others (docs/emulator.md)."""
        self._faults.set(content)

    def respond(self, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """As `HttpEmulator`."""
        version = _PATH.fullmatch(target)
        if version is None or version[1] < OLDEST_VERSION:
            return _json(404, {"errors": "Not Found"})
        if headers.get("X-Shopify-Access-Token") != self.token:
            return _json(401, {"errors": _NO_TOKEN})
        asked = json.loads(body)
        query, variables = asked["query"], asked.get("variables") or {}
        about, text = _about(query, variables)
        self.requests.append({"query": query, "variables": variables, "about": about})
        dos = self._faults.met(about, text)
        if (instead := cut_short(dos)) is not None:
            return instead
        is_paid, extensions = self._purse.pay(about)
        content: dict[str, Any]
        errors = next((do.errors for do in dos if do.errors is not None), None)
        if not is_paid or errors is not None:
            content = {"errors": errors if errors is not None else _THROTTLED}
        else:
            content = self._executed(query, variables, dos)
        return _json(200, {**content, "extensions": extensions})

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


def serve_shopify(
    folder: Path, *, port: int = 0, now: Callable[[], datetime] | None = None
) -> ShopifyEmulator:
    """Serves the simulated shop in `folder` on 127.0.0.1; `port` 0 takes a free one.

    `now` is the clock of its budgets. Raises EmulatorError when the folder holds no simulation, or
    the port is in use.
    """
    return ShopifyEmulator(folder, port, now or (lambda: datetime.now(UTC)))


def _json(status: int, content: Mapping[str, Any]) -> Answer:
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json"})


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
