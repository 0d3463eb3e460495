"""The audit of an answer (docs/ga4.md, "Responses"): what contradicts itself is never stored.

An answer that fails is asked for again from its first page; the third failure is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ga4.api_errors import AuditError
from pipelines.ga4.exactness import excess_allowed
from pipelines.ga4.report_query import Ask
from pipelines.ga4.report_spec import ReportSpec
from pipelines.wording import shortened

ATTEMPTS = 3
_T = TypeVar("_T")


def audited(ask: Ask, attempt: Callable[[], _T]) -> _T:
    """The result of `attempt`, which raises AuditError while its answer contradicts itself.

    Raises AuditError after three times, with property, report and dates.
    """
    for number in range(1, ATTEMPTS + 1):
        try:
            return attempt()
        except AuditError as error:
            if number == ATTEMPTS:
                # What it quotes of the answer may be of any length.
                words = shortened(str(error))
                raise AuditError(
                    f"Property {ask.property_id}, report {ask.spec.name}, {ask.start} to "
                    f"{ask.end}: {words} It was pulled three times and is held back; what was "
                    "loaded before stays. Run the same night again later."
                ) from None
    raise AssertionError("unreachable")  # pragma: no cover


def refuse_duplicates(rows: pa.Table, keys: Sequence[str]) -> None:
    """Raise AuditError when a key comes twice; without `keys` there may be one row."""
    if not keys:
        if rows.num_rows > 1:
            raise AuditError(f"The one row came {rows.num_rows} times.")
        return
    groups = rows.group_by(list(keys)).aggregate([([], "count_all")])
    if groups.num_rows == rows.num_rows:
        return
    first = groups.filter(pc.greater(groups["count_all"], 1)).slice(0, 1).to_pylist()[0]
    raise AuditError(f"The row {[first[key] for key in keys]} came {first['count_all']} times.")


def refuse_short_totals(rows: pa.Table, totals: Mapping[str, float], spec: ReportSpec) -> None:
    """Raise AuditError when rows add up to more than the server's own total allows.

    `rows` and `totals` are of one unsampled answer; how far they may be apart is `exactness`'s.
    """
    for metric in spec.metrics:
        total = totals.get(metric.column)
        if total is None:
            continue
        summed = pc.sum(rows[metric.column]).as_py() or 0
        if summed - total > excess_allowed(metric.made, total, rows.num_rows):
            raise AuditError(f"{metric.api_name} adds up to {summed}, above its total {total}.")


def refuse_foreign(values: pa.ChunkedArray, known: Collection[str], what: str) -> None:
    """Raise AuditError when a text of `values` is none of `known`."""
    found = {value.as_py() for value in pc.unique(values)}
    if foreign := found - set(known):
        raise AuditError(f"The answer holds the {what} {', '.join(sorted(foreign)[:3])}.")
