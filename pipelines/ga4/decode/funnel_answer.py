"""Reads a RunFunnelReport answer as it really comes, not as it is documented (docs/ga4.md).

The block of metric headers may come twice, so values are read by their place in the row; whole
numbers and rates carry the same type; step names are prefixed with their number ("2. Bought");
a step that nobody reached is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ga4.api_errors import AuditError
from pipelines.ga4.decode.audit import refuse_duplicates, refuse_foreign
from pipelines.ga4.decode.report_answer import apart_from, counts, place_of, shortened_texts, texts
from pipelines.ga4.exactness import estimate_allowance
from pipelines.ga4.report_spec import ALL, ALL_DEVICES, DATE_RANGE

STEP_NAME = "funnelStepName"
USERS = "activeUsers"
_TOTAL = "RESERVED_TOTAL"
_KEYS = ("range_name", "value", "number")
# GA4 answers with 4 date ranges of 15 values and some 10 steps.
MOST_ROWS = 10_000


def read_steps(
    message: Any,
    dimension: str,
    range_names: Sequence[str],
    steps: int,
    report: str,
    every: str = ALL_DEVICES,
) -> pa.Table:
    """Users by date range, value and step of one sub report (funnel table or visualization).

    `dimension`: the breakdown or next action; an answer without it is about `every`. Returns
    `range_name`, `value` (string), `number` (int32, the API's own 1 … `steps`), `active_users`
    (int64): what the answer holds, nothing filled in. Raises AuditError for an unknown step or
    date range, a value twice, and what is no number.
    """
    rows, headers = message.rows, [header.name for header in message.dimension_headers]
    if len(rows) > MOST_ROWS:
        raise AuditError(f"The funnel has {len(rows):,} rows, more than {MOST_ROWS:,}.")
    if not rows:
        nothing = pa.array([], pa.string())
        return _table(nothing, nothing, nothing, pa.array([], pa.int64()))
    values = [row.dimension_values for row in rows]
    names = texts(values, place_of(STEP_NAME, headers, report), report)
    found = _table(
        _range_names(values, headers, range_names, report),
        _values(values, headers, dimension, report, every),
        pc.struct_field(pc.extract_regex(names, r"^(?P<number>[0-9]{1,3})\."), "number"),
        _users(message, report),
    )
    refuse_foreign(found["range_name"], range_names, "date range")
    known = pc.is_in(found["number"], pa.array(range(1, steps + 1), pa.int32()))
    if not pc.all(known).as_py():
        foreign = names.filter(pc.invert(known))[0].as_py()
        raise AuditError(f"The funnel has {steps} steps, and the answer has the step '{foreign}'.")
    found = _one_total(found, every)
    refuse_duplicates(found, _KEYS)
    return found


def with_known_totals(found: pa.Table, known: pa.Table) -> pa.Table:
    """The next actions `found`, with totals that no visitor's event is taken for.

    `known`: users of the steps by an answer that no event's name stands in. What is called a total
    and has other users than its step is an event of that name; the step's own number takes its
    place. Both are estimates, each made by itself. Without `known` nothing can be told.
    """
    users = {(row["range_name"], row["number"]): row["active_users"] for row in known.to_pylist()}
    rows, with_total = list[dict[str, Any]](), set[tuple[str, int]]()
    for row in found.to_pylist() if users else []:
        step = row["range_name"], row["number"]
        if row["value"] == ALL and _is_about(row["active_users"], users.get(step, 0)):
            with_total.add(step)
        elif row["value"] == ALL:
            row["value"] = _TOTAL
        rows.append(row)
    steps = {(row["range_name"], row["number"]) for row in rows} & users.keys()
    rows += [
        {"range_name": name, "value": ALL, "number": number, "active_users": users[name, number]}
        for name, number in sorted(steps - with_total)
    ]
    return pa.Table.from_pylist(rows, found.schema) if users else found


def _is_about(users: int, others: int) -> bool:
    return abs(users - others) <= estimate_allowance(users**2 + others**2, unit="users")


def fill_steps(found: pa.Table, steps: int) -> pa.Table:
    """Every step for every date range and value of `found`: 0 where nobody reached it.

    A date range without any row stays without: nothing was reported about it.
    """
    seen = found.group_by(["range_name", "value"]).aggregate([])
    count = seen.num_rows
    grid = pa.concat_tables(
        seen.append_column("number", pa.repeat(pa.scalar(number, pa.int32()), count))
        for number in range(1, steps + 1)
    )
    filled = grid.join(found, list(_KEYS), join_type="left outer")
    users = pc.fill_null(filled["active_users"], 0)
    place = filled.schema.get_field_index("active_users")
    return filled.set_column(place, "active_users", users).sort_by(
        [(key, "ascending") for key in _KEYS]
    )


def refuse_growth(filled: pa.Table) -> None:
    """Raise AuditError when a closed funnel has more users in a step than in the one before.

    Only in total: a user may reach the next step on another device. Both are estimates, each made
    by itself.
    """
    total = filled.filter(pc.equal(filled["value"], ALL_DEVICES))
    shifted = total.set_column(
        total.schema.get_field_index("number"),
        "number",
        pc.add(total["number"], pa.scalar(1, pa.int32())),
    )
    pairs = total.join(shifted, list(_KEYS), join_type="inner", right_suffix="_before")
    grown = pairs.filter(pc.greater(pairs["active_users"], pairs["active_users_before"]))
    for row in grown.to_pylist():
        users, before = row["active_users"], row["active_users_before"]
        if _is_about(users, before):
            continue
        raise AuditError(
            f"Step {row['number']} of a closed funnel has {users} users, the step before it "
            f"{before} ({row['range_name']})."
        )


def _table(ranges: pa.Array, values: pa.Array, steps: pa.Array, users: pa.Array) -> pa.Table:
    columns = (ranges, values, steps.cast(pa.int32()), users)
    return pa.table(dict(zip((*_KEYS, "active_users"), columns, strict=True)))


def _range_names(
    values: Sequence[Any], headers: Sequence[str], range_names: Sequence[str], report: str
) -> pa.Array:
    """The names that were asked for; GA4 may also tell a range by its index."""
    if len(range_names) == 1:
        return pa.repeat(range_names[0], len(values))
    found = texts(values, place_of(DATE_RANGE, headers, report), report)
    by_index = {f"date_range_{index}": name for index, name in enumerate(range_names)}
    by_index |= {str(index): name for index, name in enumerate(range_names)}
    return pa.array([by_index.get(name, name) for name in found.to_pylist()], pa.string())


def _values(
    values: Sequence[Any], headers: Sequence[str], dimension: str, report: str, every: str
) -> pa.Array:
    if dimension not in headers:
        return pa.repeat(every, len(values))
    found = shortened_texts(texts(values, headers.index(dimension), report))
    return pc.if_else(pc.equal(found, _TOTAL), every, apart_from(every, found))


def _one_total(found: pa.Table, every: str) -> pa.Table:
    """An event or a device can be called as GA4 calls its totals: most users has the total.

    What has as many beside others is none of them, but the total a second time.
    """
    rows = found.sort_by([("active_users", "descending")]).to_pylist()
    others = {(row["range_name"], row["number"]) for row in rows if row["value"] != every}
    totals: dict[tuple[str, int], int] = {}
    for row in rows:
        step = row["range_name"], row["number"]
        if row["value"] != every:
            continue
        if step not in totals:
            totals[step] = row["active_users"]
        elif row["active_users"] < totals[step] or step not in others:
            row["value"] = _TOTAL
    return pa.Table.from_pylist(rows, found.schema)


def _users(message: Any, report: str) -> pa.Array:
    headers = [header.name for header in message.metric_headers]
    values = [row.metric_values for row in message.rows]
    return counts(texts(values, place_of(USERS, headers, report), report), report)[0]
