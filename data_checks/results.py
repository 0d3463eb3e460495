"""From the judgement of one frame to results per property and table. No Great Expectations.

A suite judges all properties and tables at once; here every unexpected row goes back to its own,
so that one property's failure holds back that property only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from data_checks.day_rules import DAY_RULES, DayWarning
from data_checks.model import CRITICAL, Expectation, GateResult, Slice, Suite

if TYPE_CHECKING:
    import pandas as pd

TABLE = "table_name"
SAMPLE_SIZE = 5
Scalar = str | int | float | None


@dataclass(frozen=True)
class Judgement:
    """`unexpected`: expectation → row numbers of the frame. `errors`: expectation → message.

    An error is a check that could not be carried out; it counts as failed for every property.
    """

    unexpected: dict[str, list[int]]
    errors: dict[str, str]


def results_of_suite(
    suite: Suite,
    slices: Sequence[tuple[Slice, tuple[str, ...]]],
    frame: pd.DataFrame,
    judgement: Judgement,
) -> list[GateResult]:
    """Per table and property it was read of: are there rows, then every expectation on them."""
    owned = frame.groupby([TABLE, "property_id"]).indices
    results: list[GateResult] = []
    for piece, properties in slices:
        for property_id in properties:
            rows = owned.get((piece.table_name, property_id), ())
            results.append(_presence(suite, piece, property_id, len(rows)))
            if len(rows) == 0:
                continue
            numbers = frozenset(int(row) for row in rows)
            results += [
                _result(
                    piece.table_name, property_id, suite, expectation, frame, judgement, numbers
                )
                for expectation in suite.expectations
            ]
    return results


def _presence(suite: Suite, piece: Slice, property_id: str, row_count: int) -> GateResult:
    """A slice without rows is a failure, unless it may be empty: a gate is never silent."""
    is_success = row_count > 0 or piece.may_be_empty
    return GateResult(
        property_id,
        piece.table_name,
        f"{suite.name}_slice_is_not_empty",
        CRITICAL,
        is_success,
        f"{row_count} partitions" if row_count else "no rows",
        0 if is_success else 1,
    )


def _result(
    table_name: str,
    property_id: str,
    suite: Suite,
    expectation: Expectation,
    frame: pd.DataFrame,
    judgement: Judgement,
    rows: frozenset[int],
) -> GateResult:
    """One expectation on the rows of one property and table."""
    error = judgement.errors.get(expectation.name)
    failing = [row for row in judgement.unexpected.get(expectation.name, ()) if row in rows]
    samples = [_values(frame, row, suite, expectation) for row in failing[:SAMPLE_SIZE]]
    observed = f"0 of {len(rows)} partitions differ"
    if error is not None:
        observed = f"the check could not be carried out: {error}"
    elif failing:
        values = _observed(samples[0], expectation)
        observed = f"{values}; {len(failing)} of {len(rows)} partitions differ"
    return GateResult(
        property_id,
        table_name,
        expectation.name,
        expectation.severity,
        error is None and not failing,
        observed,
        len(failing) if error is None else len(rows),
        tuple(samples),
        _days(frame, failing, suite, expectation),
    )


def _days(
    frame: pd.DataFrame, failing: list[int], suite: Suite, expectation: Expectation
) -> tuple[DayWarning, ...]:
    """Every failing day of an expectation that says something about a day's numbers."""
    if expectation.name not in DAY_RULES:
        return ()
    rows = [_values(frame, row, suite, expectation) for row in failing]
    return tuple(
        DayWarning(date.fromisoformat(str(row["date"])), _observed(row, expectation))
        for row in rows
    )


def _observed(values: Mapping[str, Scalar], expectation: Expectation) -> str:
    """The columns of the expectation with their values, for people."""
    return ", ".join(f"{name} {values[name]}" for name in expectation.columns)


def _values(
    frame: pd.DataFrame, row: int, suite: Suite, expectation: Expectation
) -> dict[str, Scalar]:
    """Key of a row, what was measured there, and one offending key inside the partition."""
    example = f"{expectation.column}_example"
    values = {
        name: _plain(frame[name].iloc[row])
        for name in (*suite.key_columns, *expectation.columns)
        if name in frame
    }
    if example in frame and (key := _plain(frame[example].iloc[row])) is not None:
        values["example"] = key
    return values


def _plain(value: Any) -> Scalar:
    """A value of the frame as JSON knows it: dates as text, whole numbers without a fraction."""
    import pandas as pd  # noqa: PLC0415  (comes with Great Expectations, as late)

    if isinstance(value, str):
        return value
    if pd.isna(value):
        return None
    if isinstance(value, date):  # also a pandas Timestamp, which is a datetime
        return value.strftime("%Y-%m-%d")
    number = float(value)
    return int(number) if math.isfinite(number) and number == int(number) else number
