"""Dagster's event log in one SQLite file with one open connection a process.

A night writes about a thousand events. Dagster's default opens two databases anew for each of
them, and plans a range of days as one event per asset *and* day, and as one row per check and day
that nothing ever completes (our checks have no partitions): 28 s and 42 MB for a range of 30 and
of 90 days on two cores, against 2 s and 7 MB this way. And for every output it looks up the last
event of all that the asset reads, to number the versions of data that nobody here asks about.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dagster import DagsterEventType, EventLogEntry
from dagster._core.execution.context.system import StepExecutionContext
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster_shared.record import replace
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy import event as engine_event
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

BUSY_SECONDS = 60


def write_less() -> None:
    """Store the days of an asset together, and have no run number the versions of its inputs.

    That is 2 % and 5 % of a night on tiny data, and most of the events of a backfill.
    """
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")
    context: Any = StepExecutionContext
    context.fetch_external_input_asset_version_info = lambda _: None


class EventLog(ConsolidatedSqliteEventLogStorage):
    """Named in `dagster.yaml`, so that the UI and the daemon read the same log."""

    _engine: Engine | None = None
    _tables: frozenset[str] = frozenset()

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        if self._engine is None:
            self._engine = create_engine(
                self._conn_string,
                poolclass=QueuePool,
                connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
            )
            engine_event.listen(self._engine, "connect", _relax)
        with self._engine.connect() as connection, connection.begin():
            yield connection

    def has_table(self, table_name: str) -> bool:
        """As the library's, which opens the file anew for each of 2,000 questions a night."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables |= {table_name}
        return table_name in self._tables

    @property
    def supports_partition_subset_in_asset_materialization_planned_events(self) -> bool:
        """One planned event per asset of a run, whatever its range of days."""
        return True

    def store_event(self, event: EventLogEntry) -> None:
        """As the library's; a planned check is stored once, not once a day.

        That a step had an output is not stored: each of ours is an asset, whose materialization is.
        """
        planned = event.dagster_event
        if planned and planned.event_type is DagsterEventType.STEP_OUTPUT:
            return
        if planned and planned.event_type is DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
            data = replace(planned.asset_check_planned_data, partitions_subset=None)
            event = event._replace(dagster_event=planned._replace(event_specific_data=data))
        super().store_event(event)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """The materializations of one asset's days: in one transaction, the asset's row once."""
        ids = []
        with self._connect() as connection:
            for event in events:
                inserted: Any = connection.execute(self.prepare_insert_event(event))
                ids.append(inserted.inserted_primary_key[0])
            self._store_asset_event_tags(connection, events, ids)
            self._store_asset_event(connection, events[-1], ids[-1])

    def dispose(self) -> None:
        """Close the connection with the instance."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None
        super().dispose()  # type: ignore[no-untyped-call]


def _relax(connection: object, _: ConnectionPoolEntry) -> None:
    """In WAL mode NORMAL cannot corrupt the file; a power cut may lose the last log lines."""
    connection.execute("PRAGMA synchronous=NORMAL")  # type: ignore[attr-defined]
