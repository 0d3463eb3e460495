"""Faults of the Shopify emulator: which requests they hit and what becomes of those.

Grammar and examples: docs/emulator.md.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from pipelines.emulator.http_emulator import HttpDo
from pipelines.emulator.server.faults.matching import Calls, Part, Texts, validated


class When(Part):
    """Requests about `sessions`, `sales`, `checkouts` or `shop`; `text`: a piece of their query."""

    about: Texts | None = None
    text: str = ""
    calls: Calls = Calls()


class Do(HttpDo):
    """What becomes of a request; several at once are fine."""

    errors: Any = None
    parse_errors: Sequence[str] = ()
    no_table: bool = False
    rows_as_lists: bool = False
    lose_rows: int = 0
    repeat_rows: int = 0
    hide_columns: Texts = ()
    set_values: dict[str, Any] = Field(default_factory=dict)
    shift_days: int = 0


class Rule(Part):
    """One fault."""

    when: When = When()
    do: Do


class Budgets(Part):
    """Both cost budgets: a leaky bucket of points, and ShopifyQL's own by the window."""

    points: float = 2000
    restore_rate: float = 100
    shopifyql: float = 1000
    window_seconds: float = 60


class ShopifyFaults(Part):
    """All of them."""

    rules: tuple[Rule, ...] = ()
    budgets: Budgets = Budgets()


class FaultBook:
    """The faults in force, and how often each rule was met; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.set([])

    def set(self, content: Any) -> None:
        """Puts these in the place of all others: a list of rules, or a mapping with budgets."""
        plan = validated(ShopifyFaults, content, "The faults given")
        with self._lock:
            self.plan, self._calls = plan, Counter[int]()

    def met(self, about: str, text: str) -> tuple[Do, ...]:
        """What happens to this request; counts it for every rule it meets."""
        with self._lock:
            found = []
            for index, rule in enumerate(self.plan.rules):
                when = rule.when
                if (when.about is not None and about not in when.about) or when.text not in text:
                    continue
                self._calls[index] += 1
                if when.calls.include(self._calls[index]):
                    found.append(rule.do)
            return tuple(found)
