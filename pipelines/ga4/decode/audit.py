"""The audit of an answer (docs/ga4.md, "Responses"): what contradicts itself is never stored.

An answer that fails is asked for again from its first page; the third failure is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ga4.api_errors import AuditError, LargeReportError
from pipelines.ga4.exactness import excess_allowed
from pipelines.ga4.report_query import Ask
from pipelines.ga4.report_spec import ReportSpec
from pipelines.wording import shortened

ATTEMPTS = 3
# Odd, and with bits all over: hashes of several columns are mixed with it.
_FACTOR = np.int64(0x5851F42D4C957F2D)
_T = TypeVar("_T")


def audited(ask: Ask, attempt: Callable[[], _T]) -> _T:
    """The result of `attempt`, which raises AuditError while its answer contradicts itself.

    Raises AuditError after three times, with property, report and dates.
    """
    error, tries = AuditError(""), 0
    while tries < ATTEMPTS and not isinstance(error, LargeReportError):
        try:
            return attempt()
        except AuditError as raised:
            # What raised it holds the rows, and is not kept.
            error, tries = raised.with_traceback(None), tries + 1
    times = ("once", "twice", "three times")[tries - 1]
    # What it quotes of the answer may be of any length.
    raise type(error)(
        f"Property {ask.property_id}, report {ask.spec.name}, {ask.start} to {ask.end}: "
        f"{shortened(str(error))} It was pulled {times} and is held back; what was loaded before "
        "stays. Run the same night again later."
    )


def refuse_duplicates(rows: pa.Table, keys: Sequence[str]) -> None:
    """Raise AuditError when a key comes twice; without `keys` there may be one row."""
    if not keys:
        if rows.num_rows > 1:
            raise AuditError(f"The one row came {rows.num_rows} times.")
        return
    hashes = np.zeros(rows.num_rows, np.int64)
    for key in keys:
        hashes = hashes * _FACTOR ^ _hashes(rows[key])
    order = np.sort(hashes)
    twice = order[1:][order[1:] == order[:-1]]
    if not len(twice):
        return
    places = np.flatnonzero(hashes == twice[0])
    first = rows.select(keys).slice(places[0], 1).to_pylist()[0]
    raise AuditError(f"The row {list(first.values())} came {len(places)} times.")


def _hashes(values: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """A number for each value, the same for equal ones.

    64 bits that nobody can foresee: half a million keys that differ have different numbers but
    once in a hundred million times.
    """
    found = [np.zeros(0, np.int64)]
    is_text = pa.types.is_dictionary(values.type)
    for chunk in values.chunks if is_text else pc.dictionary_encode(values, "encode").chunks:
        different = chunk.dictionary.to_pylist()
        known = np.fromiter(map(hash, different), np.int64, len(different))
        found.append(known[chunk.indices.to_numpy()])
    return np.concatenate(found)


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
