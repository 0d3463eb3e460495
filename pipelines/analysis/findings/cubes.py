"""Daily counts of the parts of a shop, and which of these parts a scope takes in.

What belongs here: a cube (counts by several dimensions at once) as arrays, its possible scopes, and
sums over them. A scope is the conditions that say which part of the shop is meant; none is all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TypeAlias

import numpy as np
import pandas as pd

from pipelines.analysis.findings.rates import Counted
from pipelines.analysis.stats.arrays import Bools, Floats, floats

Scope: TypeAlias = tuple[tuple[str, str], ...]
"""Conditions (dimension, value), in the order of the cube's dimensions; () is the whole shop."""

# In a day, of a cell: more than there are people, and few enough for squares of their sums.
MOST_SESSIONS = 1e12
WHOLE: Scope = ()
# What stands for a value that GA4 folded away or withheld is no part that anybody can look at.
NO_PART = frozenset({"(other)", "(not set)", ""})


@dataclass(frozen=True)
class Cube:
    """Sessions by cell, day and step.

    `values`: (cells, dimensions), what each cell is. `counts`: (steps, cells, days), NaN on days
    on which they are not known. Step 0 is the first of the chain.
    """

    dimensions: tuple[str, ...]
    values: np.ndarray
    counts: Floats

    @classmethod
    def of(
        cls, frame: pd.DataFrame, dimensions: tuple[str, ...], days: pd.Index, steps: list[str]
    ) -> Cube:
        """From long rows: `dimensions`, date, step_key, sessions. No row of a day is unknown, and
        so is a count that no shop can have.
        """
        cells = pd.MultiIndex.from_frame(frame[list(dimensions)].drop_duplicates()).sort_values()
        counts = np.full((len(steps), len(cells), len(days)), np.nan)
        rows = frame[frame["step_key"].isin(steps) & frame["date"].isin(days)]
        step = pd.Index(steps).get_indexer(pd.Index(rows["step_key"]))
        cell = cells.get_indexer(pd.MultiIndex.from_frame(rows[list(dimensions)]))
        day = days.get_indexer(pd.Index(rows["date"]))
        told = floats(rows["sessions"])
        counts[step, cell, day] = np.where((told >= 0) & (told <= MOST_SESSIONS), told, np.nan)
        # A cell without a row on a day that others have had nobody there.
        is_known = ~np.isnan(counts).all(axis=1, keepdims=True)
        counts = np.where(np.isnan(counts) & is_known, 0.0, counts)
        values = np.array(cells.to_list(), dtype=object).reshape(len(cells), len(dimensions))
        return cls(dimensions, values, counts)

    def has(self, scope: Scope) -> bool:
        """Whether it can tell the scope from the rest of the shop."""
        return all(name in self.dimensions for name, _ in scope)

    def members(self, scope: Scope) -> Bools:
        """Which cells belong to the scope. Shape (cells,)."""
        inside = np.ones(len(self.values), dtype=np.bool_)
        for name, value in scope:
            inside &= self.values[:, self.dimensions.index(name)] == value
        return inside

    @cached_property
    def scopes(self) -> list[Scope]:
        """Every value of a dimension, and every pair of values of two that some cell has."""
        places = range(len(self.dimensions))
        return [
            tuple(zip((self.dimensions[place] for place in chosen), values, strict=True))
            for chosen in (*((place,) for place in places), *combinations(places, 2))
            for values in sorted({tuple(row) for row in self.values[:, chosen]})
            if not NO_PART & set(values)
        ]

    @cached_property
    def memberships(self) -> Floats:
        """1 where a cell belongs to a scope, else 0: sums by scope. Shape (scopes, cells)."""
        return np.array([self.members(scope) for scope in self.scopes], dtype=np.float64)

    def step(self, numerator: int, denominator: int) -> StepCounts:
        """Its counts of one step, by the places of the two keys."""
        successes, trials = self.counts[numerator], self.counts[denominator]
        is_known = ~np.isnan(successes) & ~np.isnan(trials)
        return StepCounts(
            self, np.where(is_known, successes, np.nan), np.where(is_known, trials, np.nan)
        )


@dataclass(frozen=True)
class StepCounts:
    """A step in the cells of a cube: (cells, days) each, NaN where either is unknown."""

    cube: Cube
    successes: Floats
    trials: Floats

    def within(self, window: slice) -> StepCounts:
        """Of these days only."""
        return StepCounts(self.cube, self.successes[:, window], self.trials[:, window])

    def told_days(self) -> Bools:
        """Days of which something is known. Shape (days,)."""
        return np.asarray(~np.isnan(self.trials).all(axis=0), dtype=np.bool_)

    def by_cell(self) -> tuple[Floats, Floats]:
        """Successes and trials over the days that are known. (cells,) each."""
        return np.nansum(self.successes, axis=1), np.nansum(self.trials, axis=1)

    def by_day(self, scope: Scope) -> tuple[Floats, Floats]:
        """Successes and trials of a scope, NaN on days nobody knows. (days,) each."""
        inside, is_told = self.cube.members(scope), self.told_days()
        return (
            np.where(is_told, np.nansum(self.successes[inside], axis=0), np.nan),
            np.where(is_told, np.nansum(self.trials[inside], axis=0), np.nan),
        )

    def of(self, scope: Scope) -> Counted:
        """Of a scope over the days that are known."""
        return self.counted(self.cube.members(scope))

    def counted(self, members: Bools) -> Counted:
        """Of some cells, (cells,), over the days that are known."""
        return Counted(*(float(one[members].sum()) for one in self.by_cell()))


def label(scope: Scope) -> str:
    """The scope in words."""
    return " and ".join(value for _, value in scope) or "the whole shop"


def as_json(scope: Scope) -> str:
    """A JSON list of {segment_name, segment_value}; [] for the whole shop."""
    listed = [{"segment_name": name, "segment_value": value} for name, value in scope]
    return json.dumps(listed, ensure_ascii=False)


def from_json(text: str) -> Scope:
    """The inverse of `as_json`."""
    return tuple((one["segment_name"], one["segment_value"]) for one in json.loads(text))
