"""How a server makes its numbers: SQL that counts, estimates, rounds and scales.

`Making()` is exact. A realistic one makes numbers as GA4 does: events, units and orders are
counted; sessions and users are estimates, each row and each total on its own; seconds and money
are rounded by the row. What a metric is made of is in `fields`.

An estimate is off by its relative error times a normal deviate, drawn from the smallest hash of
what is counted (MinHash). So the same sessions give the same number in every request; sets that
overlap err alike, as far as they overlap, as those of a HyperLogLog sketch do: a day that grows
by one session does not jump, and parts do not add up to the whole. Small counts come from the
sketch's sparse form, which is as good as exact.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

# One engaged row in so many says one session too many: seen in answers of small counts, where
# engagedSessions was one above sessions.
_ENGAGED_OFF_ONE_IN = 50


@dataclass(frozen=True)
class Making:
    """Relative errors (standard deviations) of sessions and users; counts up to `exact_up_to` have
    none. `is_rounded`: seconds to whole ones, money to cents. `factor`: what sampled counts are
    multiplied by. `salt` makes errors differ between properties.
    """

    sessions_error: float = 0.0
    users_error: float = 0.0
    exact_up_to: int = 0
    is_rounded: bool = False
    factor: float = 1.0
    salt: int = 0

    def sessions(self) -> str:
        """Sessions."""
        return self._scaled(self._estimate("session_id", "", self.sessions_error))

    def engaged_sessions(self) -> str:
        """A session counts as engaged in a group that has one of its engaged rows."""
        condition = "FILTER (is_engaged)"
        estimate = self._estimate("session_id", condition, self.sessions_error)
        if self.sessions_error:
            draw = self._draw("session_id", condition)
            is_off = f"coalesce({draw} % {_ENGAGED_OFF_ONE_IN} = 0, false)"
            estimate = f"({estimate} + CAST({is_off} AS INTEGER))"
        return self._scaled(estimate)

    def users(self, condition: str = "") -> str:
        """Users with a row that meets the condition."""
        only = f"FILTER ({condition})" if condition else ""
        return self._scaled(self._estimate("user_id", only, self.users_error))

    def rows(self, condition: str = "") -> str:
        """Rows that meet the condition: counted."""
        return self._scaled(f"count(*) FILTER ({condition})" if condition else "count(*)")

    def units(self, condition: str) -> str:
        """Units of items: counted. A sum of integers is a 128-bit number, and Arrow has none."""
        summed = f"CAST(coalesce(sum(item_units) FILTER ({condition}), 0) AS BIGINT)"
        return self._scaled(summed)

    def seconds(self) -> str:
        """Seconds of engagement."""
        return self._rounded(self._scaled("coalesce(sum(engagement_msec), 0) / 1000"), 0)

    def money(self, column: str) -> str:
        """Revenue of orders. Summed in millionths: exact in whatever order the rows come."""
        summed = f"coalesce(sum({column}) FILTER (is_first_purchase), 0) / 1e6"
        return self._rounded(self._scaled(summed), 2)

    def users_of(self, count: int, row: str) -> float:
        """Users of one row that was counted elsewhere; `row` tells it from all others."""
        if self.users_error and count > self.exact_up_to:
            deviate = random.Random(f"{self.salt} {row}").gauss(0, self.users_error)
            count = max(0, round(count * (1 + deviate)))
        return count * self.factor if self.factor != 1 else count

    def _estimate(self, unit: str, condition: str, error: float) -> str:
        count = f"count(DISTINCT {unit}) {condition}"
        if not error:
            return count
        draw = self._draw(unit, condition)
        # Box and Muller: two halves of the hash, one normal deviate.
        first, second = f"(({draw} >> 32) + 0.5e0)", f"(({draw} & 4294967295) + 0.5e0)"
        deviate = (
            f"sqrt(-2 * ln({first} / 4294967296)) * cos({2 * math.pi} * {second} / 4294967296)"
        )
        noisy = f"CAST(greatest(0, round({count} * (1 + {error} * {deviate}))) AS BIGINT)"
        return f"CASE WHEN {count} <= {self.exact_up_to} THEN {count} ELSE {noisy} END"

    def _draw(self, unit: str, condition: str) -> str:
        """A random number that belongs to the set of units; NULL for none."""
        return f"hash(min(hash({unit}, {self.salt})) {condition})"

    def _scaled(self, sql: str) -> str:
        return sql if self.factor == 1 else f"({sql}) * {self.factor!r}::DOUBLE"

    def _rounded(self, sql: str, digits: int) -> str:
        return f"round({sql}, {digits})" if self.is_rounded else sql


EXACT = Making()
