"""Array types and the few shapes the statistics share: guarded rates, long rows as a matrix.

What belongs here: helpers without a formula of their own. An undefined value is NaN everywhere.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Objects: TypeAlias = npt.NDArray[np.object_]


def floats(column: pd.Series) -> Floats:
    """A frame's column as floats, NaN where it is missing."""
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def is_rate(successes: Floats, trials: Floats) -> Bools:
    """Whether the counts are a rate with an interval: trials, and no more successes than these."""
    return (trials > 0) & (successes >= 0) & (successes <= trials)


def divide(numerator: Floats, denominator: Floats) -> Floats:
    """Quotient, NaN where the denominator is zero or either is missing."""
    quotient: Floats = numerator / np.where(denominator == 0, np.nan, denominator)
    return quotient


def sum_by(values: Floats, group: Ints, groups: int) -> Floats:
    """Sums of `values` per group code 0 .. `groups` - 1; NaN counts as nothing. Shape (groups,)."""
    sums = np.bincount(group, weights=np.nan_to_num(values), minlength=groups)
    return sums.astype(np.float64)


def codes(frame: pd.DataFrame, keys: list[str]) -> Ints:
    """Group code of each row, 0 .. groups - 1 in the order of `keys`. Shape (rows,)."""
    numbers = frame.groupby(keys, dropna=False, sort=True).ngroup()
    return np.asarray(numbers, dtype=np.int64)


def places(group: Ints, order: Floats) -> Ints:
    """Place of each row within its group by `order`, from 0; equal ones as they stand. (rows,)."""
    ranks = pd.Series(order).groupby(group).rank(method="first")
    return np.asarray(ranks, dtype=np.int64) - 1


def spread(values: Floats, row: Ints, column: Ints) -> Floats:
    """A long column as a matrix, each value at its row and column; NaN where none stands."""
    shape = (row.max() + 1, column.max() + 1) if row.size else (0, 1)
    matrix = np.full(shape, np.nan)
    matrix[row, column] = values
    return matrix
