"""The words of a gate: window, expectation, slice, suite, result, report. Plain frozen data.

Nothing here knows Great Expectations, DuckDB or a table name; `runner.py` gives it effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from data_checks.day_rules import DayWarning
from pipelines.errors import SluiceError
from pipelines.wording import counted


class Severity(StrEnum):
    """What a failed expectation means: it blocks its property, or is told and may flag days."""

    CRITICAL = "critical"
    WARNING = "warning"


CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING


class GateRequestError(SluiceError):
    """A gate was asked for something that does not exist (gate, window, properties)."""


@dataclass(frozen=True)
class Window:
    """Dates in the property's time zone, both ends included."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise GateRequestError(
                f"The gate window starts on {self.start}, after its end {self.end}: swap the dates."
            )


@dataclass(frozen=True)
class Bound:
    """`minimum <= column <= maximum` in every row; a NULL fails unless `may_be_null`.

    `beside`: columns that explain the value and are shown with it.
    """

    name: str
    column: str
    minimum: float | None = None
    maximum: float | None = None
    severity: Severity = CRITICAL
    may_be_null: bool = False
    beside: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the slice that a failure shows."""
        return (self.column, *self.beside)


@dataclass(frozen=True)
class Pair:
    """`column = other`, or `column >= other`, in every row; a NULL on either side fails.

    `beside`: as of a `Bound`.
    """

    name: str
    column: str
    other: str
    relation: Literal["equal", "at_least"] = "equal"
    severity: Severity = CRITICAL
    beside: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the slice that a failure shows."""
        return (self.column, self.other, *self.beside)


Expectation = Bound | Pair


def never(name: str, column: str, severity: Severity = CRITICAL) -> Bound:
    """The count in `column` of rows that break the rule `name` is zero."""
    return Bound(name, column, maximum=0, severity=severity)


@dataclass(frozen=True)
class Slice:
    """What is read of one table: SQL that answers one row per property and partition.

    The SQL may read `asked_properties(property_id)` and `asked_dates(date)` and bind `$start`,
    `$end`. Every row has `property_id`. A column `<measure>_example` holds one offending key.
    `may_be_empty`: no rows at all is no failure (a report that nothing was reported for).
    """

    table_name: str
    sql: str
    may_be_empty: bool = False


@dataclass(frozen=True)
class Suite:
    """Expectations over slices of the same shape.

    `key_columns` name a row of the slice within a property; they become the sample keys.
    """

    name: str
    key_columns: tuple[str, ...]
    slices: tuple[Slice, ...]
    expectations: tuple[Expectation, ...]


@dataclass(frozen=True)
class GateResult:
    """One expectation on one table of one property.

    `property_id` is None where it is nobody's own: a dbt test that passed for all of them, or one
    that failed on rows of no property. `unexpected_count` counts partitions (rows of the slice)
    or rows of the table, `sample` up to five of their keys. `days`: all that fail of an
    expectation in `DAY_RULES`; what they mean stands there.
    """

    property_id: str | None
    table_name: str
    expectation: str
    severity: Severity
    is_success: bool
    observed: str
    unexpected_count: int
    sample: tuple[Mapping[str, str | int | float | None], ...] = ()
    days: tuple[DayWarning, ...] = ()

    @property
    def sentence(self) -> str:
        """Property, table, expectation, observed value and one key."""
        first = (self.sample or ({},))[0]
        told = [f"{name} {value}" for name, value in first.items()]
        keys = ", ".join(text for text in told if text not in self.observed)
        where = f" (for example {keys})" if keys else ""
        whose = "" if self.property_id is None else f"property {self.property_id}: "
        return f"{whose}{self.table_name} fails {self.expectation}: {self.observed}{where}"


@dataclass(frozen=True)
class GateReport:
    """All results of one gate in one run; never empty. `window`: the days that were judged."""

    gate: str
    results: tuple[GateResult, ...]
    run_id: str
    checked_at: datetime
    window: Window | None = None

    @property
    def failed_critical(self) -> tuple[GateResult, ...]:
        """Failed expectations that stop everything downstream."""
        return tuple(r for r in self.results if not r.is_success and r.severity is CRITICAL)

    @property
    def warnings(self) -> tuple[GateResult, ...]:
        """Failed expectations that are shown and stop nothing."""
        return tuple(r for r in self.results if not r.is_success and r.severity is WARNING)

    @property
    def is_passed(self) -> bool:
        """Results exist and none of them is a failed critical one."""
        return bool(self.results) and not self.failed_critical

    @property
    def held_back(self) -> tuple[str, ...]:
        """Properties with at least one failed critical expectation."""
        names = (result.property_id for result in self.failed_critical)
        return tuple(dict.fromkeys(name for name in names if name is not None))

    @property
    def stops_all(self) -> bool:
        """A critical expectation failed that cannot be laid to a property."""
        return any(result.property_id is None for result in self.failed_critical)

    @property
    def others_go_on(self) -> bool:
        """Some properties failed, but not all of those that were judged."""
        judged = {result.property_id for result in self.results} - {None}
        return bool(self.held_back) and not self.stops_all and set(self.held_back) < judged

    def summary(self) -> str:
        """One sentence for a person: what passed, or the first failure and how many more."""
        noted = f", {counted(len(self.warnings), 'warning')}" if self.warnings else ""
        if self.is_passed:
            return f"Gate {self.gate} passed: {counted(len(self.results), 'check')}{noted}."
        if not self.results:
            return f"Gate {self.gate} failed: it produced no result."
        more = len(self.failed_critical) - 1
        rest = f"; {counted(more, 'more critical failure')}{noted}" if more else noted
        return f"Gate {self.gate} failed: {self.failed_critical[0].sentence}{rest}."
