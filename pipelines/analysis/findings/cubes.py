"""Daily counts of the parts of a shop, and which of these parts a scope takes in.

What belongs here: a cube (counts by several dimensions at once) as arrays, its possible scopes, and
sums over them. A scope is the conditions that say which part of the shop is meant; none is all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TypeAlias

import numpy as np
import pandas as pd

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
        return list(self._scopes())

    @cached_property
    def memberships(self) -> Bools:
        """The members of each of `scopes`. Shape (scopes, cells)."""
        return np.array([self.members(scope) for scope in self.scopes], dtype=np.bool_)

    def _scopes(self) -> Iterator[Scope]:
        places = range(len(self.dimensions))
        for chosen in (*((place,) for place in places), *combinations(places, 2)):
            for values in sorted({tuple(row) for row in self.values[:, chosen]}):
                if not NO_PART & set(values):
                    names = (self.dimensions[place] for place in chosen)
                    yield tuple(zip(names, values, strict=True))

    def step(self, numerator: int, denominator: int) -> tuple[Floats, Floats]:
        """Successes and trials of a step by cell and day: (cells, days) each, NaN where either is
        unknown.
        """
        successes, trials = self.counts[numerator], self.counts[denominator]
        is_known = ~np.isnan(successes) & ~np.isnan(trials)
        return np.where(is_known, successes, np.nan), np.where(is_known, trials, np.nan)


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
