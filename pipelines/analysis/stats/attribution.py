"""A change of a product shared out to its factors, without a rest, and rounded without one.

What belongs here: arithmetic that leaks and changes share. Matrices are (cells, factors); a factor
that a cell has not is NaN, counts as 1 and gets nothing.
"""

import numpy as np

from pipelines.analysis.stats.arrays import Bools, Floats


def log_mean(one: Floats, other: Floats) -> Floats:
    """L(a, b) = (a - b) / ln(a/b), and a where they are equal; 0 where either is 0."""
    is_open = (one > 0) & (other > 0)
    a, b = np.where(is_open, one, 1.0), np.where(is_open, other, 1.0)
    log_ratio = np.log(a / b)
    # The quotient loses its digits where both are nearly equal; the midpoint is right to d^2/12.
    is_near = np.abs(log_ratio) < 1e-6  # noqa: PLR2004
    quotient = (a - b) / np.where(is_near, 1.0, log_ratio)
    return np.where(is_open, np.where(is_near, (a + b) / 2, quotient), 0.0)


def attribute(before: Floats, after: Floats) -> Floats:
    """Each factor's part of prod(after) - prod(before), per cell. Shape (cells, factors).

    Additive LMDI, L(P1, P0) ln(f1/f0) (Ang 2004), which adds up exactly; where a factor is 0 and
    has no logarithm, the Shapley value of the same change (Shapley 1953), which adds up too.
    """
    old, new = np.where(np.isnan(before), 1.0, before), np.where(np.isnan(after), 1.0, after)
    has_zero = ((old <= 0) | (new <= 0)).any(axis=1)
    parts = np.zeros(old.shape)
    plain_old, plain_new = old[~has_zero], new[~has_zero]
    mean = log_mean(plain_new.prod(axis=1), plain_old.prod(axis=1))
    parts[~has_zero] = mean[:, None] * np.log(plain_new / plain_old)
    parts[has_zero] = _shapley(old[has_zero], new[has_zero])
    return parts


def _shapley(before: Floats, after: Floats) -> Floats:
    """Shapley values of the product: each factor's step averaged over every order of steps."""
    cells, factors = before.shape
    subsets = _subsets(factors)
    sizes = subsets.sum(axis=1)
    orders = np.array([1.0, *np.cumprod(np.arange(1, factors + 1))])
    weights = orders[sizes] * orders[np.maximum(factors - sizes - 1, 0)] / orders[factors]
    values = np.where(subsets, after[:, None, :], before[:, None, :]).prod(axis=2)
    parts = np.zeros((cells, factors))
    for factor in range(factors):
        without = np.flatnonzero(~subsets[:, factor])
        gains = values[:, without + 2**factor] - values[:, without]
        parts[:, factor] = gains @ weights[without]
    return parts


def _subsets(factors: int) -> Bools:
    """Membership of each of the 2^factors subsets, bit k of the row number for factor k."""
    bits: Bools = (np.arange(2**factors)[:, None] >> np.arange(factors) & 1).astype(np.bool_)
    return bits


def in_cents(amounts: Floats) -> Floats:
    """Amounts rounded to a hundredth."""
    return np.rint(amounts * 100) / 100


def round_to_total(parts: Floats, total: Floats) -> Floats:
    """Parts in cents that add up to the row's total in cents (largest remainder method).

    `total` (cells,) is the sum of a row's parts but for floating point. NaN stays NaN and counts
    as nothing.
    """
    scaled = np.nan_to_num(parts) * 100
    floor = np.floor(scaled)
    missing = np.rint(np.nan_to_num(total) * 100) - floor.sum(axis=1)
    order = np.argsort(floor - scaled, axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    rounded = (floor + (rank < missing[:, None])) / 100
    return np.where(np.isnan(parts), np.nan, rounded)
