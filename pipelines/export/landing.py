"""Each day of an export, decoded once: nested rows become flat, typed Parquet under the home.

`landed/<property>/<day>/` holds four files and the record of them:

- `events.parquet`, one row an event of a known user: `moment` (µs since 1970, UTC), `position`
  (its place in the files), `event_name`, `user_key`, `session_key` (NULL without a session),
  `is_engaged`, `is_active`, `engagement_msec`, `events` (1), `orders` (0 or 1), `revenue_micros`,
  `page_path`, one text column for each dimension and parameter that the reports use.
- `counts.parquet`, the same without moment, page and parameters, added up by what is left.
- `items.parquet`, units and revenue of items by event, item and list.
- `sessions.parquet`, one row a session: what belongs to it as a whole.
- `day.json`: which files it was made of, and what was left out.

Keys are 64-bit hashes: of ten million sessions two share one with a chance of 1 in 370,000.
A session that began the day before keeps what it began with, so days are landed in order.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from pipelines.export.columns import JSON_COLUMNS, REQUIRED, Columns
from pipelines.export.errors import DayError, ExportError, in_one_line, unreadable
from pipelines.export.files import ExportFile
from pipelines.export.flat import EventRows, FlatColumns
from pipelines.wording import counted, shortened

# A change of what is landed lands every day anew.
LAYOUT = 1
# What DuckDB's words have beside the reason → what is left of it.
_NOT_SAID = {
    r"^[\w ]+ Error: ": "",
    r"""( in file)? ["']it["'],?""": "",
    # One too many for some faults, one too few for others.
    r"( at byte \d+)? in line \d+": "",
    r"(but got \w+): .*": r"\1",
    r': value ".*" is': ": a value is",
}
# SQL: a text that names a set of orders.
_ORDERS_NAMED = "md5(string_agg(DISTINCT order_id, chr(10) ORDER BY order_id))"
# An empty file: the reports of the day as it is landed are stored.
COUNTED = "counted"


@dataclass(frozen=True)
class LandedDay:
    """The record of a landed day.

    `rows`: in its files; of these `without_user` have no user (consent denied), `duplicates` are
    there twice, `other_days` belong to another date, `unnamed` have no event name or time; these
    are left out. `without_session` are counted, but belong to no session. `sessions`: those that
    the day has an event of; of `without_channel` nobody can tell the channel group.
    `earlier_orders` names those `repeated_orders` that an earlier day has.
    """

    day: str
    layout: int
    flat: str
    files: tuple[tuple[str, int, int, str], ...]
    before: str
    earlier_orders: str
    repeated_orders: int
    rows: int
    without_user: int
    without_session: int
    duplicates: int
    other_days: int
    unnamed: int
    sessions: int
    without_channel: int
    sessions_checksum: str

    @property
    def fingerprint(self) -> str:
        """Names what the day was made of."""
        return repr((self.files, self.flat, self.before, self.earlier_orders))


class Landing:
    """The landed days of one property. One thread lands; any may read."""

    def __init__(self, folder: Path, flat: FlatColumns) -> None:
        self._folder = folder
        self._flat = flat

    @property
    def flat(self) -> FlatColumns:
        """What is landed of each event."""
        return self._flat

    @property
    def parameters(self) -> tuple[str, ...]:
        """Event parameters that have a column."""
        return self._flat.parameters

    def path(self, day: date, name: str) -> Path:
        """One file of a landed day."""
        return self._folder / day.isoformat() / name

    def days(self) -> list[date]:
        """Landed days, oldest first."""
        if not self._folder.is_dir():
            return []
        names = (path.name for path in self._folder.iterdir() if (path / "day.json").is_file())
        return sorted(date.fromisoformat(name) for name in names if name[:1] != ".")

    def recover(self) -> None:
        """What a killed run left: a day that had lost its place to none yet gets it back."""
        for old in self._folder.glob(".*.old"):
            target = old.with_name(old.name.removeprefix(".").removesuffix(".old"))
            if not target.exists():
                old.rename(target)
        for rest in (*self._folder.glob(".*.old"), *self._folder.glob(".*.unfinished")):
            shutil.rmtree(rest, ignore_errors=True)

    def with_other_orders(self) -> list[date]:
        """Landed days of whose orders others came first than when they were landed: an earlier
        day was landed since.
        """
        paths = [str(self.path(day, "orders.parquet")) for day in self.days()]
        if not paths:
            return []
        with duckdb.connect(":memory:") as connection:
            connection.read_parquet(paths, filename=True).create_view("files")
            found = connection.execute(
                f"""
                SELECT day, {_ORDERS_NAMED} FROM (
                    SELECT order_id, CAST(parse_path(filename, 'both_slash')[-2] AS DATE) AS day
                    FROM files QUALIFY day > min(day) OVER (PARTITION BY order_id)
                ) GROUP BY day
                """
            ).fetchall()
        named = dict(found)
        records = {day: self.record(day) for day in self.days()}
        return [
            day for day, one in records.items() if one and one.earlier_orders != named.get(day, "")
        ]

    def damaged(self, error: duckdb.Error) -> ExportError:
        """The sentence about landed files that cannot be read."""
        words = str(error).splitlines()[0]
        return ExportError(
            f"The landed events in {in_one_line(str(self._folder))} cannot be read ({words}): "
            "delete that folder and run the same command again, which lands its days anew."
        )

    def uncounted(self) -> list[date]:
        """Landed days whose reports were not all stored since."""
        return [day for day in self.days() if not self.path(day, COUNTED).exists()]

    def mark_counted(self, days: Iterable[date]) -> None:
        """Remember that all reports of these days are stored."""
        for day in days:
            if self.path(day, "day.json").exists():
                self.path(day, COUNTED).touch()

    def record(self, day: date) -> LandedDay | None:
        """What is known of a landed day; None where it is not landed, or its record is damaged."""
        try:
            values = json.loads(self.path(day, "day.json").read_text(encoding="utf-8"))
            values["files"] = tuple(tuple(one) for one in values["files"])
            return LandedDay(**values)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def is_current(self, day: date, files: Sequence[ExportFile]) -> bool:
        """Whether a day is landed from just these files as they are, in today's columns.

        A file of another time but the same content is the same file.
        """
        found = self.record(day)
        if found is None or (found.layout, found.flat) != (LAYOUT, self._flat.fingerprint):
            return False
        if found.before != self._before(day):
            return False
        if [one[0] for one in found.files] != [file.path for file in files]:
            return False
        return all(
            (size, changed) == (file.size, file.changed_ns)
            or (size == file.size and checksum == file.checksum())
            for (_, size, changed, checksum), file in zip(found.files, files, strict=True)
        )

    def land(self, day: date, files: Sequence[ExportFile]) -> LandedDay:
        """Decode a day's files. What was landed before stays until all of it is written.

        Raises DayError: a file is empty, broken, or no export.
        """
        unfinished = self._folder / f".{day.isoformat()}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        try:
            # Before they are read: a file that changes meanwhile is another one tomorrow.
            known = tuple((f.path, f.size, f.changed_ns, f.checksum()) for f in files)
            with _database(unfinished) as connection:
                found = self._write(connection, day, files, known, unfinished)
            (unfinished / "day.json").write_text(json.dumps(asdict(found)), encoding="utf-8")
            _replace(unfinished, self._folder / day.isoformat())
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return found

    def _write(
        self,
        connection: duckdb.DuckDBPyConnection,
        day: date,
        files: Sequence[ExportFile],
        known: tuple[tuple[str, int, int, str], ...],
        folder: Path,
    ) -> LandedDay:
        facts = _stage(connection, day, files, self._flat)
        before = self.path(day - timedelta(days=1), "sessions.parquet")
        connection.execute(self._flat.sessions_sql(before if before.exists() else None))
        repeated, named = self._number_orders(connection, day)
        for name, sql in self._flat.outputs().items():
            target = str(folder / name).replace("'", "''")
            connection.execute(f"COPY ({sql}) TO '{target}' (FORMAT parquet)")
        (without_session, sessions, without_channel) = connection.execute(
            "SELECT (SELECT count(*) FROM events WHERE session_key IS NULL), count(*), "
            f"count(*) FILTER ({self._flat.no_channel}) FROM sessions"
        ).fetchone() or (0, 0, 0)
        return LandedDay(
            day=day.isoformat(), layout=LAYOUT, flat=self._flat.fingerprint,
            files=known, before=self._before(day), earlier_orders=named,
            repeated_orders=repeated,
            without_session=without_session, sessions=sessions, without_channel=without_channel,
            sessions_checksum=_checksum(folder / "sessions.parquet"), **facts,
        )  # fmt: skip

    def _before(self, day: date) -> str:
        """Names what the day before says of sessions that go on; '' where it is not landed."""
        found = self.record(day - timedelta(days=1))
        return found.sessions_checksum if found else ""

    def _number_orders(self, connection: duckdb.DuckDBPyConnection, day: date) -> tuple[int, str]:
        """Mark each order's first row; how many orders an earlier day has already, and which."""
        earlier = [str(self.path(one, "orders.parquet")) for one in self.days() if one < day]
        known = (
            connection.read_parquet(earlier) if earlier else connection.sql("SELECT '' AS order_id")
        )
        known.create("earlier_orders")
        repeated, named = connection.execute(
            f"SELECT count(DISTINCT order_id), {_ORDERS_NAMED} "
            "FROM staged SEMI JOIN earlier_orders USING (order_id)"
        ).fetchone() or (0, None)
        connection.execute(self._flat.orders_sql())
        return int(repeated), named or ""


def days_inside(file: ExportFile) -> list[date]:
    """The days of a file whose name tells none. Raises DayError where it cannot be read."""
    with duckdb.connect(":memory:") as connection:
        columns_of(connection, [file])
        try:
            found = connection.execute(
                "SELECT DISTINCT day FROM (SELECT CAST(event_date AS VARCHAR) AS day "
                f"FROM {relation([file])}) WHERE regexp_matches(day, '^[0-9]{{8}}$') ORDER BY 1"
            ).fetchall()
        except duckdb.Error as error:
            raise broken([file], error) from error
    days = []
    for (text,) in found:
        with suppress(ValueError):
            days.append(datetime.strptime(text, "%Y%m%d").date())
    if not days:
        raise _no_export(file, "has no row with an event_date")
    return days


def _database(folder: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("SET temp_directory = ?", [str(folder / "spill")])
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _stage(
    connection: duckdb.DuckDBPyConnection,
    day: date,
    files: Sequence[ExportFile],
    flat: FlatColumns,
) -> dict[str, int]:
    """The day's usable rows as `staged`, each event once; how many rows there were, and why others
    are left out: each is counted by its first reason.
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
    except duckdb.Error as error:
        raise broken(files, error) from error
    return {name: facts[name] for name in ("rows", *_REASONS, "duplicates")}


_REASONS = ("unnamed", "other_days", "without_user")


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
        CREATE TEMP TABLE duplicates AS
        SELECT position FROM doubtful JOIN ({contents}) USING (position)
        QUALIFY row_number() OVER (PARTITION BY {keys}, content ORDER BY position) > 1
        """
    )
    (extra,) = connection.execute("SELECT count(*) FROM duplicates").fetchone() or (0,)
    connection.execute("DELETE FROM staged WHERE position IN (FROM duplicates)")
    return int(extra)


def columns_of(connection: duckdb.DuckDBPyConnection, files: Sequence[ExportFile]) -> Columns:
    """The columns of files of one format; raises DayError where they are no export's."""
    for file in files:
        _refuse_cut(file)
    try:
        found = connection.sql(f"SELECT * FROM {relation(files)} LIMIT 0")
        columns = Columns(dict(zip(found.columns, found.types, strict=True)))
    except (duckdb.Error, UnicodeError) as error:
        raise broken(files, error) from error
    if missing := [name for name in REQUIRED if not columns.has(name)]:
        raise _no_export(files[0], f"has no column {', '.join(missing)}")
    for name in ("event_params", "items"):
        if columns.has(name) and not columns.is_list_of_records(name):
            kind = columns.types[name].id
            raise _no_export(files[0], f"has {name} of type {kind}, which is no list of records")
    return columns


def _refuse_cut(file: ExportFile) -> None:
    """DuckDB takes a packed file that ends too early for one that is over."""
    if file.size == 0:
        # Says why, where nobody could look at it.
        file.checksum()
        raise DayError(
            f"The export file {in_one_line(file.path)} is empty: write it anew from BigQuery."
        )
    if file.is_gzip:
        try:
            with gzip.open(file.path) as packed:
                while packed.read(1 << 20):
                    pass
        except (OSError, EOFError, zlib.error) as error:
            raise unreadable(file.path, str(error)) from error


def _no_export(file: ExportFile, why: str) -> DayError:
    return DayError(
        f"The export file {in_one_line(file.path)} {why}: it is not a GA4 export in BigQuery's "
        "schema; correct 'path', or export the table again."
    )


def by_format(files: Sequence[ExportFile]) -> list[list[ExportFile]]:
    """The Parquet files, those that are packed, and the others; no empty list."""
    groups: dict[tuple[bool, bool], list[ExportFile]] = {}
    for file in files:
        groups.setdefault((file.is_parquet, file.is_gzip), []).append(file)
    return list(groups.values())


def relation(files: Sequence[ExportFile]) -> str:
    """FROM: the rows of files of one format."""
    listed = "[" + ", ".join("'" + file.path.replace("'", "''") + "'" for file in files) + "]"
    if files[0].is_parquet:
        return f"read_parquet({listed}, union_by_name = true)"
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in JSON_COLUMNS.items())
    return (
        f"read_json({listed}, columns = {{{columns}}}, format = 'newline_delimited', "
        f"compression = '{'gzip' if files[0].is_gzip else 'uncompressed'}', "
        "maximum_object_size = 67108864)"
    )


def broken(files: Sequence[ExportFile], error: duckdb.Error | UnicodeError) -> DayError:
    """Names the file that DuckDB stumbled over, where its words tell which; repeats no content."""
    path = next((file.path for file in files if file.path in str(error)), files[0].path)
    words = str(error).replace(path, "it").splitlines()[0]
    for pattern, left in _NOT_SAID.items():
        words = re.sub(pattern, left, words)
    return unreadable(path, shortened(words.rstrip(" .!")))


def _checksum(path: Path) -> str:
    file = ExportFile(str(path), None, 0, 0)
    return file.checksum()


def _replace(made: Path, target: Path) -> None:
    """A folder takes another's place: a reader finds the old one, the new one, or none a moment."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.replace(old)
    made.replace(target)
    shutil.rmtree(old, ignore_errors=True)
