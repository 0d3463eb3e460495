"""Tables as frozen dataclasses of equally long arrays: the few operations they share."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Table = TypeVar("Table", bound="DataclassInstance")


def take(table: Table, rows: Ints | Bools | slice) -> Table:
    """The chosen rows of every column, in that order."""
    return type(table)(*(getattr(table, field.name)[rows] for field in fields(table)))


def concat(first: Table, second: Table) -> Table:
    """The rows of `first` followed by the rows of `second`."""
    return type(first)(
        *(
            np.concatenate([getattr(first, field.name), getattr(second, field.name)])
            for field in fields(first)
        )
    )


def distinct(codes: Ints, size: int) -> Ints:
    """The codes 0..size-1 that occur, ascending: np.unique by flags, 20 times as fast here."""
    flags = np.zeros(size, dtype=np.bool_)
    flags[codes] = True
    return np.flatnonzero(flags)


def ranges(starts: Ints, counts: Ints) -> Ints:
    """`starts[i], starts[i] + 1, …` for `counts[i]` numbers each, one after the other."""
    begins = np.cumsum(counts) - counts
    return np.repeat(starts - begins, counts) + np.arange(int(counts.sum()))
