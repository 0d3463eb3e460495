"""A day's files → the table `staged`: each event that can be counted, once, in flat columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

import duckdb

from pipelines.export.errors import DayError, in_one_line
from pipelines.export.event_rows import EventRows
from pipelines.export.files import ExportFile
from pipelines.export.flat import FlatColumns
from pipelines.export.reading import broken, by_format, columns_of, relation
from pipelines.wording import counted

# Why rows are left out; each counts by the first.
_REASONS = ("unnamed", "other_days", "without_user")


def stage(
    connection: duckdb.DuckDBPyConnection,
    day: date,
    files: Sequence[ExportFile],
    flat: FlatColumns,
) -> dict[str, int]:
    """The day's usable rows as `staged`, each event once, and their `items`; how many rows there
    were, and why others are left out: each is counted by its first reason.
    """
    facts: Counter[str] = Counter()
    try:
        sources = [
            _source(connection, number, group) for number, group in enumerate(by_format(files))
        ]
        for source in sources:
            facts.update(_row_facts(connection, source, day))
        if facts["rows"] == sum(facts[name] for name in _REASONS):
            raise DayError(
                f"The export file {in_one_line(files[0].path)} has {counted(facts['rows'], 'row')} "
                f"and none of {day} with a time, an event name and a user: it is not that day's "
                "export; write it anew."
            )
        selects = [flat.staged_sql(source, day) for source in sources]
        connection.execute(f"CREATE TEMP TABLE staged AS {' UNION ALL BY NAME '.join(selects)}")
        facts["duplicates"] = _drop_duplicates(connection, sources, day)
        connection.execute(f"CREATE TEMP TABLE items AS {flat.items_sql(sources, day)}")
    except duckdb.Error as error:
        raise broken(files, error) from error
    return {name: facts[name] for name in ("rows", *_REASONS, "duplicates")}


def _source(
    connection: duckdb.DuckDBPyConnection, number: int, files: Sequence[ExportFile]
) -> EventRows:
    """Files of one format as rows with a place of their own, the same whenever it is asked for."""
    columns = columns_of(connection, files)
    if files[0].is_parquet:
        place = "(file_index::UBIGINT << 32) + file_row_number::UBIGINT"
        return EventRows(columns, f"(SELECT *, {place} AS place FROM {relation(files)})", number)
    table = f"json_rows_{number}"
    connection.execute("SET preserve_insertion_order = true")
    connection.execute(
        f"CREATE TEMP TABLE {table} AS SELECT *, row_number() OVER ()::UBIGINT AS place "
        f"FROM {relation(files)}"
    )
    connection.execute("SET preserve_insertion_order = false")
    return EventRows(columns, table, number)


def _row_facts(
    connection: duckdb.DuckDBPyConnection, source: EventRows, day: date
) -> dict[str, int]:
    row = connection.execute(
        f"""
        SELECT
            count(*), count(*) FILTER (NOT is_named),
            count(*) FILTER (is_named AND NOT is_of_day),
            count(*) FILTER (is_named AND is_of_day AND user_pseudo_id IS NULL)
        FROM ({source.judged_sql(day)})
        """
    ).fetchone()
    return dict(zip(("rows", *_REASONS), row or (0, 0, 0, 0), strict=True))


def _drop_duplicates(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[EventRows], day: date
) -> int:
    """Rows that are equal in everything an event has are one; how many were too many.

    Only rows of the same user, moment and name are compared: to look into all of them would cost
    as much as decoding them.
    """
    keys = "user_key, moment, event_name"
    connection.execute(
        "CREATE TEMP TABLE duplicates (position UBIGINT);"
        "CREATE TEMP TABLE doubtful AS SELECT position, user_key, moment, event_name FROM staged "
        f"SEMI JOIN (SELECT {keys} FROM staged GROUP BY {keys} HAVING count(*) > 1) "
        f"USING ({keys})"
    )
    (count,) = connection.execute("SELECT count(*) FROM doubtful").fetchone() or (0,)
    if not count:
        return 0
    contents = " UNION ALL BY NAME ".join(source.content_sql(day) for source in sources)
    connection.execute(
        f"""
        INSERT INTO duplicates
        SELECT position FROM doubtful JOIN ({contents}) USING (position)
        QUALIFY row_number() OVER (PARTITION BY {keys}, content ORDER BY position) > 1
        """
    )
    (extra,) = connection.execute("SELECT count(*) FROM duplicates").fetchone() or (0,)
    connection.execute("DELETE FROM staged WHERE position IN (FROM duplicates)")
    return int(extra)
