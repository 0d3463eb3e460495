"""Writes tables into a version that began as a copy of the version before: only those whose rows
changed, and of tables by day only the days.

Which did is told by their rows, here and there. What dbt built anew is no evidence: between
the version before and this one there may be a night that failed after building, a rollback, a
property that was held back.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

# Rows are known by their number and the sum of their hashes, hashed twice: DuckDB puts the hash of
# a row together by XOR, and two rows that swap a value could cancel each other out.
_KNOWN_BY = "count(*), sum(hash(hash(shown)))"
_DAYS = f"select property_id, date, {_KNOWN_BY} from ({{}}) as shown group by property_id, date"
_WHOLE = f"select {_KNOWN_BY} from ({{}}) as shown"
_IS_CHANGED = (
    "exists (select 1 from changed_days as changed "
    "where changed.property_id is not distinct from shown.property_id "
    "and changed.date is not distinct from shown.date)"
)


def is_daily(columns: Mapping[str, str]) -> bool:
    """Whether a table of these columns (name → type) has the rows of properties' days."""
    return "property_id" in columns and columns.get("date") == "DATE"


def replace_changed_days(
    connection: duckdb.DuckDBPyConnection, name: str, rows: str
) -> set[str | None]:
    """Make the rows of `name` those of `rows` (SQL, the same columns); the months that changed.

    A month is as in `months`.
    """
    connection.execute(
        "create or replace temp table changed_days as "
        f"with fresh as materialized ({_DAYS.format(rows)}), "
        f"old as materialized ({_DAYS.format(f'select * from {name}')}) "
        "select distinct property_id, date from "
        "((from fresh except from old) union all (from old except from fresh))"
    )
    changed = months(connection, "changed_days")
    if changed:
        connection.execute(f"delete from {name} as shown where {_IS_CHANGED}")
        connection.execute(
            f"insert into {name} select * from ({rows}) as shown where {_IS_CHANGED} order by all"
        )
    return changed


def replace_if_changed(connection: duckdb.DuckDBPyConnection, name: str, rows: str) -> bool:
    """The same of a table that is no table by day: all of its rows or none; whether it changed.

    The table stays, and so do the comments on its columns: a thousand of them took a sixth of the
    time of publishing.
    """
    fresh, old = _WHOLE.format(rows), _WHOLE.format(f"select * from {name}")
    if connection.execute(f"{fresh} except {old}").fetchone() is None:
        return False
    connection.execute(f"delete from {name}")
    connection.execute(f"insert into {name} {rows} order by all")
    return True


def months(connection: duckdb.DuckDBPyConnection, name: str) -> set[str | None]:
    """Months (`2026-06`) of the column `date` of a table; None where a row has no date."""
    found = connection.execute(
        f"select distinct strftime(date, '%Y-%m') from (select distinct date from {name})"
    ).fetchall()
    return {month for (month,) in found}
