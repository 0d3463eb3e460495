"""One property's days as cubes: what the scan and the histories of its steps read.

What belongs here: from the long frames of the dbt model to arrays. No statistics.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from pipelines.analysis.findings.cubes import Cube, Scope, StepCounts
from pipelines.analysis.stats.arrays import Floats

DAYS = 90
# Cubes of several dimensions at once, as int_cells__counted names them.
JOINT = {
    "device_channel_visitor": ("device", "channel", "visitor"),
    "device_country": ("device", "country"),
}
SHOP = "all"


@dataclass(frozen=True)
class StepDays:
    """A step of a property: in the cubes that are `scanned`, the last of which is the whole shop,
    and in every segment by itself.
    """

    scanned: list[StepCounts]
    single: dict[str, StepCounts]

    def telling(self, scope: Scope) -> StepCounts | None:
        """The first of the scanned cubes that can tell a scope from the rest, if any."""
        return next((step for step in self.scanned if step.cube.has(scope)), None)

    def by_day(self, scope: Scope) -> tuple[Floats, Floats]:
        """Successes and trials of a scope that some cube tells, (days,) each: of its segment's own
        report where it is one value, which has the longest history.
        """
        own = self.single.get(scope[0][0] if scope else SHOP) if len(scope) <= 1 else None
        step = own or self.telling(scope)
        assert step is not None
        return step.by_day(scope)


@dataclass(frozen=True)
class PropertyDays:
    """Sessions of a property by day, up to `DAYS` of them; `window` are the last ones, of which the
    leaks are explained. `keys`: the chain of steps. `single`: segment → its values, `SHOP` among
    them.
    """

    days: pd.DatetimeIndex
    window: slice
    keys: list[str]
    joint: list[Cube]
    single: dict[str, Cube]

    @classmethod
    def of(cls, chain: pd.DataFrame, cells: pd.DataFrame, segments: pd.DataFrame) -> PropertyDays:
        """From one property's rows: its `chain` of steps in order, with the dates of the window;
        `cells` and `segments` as in `finding_table`.
        """
        start, end = (pd.Timestamp(chain[name].iloc[0]) for name in ("window_start", "window_end"))
        days = pd.date_range(end - pd.Timedelta(DAYS - 1, "D"), end)
        keys = [str(chain["previous_step_key"].iloc[0]), *map(str, chain["step_key"])]
        joint = [
            Cube.of(rows, dimensions, days, keys)
            for cube, dimensions in JOINT.items()
            if len(rows := cells[cells["cube"] == cube])
        ]
        single = {
            str(name): Cube.of(
                rows.rename(columns={"segment_value": name}), (str(name),), days, keys
            )
            for name, rows in segments.groupby("segment_name", sort=True)
        }
        return cls(days, slice(int(days.searchsorted(start)), len(days)), keys, joint, single)

    @property
    def night(self) -> date:
        """The last day."""
        return self.day(-1)

    def day(self, place: int) -> date:
        """The day at a place of the series."""
        found: date = self.days[place].date()
        return found

    def step(self, step_key: str, previous_step_key: str) -> StepDays:
        """A step as it can be looked at: in the joint cubes that know it on every day of the window
        that the shop's total does, the segments that none of these has, and the shop.
        """
        places = self.keys.index(step_key), self.keys.index(previous_step_key)
        single = {name: cube.step(*places) for name, cube in self.single.items()}
        told = single[SHOP].within(self.window).told_days()
        joint = [
            step
            for step in (cube.step(*places) for cube in self.joint)
            if not (told & ~step.within(self.window).told_days()).any()
        ]
        covered = {SHOP, *(name for step in joint for name in step.cube.dimensions)}
        others = [step for name, step in single.items() if name not in covered]
        return StepDays([*joint, *others, single[SHOP]], single)
