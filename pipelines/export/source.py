"""The export as a source of pulls: lands what is new, then counts each report exactly."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.clock import Clock
from pipelines.config.settings import Property
from pipelines.config.tracking_plan import Funnel, FunnelStep
from pipelines.export.engine import DuckDb, Engine
from pipelines.export.errors import DayError, ExportError, NewestDayError
from pipelines.export.files import ExportFile, find_files
from pipelines.export.flat import CHANNEL, FlatColumns
from pipelines.export.funnels import events_seen, next_actions, step_counts
from pipelines.export.landing import LandedDay, Landing
from pipelines.export.reading import days_inside
from pipelines.export.reports import Counter
from pipelines.ga4.api_errors import RequestRefusedError
from pipelines.ga4.client import Profile
from pipelines.ga4.date_windows import (
    Period,
    days_between,
    newest_month,
    trailing,
    window_partitions,
)
from pipelines.ga4.decode.report_answer import Flags
from pipelines.ga4.extract.daily_reports import RANKING_DAYS, with_constants
from pipelines.ga4.extract.funnel_reports import WINDOW_DAYS, event_names, found_funnels
from pipelines.ga4.extract.pull import EXPORT, Pull, as_pull
from pipelines.ga4.extract.user_reports import user_rows, user_windows
from pipelines.ga4.report_query import Answer, Found, no_rows
from pipelines.ga4.report_spec import DATE, ReportKind, ReportSpec

logger = logging.getLogger("sluice")


@dataclass
class ExportSource:
    """One property's export.

    `failed`: days whose files could not be read in this run, and why; what was landed of them
    before stays. `landed`: the record of every day that can be counted, after `land`.
    """

    settings: Property
    landing: Landing
    engine: Engine
    report_names: frozenset[str]
    failed: dict[date, DayError] = field(default_factory=dict)
    landed: dict[date, LandedDay] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        folder: Path,
        settings: Property,
        reports: Iterable[ReportSpec],
        engine: Engine | None = None,
    ) -> ExportSource:
        """The source of a property whose `source` is `export`; nothing is read yet.

        `reports`: all of the plan, so that a day is landed once for all of them. `engine`: what
        counts them, DuckDB unless given.
        """
        specs = [spec for spec in reports if spec.kind is not ReportKind.METADATA]
        landing = Landing(folder / settings.id, FlatColumns.of(specs))
        return cls(settings, landing, engine or DuckDb(), frozenset(spec.name for spec in specs))

    def profile(self) -> Profile:
        """Time zone and currency are those of the settings: files do not tell them."""
        return Profile(
            self.settings.id, self.settings.time_zone, self.settings.currency,
            frozenset(self.landing.flat.parameters), is_asked=False,
        )  # fmt: skip

    def land(self, start: date, end: date) -> None:
        """Land the days that the reports from `start` to `end` read, and any that changed.

        Raises ExportError where the files cannot be found, and NewestDayError where those of
        `end` are not there yet.
        """
        self.landing.recover()
        files = files_by_day(self.settings)
        first = min(start - timedelta(days=RANKING_DAYS), newest_month(end).start)
        known = set(self.landing.days())
        try:
            for day in sorted(files):
                if day in known or first - timedelta(days=1) <= day <= end:
                    with self._failure_noted(day):
                        if not self.landing.is_current(day, files[day]):
                            self.landing.land(day, files[day])
            for day, repeated in self.landing.other_repeats().items():
                with self._failure_noted(day):
                    if day in files:
                        self.landing.land(day, files[day], repeated)
        except duckdb.Error as error:
            raise self.landing.damaged(error) from error
        records = {day: self.landing.record(day) for day in self.landing.days()}
        self.landed = {day: record for day, record in records.items() if record}
        if end in self.landed:
            return
        if end in self.failed:
            raise ExportError(f"Property {self.settings.id} waits for {end}: {self.failed[end]}")
        newest = max((day for day in files if day <= end), default=None)
        raise NewestDayError(
            f"The export of property {self.settings.id} has no file of {end} yet "
            f"({'its newest is of ' + str(newest) if newest else 'nor of any day before'}): "
            "run the same command again when BigQuery has written it, or set nightly.at later."
        )

    @contextmanager
    def _failure_noted(self, day: date) -> Iterator[None]:
        try:
            yield
        except DayError as error:
            self.failed[day] = error
            logger.warning("Property %s, %s stays as it was: %s", self.settings.id, day, error)

    def absent_days(self, start: date, end: date) -> dict[date, str]:
        """Days from `start` to `end`, since the first landed one, of which nothing is; why."""
        return {
            day: str(self.failed.get(day, "The export has no file of that day."))
            for day in days_between(max(start, min(self.landed, default=end)), end)
            if day not in self.landed
        }

    def uncounted(self, first: date) -> list[date]:
        """Days from `first` on that were landed anew since their reports were last stored."""
        return [day for day in self.landing.uncounted() if day >= first]

    def pull(self, spec: ReportSpec, start: date, end: date, *, clock: Clock) -> Pull:
        """Count `spec` for the landed days from `start` to `end`, or the windows that end there.

        Raises RequestRefusedError for a dimension that the export route does not know.
        """
        if unknown := self.landing.flat.missing(spec):
            raise RequestRefusedError(
                f"The export of property {self.settings.id} cannot split by "
                f"{', '.join(unknown)}, so the report {spec.name} is left out: choose another "
                "dimension in segments.csv."
            )
        try:
            found = self._found_by(spec, start, end)
        except duckdb.Error as error:
            raise self.landing.damaged(error) from error
        return as_pull(found, self.settings.id, spec, start, end, clock, EXPORT)

    def _found_by(self, spec: ReportSpec, start: date, end: date) -> Found:
        counter = Counter(self.landing, self.engine)
        days = [day for day in self.landed if day <= end]
        match spec.kind:
            case ReportKind.DAILY:
                return self._days(counter, spec, days_between(start, end), days)
            case ReportKind.USERS_WINDOW:
                return self._users(counter, spec, end, days)
            case ReportKind.FUNNEL:
                return self._funnels(counter, spec, start, end, days)
            case ReportKind.NEXT_ACTION:
                window = trailing(WINDOW_DAYS, end)
                tables = [
                    table
                    for funnel in spec.funnels
                    for table in next_actions(counter, funnel, window, days)
                ]
                return self._found(spec, tables, window_partitions((window,)), days)
        raise RequestRefusedError(f"The export has no report {spec.name}.")

    def _days(
        self, counter: Counter, spec: ReportSpec, asked: Sequence[date], landed: Sequence[date]
    ) -> Found:
        wanted = sorted(set(asked) & set(landed))
        among = counter.top_values(spec, landed, asked[-1]) if spec.top is not None else None
        tables = [
            with_constants(counter.rows(spec, part, wanted, among), part) for part in spec.parts
        ]
        return self._found(spec, tables, pa.table({DATE: pa.array(wanted, pa.date32())}), wanted)

    def _users(self, counter: Counter, spec: ReportSpec, end: date, days: Sequence[date]) -> Found:
        windows = user_windows(end)
        tables = [
            user_rows(partial(counter.users, spec, part, days), spec, part, windows)
            for part in spec.parts
        ]
        return self._found(spec, tables, window_partitions(windows), days)

    def _funnels(
        self, counter: Counter, spec: ReportSpec, start: date, end: date, days: Sequence[date]
    ) -> Found:
        window = trailing(WINDOW_DAYS, end)
        inside = [day for day in days if day >= window.start]

        def count(
            funnel: Funnel, steps: Sequence[FunnelStep], periods: Sequence[Period]
        ) -> list[Answer]:
            tables = step_counts(counter, funnel, steps, periods, days)
            return [self._answer(table, days) for table in tables]

        seen = events_seen(counter, event_names(spec), inside)
        asked = [day for day in days_between(start, end) if day in set(days)]
        return found_funnels(spec, window, asked, seen, count)

    def _found(
        self, spec: ReportSpec, tables: Sequence[pa.Table], partitions: pa.Table,
        days: Sequence[date],
    ) -> Found:  # fmt: skip
        nothing = no_rows(spec)
        alike = (table.select(spec.own_columns).cast(nothing.schema) for table in tables)
        rows = pa.concat_tables([nothing, *alike])
        return Found(rows, partitions, (self._answer(rows, days),), notes=self._notes(spec, days))

    def _notes(self, spec: ReportSpec, days: Sequence[date]) -> tuple[str, ...]:
        """What was left out of the days, and what nobody could tell of their sessions."""
        records = [self.landed[day] for day in days]
        rows = sum(one.rows for one in records)
        notes = [
            f"{count:,} of {rows:,} rows of the export {why}."
            for why, count in (
                ("have no user and are not counted", sum(one.without_user for one in records)),
                ("were there twice", sum(one.duplicates for one in records)),
                ("belong to other days", sum(one.other_days for one in records)),
                ("have no event name or time", sum(one.unnamed for one in records)),
            )
            if count
        ]
        unknown = sum(one.without_channel for one in records)
        if unknown and CHANNEL in spec.dimensions:
            sessions = sum(one.sessions for one in records)
            notes.append(f"Of {sessions:,} sessions {unknown:,} have no channel in the export.")
        return tuple(notes)

    def _answer(self, rows: pa.Table, days: Sequence[date]) -> Answer:
        """Nothing is sampled, withheld or folded; the hash tells which files were counted."""
        flags = Flags(
            currency=self.settings.currency or "", time_zone=self.settings.time_zone or ""
        )
        told = "".join(self.landed[day].fingerprint for day in days)
        return Answer(rows, flags, 0, request_hash=hashlib.sha256(told.encode()).hexdigest()[:16])


def files_by_day(settings: Property) -> dict[date, list[ExportFile]]:
    """Day → its files, sorted by path. Raises ExportError."""
    assert settings.path is not None, "settings refuse an export without a path"
    found: dict[date, list[ExportFile]] = {}
    for file in find_files(settings.path):
        for day in [file.day] if file.day else days_inside(file):
            found.setdefault(day, []).append(file)
    return found
