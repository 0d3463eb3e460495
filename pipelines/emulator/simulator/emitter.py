"""Collects event rows block by block; every block is one event name on some pages."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipelines.emulator.simulator.columns import Bools, Floats, Ints
from pipelines.emulator.simulator.events import CODES, DETAIL_VALUES, DETAILS, Events
from pipelines.emulator.simulator.pages import Pages
from pipelines.emulator.simulator.plan import Plan
from pipelines.emulator.simulator.visitors import Sessions


@dataclass(frozen=True)
class Emitter:
    """What a day's events are made from, and the blocks emitted so far."""

    rng: np.random.Generator
    sessions: Sessions
    plan: Plan
    pages: Pages
    _blocks: list[Events] = field(default_factory=list)

    def add(
        self,
        name: str,
        rows: Ints,
        begin: float,
        end: float,
        *,
        percent: int = 0,
        exposure: Ints | int = -1,
        line_start: Ints | int = 0,
        line_count: Ints | int = 0,
        order: Ints | int = -1,
    ) -> None:
        """One event `name` on each page row, between the shares `begin` and `end` of its dwell."""
        count = len(rows)
        share = begin + (end - begin) * self.rng.random(count)
        offset = (share * self.pages.dwell_us[rows]).astype(np.int64)
        self._blocks.append(
            Events(
                session=self.pages.session[rows],
                code=np.full(count, CODES[name]),
                time_us=self.pages.start_us[rows] + offset,
                page=self.pages.page[rows],
                percent=np.full(count, percent),
                detail=self._draw_details(name, count),
                exposure=np.broadcast_to(np.asarray(exposure, dtype=np.int64), count),
                line_start=np.broadcast_to(np.asarray(line_start, dtype=np.int64), count),
                line_count=np.broadcast_to(np.asarray(line_count, dtype=np.int64), count),
                order=np.broadcast_to(np.asarray(order, dtype=np.int64), count),
                is_repeat=np.zeros(count, dtype=np.bool_),
                is_engaged=np.zeros(count, dtype=np.bool_),
                engagement_ms=np.full(count, -1),
                is_sessionless=np.zeros(count, dtype=np.bool_),
            )
        )

    def some(self, rows: Ints, chance: Floats | float) -> Ints:
        """The rows on which something of that chance happens."""
        happens: Bools = self.rng.random(len(rows)) < chance
        return rows[happens]

    def _draw_details(self, name: str, count: int) -> Ints:
        if name not in DETAILS:
            return np.full(count, -1)
        _, values, weights = DETAILS[name]
        codes = np.array([DETAIL_VALUES.index(value) for value in values])
        return self.rng.choice(codes, size=count, p=weights)

    def table(self) -> Events:
        """All rows so far, block after block."""
        return Events(
            *(
                np.concatenate([getattr(block, column) for block in self._blocks])
                for column in Events.__dataclass_fields__
            )
        )
