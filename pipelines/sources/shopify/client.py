"""The Admin GraphQL API of one shop: ShopifyQL and plain queries, within both cost budgets.

A failure comes in one of three ways, all with HTTP 200: `errors` beside the data (a list, or one
text), `parseErrors`, or no table at all. None of them is ever read as zero rows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.config.second_sources import Shopify
from pipelines.ga4.rate_limit import Clock
from pipelines.sources.contract import SourceError
from pipelines.sources.http import Answer, HttpServer
from pipelines.sources.shopify.answer_columns import parts
from pipelines.sources.token import read_token
from pipelines.wording import redacted, shortened

SHOPIFYQL = (
    "query($q:String!){shopifyqlQuery(query:$q){"
    "tableData{columns{name dataType displayName} rows} parseErrors}}"
)
# Waits for a budget: how often for one request, and the longest one.
MOST_WAITS = 8
LONGEST_WAIT = timedelta(minutes=10)
# Where the server says nothing of when to come back.
DEFAULT_WAIT = timedelta(seconds=2)
SECONDS_A_DAY = 86_400.0
# JSON has larger numbers, also some that are none.
LARGEST_COST = 1e15
_OK, _TOO_MANY = 200, 429
_STATUSES = {
    **dict.fromkeys((301, 302, 303, 307, 308), "has another address: correct 'shop' in sluice.yml"),
    401: "does not accept the token: make a new one (docs/shopify.md)",
    402: "is frozen, as its bill is open: pay it in Shopify's admin",
    403: "refuses the token: give the app the scope read_reports (docs/shopify.md)",
    404: "is not known, or has no such API version: correct shop and api_version in sluice.yml",
    423: "is locked by Shopify: ask its support",
}


@dataclass(frozen=True)
class Answered:
    """A table of ShopifyQL: rows as values in the order of `columns`, as they came."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def column(self, name: str) -> list[Any]:
        """The values of a column."""
        place = self.columns.index(name)
        return [row[place] for row in self.rows]


class ShopifyClient:
    """Talks to one shop. Methods raise SourceError, which names the shop and what to do."""

    def __init__(self, entry: Shopify, clock: Clock | None = None) -> None:
        """Reads the token, and opens no connection yet; raises SourceError without one."""
        token = read_token(entry, f"Shopify's {entry.shop}")
        self.shop = entry.shop
        self._path = f"/admin/api/{entry.api_version}/graphql.json"
        self._token = token.get_secret_value()
        self._server = HttpServer(
            f"Shopify's {entry.shop}",
            entry.endpoint or entry.shop,
            {"X-Shopify-Access-Token": self._token},
            clock,
        )
        self._wait_until: datetime | None = None

    @property
    def requests(self) -> int:
        """How many were sent so far."""
        return self._server.requests

    def shopifyql(self, text: str, wanted: Sequence[str], what: str) -> Answered:
        """The table of a ShopifyQL query, which has the `wanted` columns."""
        found = self.graphql(SHOPIFYQL, {"q": text}, what).get("shopifyqlQuery")
        if not isinstance(found, dict):
            raise self._error(f"answers {what} without a table")
        if problems := found.get("parseErrors"):
            words = "; ".join(map(str, problems)) if isinstance(problems, list) else str(problems)
            raise self._error(f"cannot answer {what} ({self._clean(words)})")
        table = found.get("tableData")
        columns = table.get("columns") if isinstance(table, dict) else None
        if not isinstance(table, dict) or not isinstance(columns, list) or not columns:
            raise self._error(f"answers {what} without a table")
        return self._table(columns, table.get("rows"), wanted, what)

    def graphql(self, query: str, variables: Mapping[str, Any], what: str) -> dict[str, Any]:
        """The `data` of an answer without errors."""
        for _ in range(MOST_WAITS):
            self._keep_budget()
            answer = self._server.send(
                "POST", self._path, json={"query": query, "variables": dict(variables)}
            )
            if answer.status == _TOO_MANY:
                self._wait_until = self._in(_retry_after(answer))
                continue
            content = self._content(answer, what)
            throttled = self._refuse_errors(content.get("errors"), what)
            self._read_budgets(content.get("extensions"), is_throttled=throttled)
            if throttled:
                continue
            data = content.get("data")
            if not isinstance(data, dict):
                raise self._error(f"answers {what} without data")
            return data
        raise self._error(f"asks for patience again and again while {what} is read")

    def _table(self, columns: Any, rows: Any, wanted: Sequence[str], what: str) -> Answered:
        names = tuple(str(one.get("name")) for one in columns if isinstance(one, dict))
        if missing := [name for name in wanted if name not in names]:
            raise self._error(f"answers {what} without the column {missing[0]}")
        if not isinstance(rows, list):
            raise self._error(f"answers {what} without rows")
        found = []
        for row in rows:
            if isinstance(row, dict) and all(name in row for name in wanted):
                found.append(tuple(row.get(name) for name in names))
            elif isinstance(row, list) and len(row) == len(names):
                found.append(tuple(row))
            else:
                raise self._error(f"answers {what} with a row that lacks columns")
        return Answered(names, tuple(found))

    def _content(self, answer: Answer, what: str) -> dict[str, Any]:
        if said := _STATUSES.get(answer.status):
            raise SourceError(f"Shopify's {self.shop} {said}.", is_general=True)
        try:
            content = json.loads(answer.body)
        except (ValueError, RecursionError):
            content = None
        if answer.status != _OK or not isinstance(content, dict):
            raise self._error(f"answers {what} with {answer.status}, and nothing that can be read")
        return content

    def _refuse_errors(self, errors: Any, what: str) -> bool:
        """Whether the answer only asks to wait; raises for all other errors."""
        if not errors:
            return False
        if not isinstance(errors, list):
            raise SourceError(
                f"Shopify's {self.shop} refuses {what} ({self._clean(str(errors))}): check its "
                "token (docs/shopify.md).",
                is_general=True,
            )
        told = [one if isinstance(one, dict) else {"message": one} for one in errors]
        codes = {str(parts(one.get("extensions")).get("code", "")) for one in told}
        words = self._clean("; ".join(str(one.get("message", "")) for one in told))
        if codes == {"THROTTLED"}:
            return True
        if "ACCESS_DENIED" in codes:
            raise self._error(f"refuses {what} ({words}): give its app that access")
        raise self._error(f"cannot answer {what} ({words})")

    def _read_budgets(self, extensions: Any, *, is_throttled: bool) -> None:
        """From what an answer tells of both budgets: until when to wait before the next request."""
        told = parts(extensions)
        moments = [moment for moment in (self._points(told), self._window(told)) if moment]
        if is_throttled and not moments:
            moments = [self._now() + DEFAULT_WAIT]
        self._wait_until = max(moments, default=None)

    def _points(self, told: dict[str, Any]) -> datetime | None:
        """When the points of a request like the last one are there again (a leaky bucket)."""
        cost = parts(told.get("cost"))
        status = parts(cost.get("throttleStatus"))
        needed, there = (
            _number(cost.get("requestedQueryCost")),
            _number(status.get("currentlyAvailable")),
        )
        rate = _number(status.get("restoreRate"))
        if needed is None or there is None or not rate or there >= needed:
            return None
        return self._in((needed - there) / rate)

    def _window(self, told: dict[str, Any]) -> datetime | None:
        """When ShopifyQL's own budget begins anew."""
        cost = parts(told.get("shopifyqlCost"))
        needed = _number(cost.get("requestedQueryCost"))
        there = _number(cost.get("currentlyAvailable"))
        if needed is None or there is None or there >= needed:
            return None
        try:
            reset = datetime.fromisoformat(str(cost.get("windowResetAt")))
        except ValueError:
            return self._now() + DEFAULT_WAIT
        return reset if reset.tzinfo else reset.replace(tzinfo=UTC)

    def _keep_budget(self) -> None:
        """Wait until the budgets allow another request."""
        until, self._wait_until = self._wait_until, None
        if until is None or until <= self._now():
            return
        if until - self._now() > LONGEST_WAIT:
            raise SourceError(
                f"Shopify's {self.shop} has no budget left before {until:%H:%M} UTC: what was "
                "fetched before stays, and the next night makes up for it.",
                is_general=True,
            )
        self._server.clock.sleep_until(until)

    def _now(self) -> datetime:
        return self._server.clock.now()

    def _in(self, seconds: float) -> datetime:
        """So many seconds from now, no more than a day; which is waited for as little as more."""
        return self._now() + timedelta(seconds=min(max(seconds, 0.0), SECONDS_A_DAY))

    def _clean(self, words: str) -> str:
        return shortened(redacted(words.replace(self._token, "[redacted]")))

    def _error(self, what: str) -> SourceError:
        return SourceError(f"Shopify's {self.shop} {what}: what was fetched before stays.")


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < LARGEST_COST else None


def _retry_after(answer: Answer) -> float:
    """In seconds."""
    try:
        seconds = float(answer.headers.get("Retry-After", ""))
    except ValueError:
        seconds = math.nan
    return seconds if math.isfinite(seconds) else DEFAULT_WAIT.total_seconds()
