"""Each day of an export, decoded once: nested rows become flat, typed Parquet under the home.

`landed/<property>/<day>/` holds five files and the record of them:

- `events.parquet`, one row an event of a known user: `moment` (µs since 1970, UTC), `position`
  (its place in the files), `event_name`, `user_key`, `session_key` (NULL without a session),
  `is_engaged`, `is_active`, `engagement_msec`, `events` (1), `orders` (0 or 1), `revenue_micros`,
  `page_path`, one text column for each dimension and parameter that the reports use.
- `counts.parquet`, the same without moment, page and parameters, added up by what is left.
- `items.parquet`, units and revenue of items by event, item and list.
- `sessions.parquet`, one row a session: what belongs to it as a whole.
- `orders.parquet`, the orders of the day.
- `day.json`: which files it was made of, and what was left out.

Keys are 64-bit hashes: of ten million sessions two share one with a chance of 1 in 370,000.
A session that began the day before keeps what it began with, so days are landed in order.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import duckdb

from pipelines.checksums import sha256_of
from pipelines.export.errors import ExportError, in_one_line
from pipelines.export.files import ExportFile
from pipelines.export.flat import FlatColumns
from pipelines.export.staging import stage
from pipelines.sql_text import literal
from pipelines.warehouse.connect import quiet, scratch_database

# A change of what is landed lands every day anew.
LAYOUT = 1
# An empty file: the reports of the day as it is landed are stored.
COUNTED = "counted"


@dataclass(frozen=True)
class LandedDay:
    """The record of a landed day.

    `rows`: in its files; of these `without_user` have no user (consent denied), `duplicates` are
    there twice, `other_days` belong to another date, `unnamed` have no event name or time; these
    are left out. `without_session` are counted, but belong to no session. `sessions`: those that
    the day has an event of; of `without_channel` nobody can tell the channel group.
    `repeated_orders`: those that an earlier day has, where they are counted.
    """

    day: str
    layout: int
    flat: str
    files: tuple[tuple[str, int, int, str], ...]
    before: str
    repeated_orders: tuple[str, ...]
    rows: int
    without_user: int
    without_session: int
    duplicates: int
    other_days: int
    unnamed: int
    sessions: int
    without_channel: int
    sessions_checksum: str

    @cached_property
    def fingerprint(self) -> str:
        """Names what the day was made of."""
        return repr((self.files, self.flat, self.before, self.repeated_orders))


@dataclass(frozen=True)
class Landing:
    """The landed days of one property. One thread lands; any may read.

    `folder`: has a folder a day. `flat`: what is landed of each event.
    """

    folder: Path
    flat: FlatColumns

    def path(self, day: date, name: str) -> Path:
        """One file of a landed day."""
        return self.folder / day.isoformat() / name

    def days(self) -> list[date]:
        """Landed days, oldest first."""
        if not self.folder.is_dir():
            return []
        names = (path.name for path in self.folder.iterdir() if (path / "day.json").is_file())
        return sorted(date.fromisoformat(name) for name in names if name[:1] != ".")

    def recover(self) -> None:
        """What a killed run left: a day that had lost its place to none yet gets it back."""
        for old in self.folder.glob(".*.old"):
            target = old.with_name(old.name.removeprefix(".").removesuffix(".old"))
            if not target.exists():
                old.rename(target)
        for rest in (*self.folder.glob(".*.old"), *self.folder.glob(".*.unfinished")):
            shutil.rmtree(rest, ignore_errors=True)

    def other_repeats(self) -> dict[date, tuple[str, ...]]:
        """Landed days that were landed with other repeated orders than an earlier day has by now,
        and which these are.
        """
        paths = [str(self.path(day, "orders.parquet")) for day in self.days()]
        if not paths:
            return {}
        with quiet(duckdb.connect(":memory:")) as connection:
            connection.read_parquet(paths, filename=True).create_view("files")
            found = connection.execute(
                """
                SELECT day, list(order_id ORDER BY order_id) FROM (
                    SELECT order_id, CAST(parse_path(filename, 'both_slash')[-2] AS DATE) AS day
                    FROM files QUALIFY day > min(day) OVER (PARTITION BY order_id)
                ) GROUP BY day
                """
            ).fetchall()
        repeated = {day: tuple(orders) for day, orders in found}
        return {
            day: repeated.get(day, ())
            for day in self.days()
            if (one := self.record(day)) and one.repeated_orders != repeated.get(day, ())
        }

    def damaged(self, error: duckdb.Error) -> ExportError:
        """The sentence about landed files that cannot be read."""
        words = str(error).splitlines()[0]
        if isinstance(error, duckdb.OutOfMemoryException):
            return ExportError(
                f"The landed events in {in_one_line(str(self.folder))} take more memory than there "
                f"is ({words}): give this process more, or have Spark count them ('engine: spark')."
            )
        return ExportError(
            f"The landed events in {in_one_line(str(self.folder))} cannot be read ({words}): "
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
            values["repeated_orders"] = tuple(values["repeated_orders"])
            return LandedDay(**values)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def is_current(self, day: date, files: Sequence[ExportFile]) -> bool:
        """Whether a day is landed from just these files as they are, in today's columns.

        A file of another time but the same content is the same file.
        """
        found = self.record(day)
        if found is None or (found.layout, found.flat) != (LAYOUT, self.flat.fingerprint):
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

    def land(
        self, day: date, files: Sequence[ExportFile], repeated: Sequence[str] = ()
    ) -> LandedDay:
        """Decode a day's files. What was landed before stays until all of it is written.

        `repeated`: orders that an earlier day has (`other_repeats`). Raises DayError: a file is
        empty, broken, or no export.
        """
        unfinished = self.folder / f".{day.isoformat()}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        try:
            # Before they are read: a file that changes meanwhile is another one tomorrow.
            known = tuple((f.path, f.size, f.changed_ns, f.checksum()) for f in files)
            with _database(unfinished) as connection:
                found = self._write(connection, day, files, known, tuple(repeated), unfinished)
            (unfinished / "day.json").write_text(json.dumps(asdict(found)), encoding="utf-8")
            _replace(unfinished, self.folder / day.isoformat())
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return found

    def _write(
        self,
        connection: duckdb.DuckDBPyConnection,
        day: date,
        files: Sequence[ExportFile],
        known: tuple[tuple[str, int, int, str], ...],
        repeated: tuple[str, ...],
        folder: Path,
    ) -> LandedDay:
        facts = stage(connection, day, files, self.flat)
        before = self.path(day - timedelta(days=1), "sessions.parquet")
        connection.execute(self.flat.sessions_sql(before if before.exists() else None))
        connection.execute(
            "CREATE TEMP TABLE earlier_orders AS SELECT unnest(?::VARCHAR[]) AS order_id",
            [list(repeated)],
        )
        connection.execute(self.flat.orders_sql())
        for name, sql in self.flat.outputs(folder).items():
            connection.execute(f"COPY ({sql}) TO {literal(folder / name)} (FORMAT parquet)")
        (without_session, sessions, without_channel) = connection.execute(
            "SELECT (SELECT count(*) FROM staged WHERE session_key IS NULL), count(*), "
            f"count(*) FILTER ({self.flat.no_channel}) FROM sessions"
        ).fetchone() or (0, 0, 0)
        return LandedDay(
            day=day.isoformat(), layout=LAYOUT, flat=self.flat.fingerprint,
            files=known, before=self._before(day), repeated_orders=repeated,
            without_session=without_session, sessions=sessions, without_channel=without_channel,
            sessions_checksum=sha256_of(folder / "sessions.parquet"), **facts,
        )  # fmt: skip

    def _before(self, day: date) -> str:
        """Names what the day before says of sessions that go on; '' where it is not landed."""
        found = self.record(day - timedelta(days=1))
        return found.sessions_checksum if found else ""


def _database(folder: Path) -> duckdb.DuckDBPyConnection:
    connection = scratch_database(folder / "spill")
    connection.execute("SET preserve_insertion_order = false")
    return connection


def _replace(made: Path, target: Path) -> None:
    """A folder takes another's place: a reader finds the old one, the new one, or none a moment."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.replace(old)
    made.replace(target)
    shutil.rmtree(old, ignore_errors=True)
