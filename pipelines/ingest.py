"""One run's ingestion: every property and report into the build database.

Requests run side by side (GA4 allows ten, we take three); one thread writes. What fails leaves
what was there: a refused optional report is that report's affair, a required one that property's,
and the other properties go on. What is pulled is planned in `work`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import islice

import duckdb

from pipelines import __version__
from pipelines.clock import Clock, leave_pin
from pipelines.errors import SluiceError
from pipelines.fieldchecks import unusable_reports
from pipelines.ga4.client import Ga4Client
from pipelines.ga4.errors import (
    AuditError,
    CircuitOpenError,
    CredentialsError,
    Ga4Error,
    PropertyError,
    QuotaError,
    RequestRefusedError,
    ThresholdedQuotaError,
)
from pipelines.ga4.pull import Pull, pull
from pipelines.ga4.reports import ReportSpec
from pipelines.partitions import DayWindow
from pipelines.properties import profile_properties, with_closed_days
from pipelines.settings import Settings
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.load import (
    FAILED,
    HELD_BACK,
    REFUSED,
    SKIPPED,
    ensure_tables,
    record_failure,
    replace_partitions,
)
from pipelines.warehouse.properties import (
    remember_field_changes,
    remember_held_back,
    remember_properties,
    remember_readings,
)
from pipelines.warehouse.runs import start_run
from pipelines.work import Item, plan_items

CONCURRENT_REQUESTS = 3
# Pulls under way or not yet written: a slow disk must not fill the memory, and what a kill finds
# unwritten has been paid for in vain.
PULLS_AHEAD = CONCURRENT_REQUESTS + 1
logger = logging.getLogger("sluice")


@dataclass(frozen=True)
class Run:
    """Which run this is. `backfill_id` lets a killed backfill go on where it was.

    `clock` gives the stamps; `ingest` takes the home's.
    """

    run_id: str
    command: str
    backfill_id: str | None = None
    clock: Clock = field(default_factory=Clock)

    @property
    def pull_run_id(self) -> str:
        """The id that stands with pulls: the backfill's, over all of its runs."""
        return self.backfill_id or self.run_id


@dataclass
class Outcome:
    """Rows written and problems met by report name, and the properties that failed."""

    rows: dict[str, int] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    failures: dict[str, SluiceError] = field(default_factory=dict)


def ingest(
    settings: Settings,
    client: Ga4Client,
    reports: tuple[ReportSpec, ...],
    window: DayWindow,
    run: Run,
) -> Outcome:
    """Pull and store `reports` for every property.

    Raises the first failure when no property is left; otherwise failed properties are noted in
    `ops.held_back`, and the outcome tells of them.
    """
    run = replace(run, clock=settings.clock)
    profiles, failures = profile_properties(settings, client)
    profiles, unclosed = with_closed_days(settings, profiles, window)
    outcome = Outcome(failures={**failures, **unclosed})
    if leave_pin(settings.home, [item.id for item in settings.properties]):
        logger.info("%s was the demo's home: it is on today's time from now on.", settings.home)
    with build_database(settings.build_db) as connection:
        ensure_tables(connection, reports)
        remember_properties(connection, settings, profiles)
        start_run(
            connection, run.run_id, run.command, window.start, window.end, __version__,
            run.clock.now(),
        )  # fmt: skip
        with ThreadPoolExecutor(CONCURRENT_REQUESTS, thread_name_prefix="ga4") as pool:
            wanted = [(profile, spec) for profile in profiles for spec in reports]
            items = plan_items(connection, settings, wanted, window, backfill_id=run.backfill_id)
            try:
                usable = _usable(connection, pool, client, items, outcome, run)
                _pull_all(connection, pool, client, usable, outcome, run)
            except BaseException:
                client.governor.stop()
                pool.shutdown(cancel_futures=True)
                raise
            finally:
                remember_readings(connection, client.governor.take_readings(), run.clock)
        for property_id, error in outcome.failures.items():
            remember_held_back(
                connection, run.run_id, property_id, "pull", str(error), now=run.clock.now()
            )
    if len(outcome.failures) == len(settings.properties):
        raise next(iter(outcome.failures.values()))
    return outcome


def _usable(
    connection: duckdb.DuckDBPyConnection,
    pool: ThreadPoolExecutor,
    client: Ga4Client,
    items: Sequence[Item],
    outcome: Outcome,
    run: Run,
) -> list[Item]:
    """Items whose fields GA4 knows and calls compatible; the others are remembered."""
    refused: dict[str, dict[str, str]] = {}
    for profile in {item.property_id: item.profile for item in items}.values():
        own = {item.spec.name: item.spec for item in items if item.profile is profile}
        try:
            refused[profile.property_id] = unusable_reports(
                connection, pool, client, profile, tuple(own.values()), run.clock.now().date()
            )
        except Ga4Error as error:
            outcome.failures[profile.property_id] = error
    usable: list[Item] = []
    for item in items:
        message = refused.get(item.property_id, {}).get(item.spec.name)
        if message is None:
            usable.append(item)
        else:
            _remember_problem(connection, item, RequestRefusedError(message), outcome, run)
    return usable


def _pull_all(
    connection: duckdb.DuckDBPyConnection,
    pool: ThreadPoolExecutor,
    client: Ga4Client,
    items: Sequence[Item],
    outcome: Outcome,
    run: Run,
) -> None:
    def work(item: Item) -> Pull | None:
        if item.property_id in outcome.failures:
            return None
        return pull(
            client,
            item.property_id,
            item.spec,
            item.start,
            item.end,
            custom_dimensions=item.profile.custom_dimensions,
            fields=item.profile.fields,
            clock=run.clock,
        )

    waiting, futures = iter(items), dict[Future[Pull | None], Item]()
    for number in range(1, len(items) + 1):
        for item in islice(waiting, PULLS_AHEAD - len(futures)):
            futures[pool.submit(work, item)] = item
        done = next(iter(wait(futures, return_when=FIRST_COMPLETED).done))
        item = futures.pop(done)
        _store(connection, done, item, outcome, run)
        remember_readings(connection, client.governor.take_readings(), run.clock)
        logger.info("Pulled %s", item, extra={"progress": (number, len(items))})


def _store(
    connection: duckdb.DuckDBPyConnection,
    done: Future[Pull | None],
    item: Item,
    outcome: Outcome,
    run: Run,
) -> None:
    try:
        pulled = done.result()
    except Ga4Error as error:
        _remember_problem(connection, item, error, outcome, run)
        return
    if pulled is None:
        return
    written = replace_partitions(connection, pulled, run_id=run.pull_run_id)
    outcome.rows[item.spec.name] = outcome.rows.get(item.spec.name, 0) + written
    if item.spec.kind == "metadata":
        remember_field_changes(connection, item.property_id, run.clock.now())


def _remember_problem(
    connection: duckdb.DuckDBPyConnection,
    item: Item,
    error: Ga4Error,
    outcome: Outcome,
    run: Run,
) -> None:
    record_failure(
        connection, item.property_id, item.spec, (item.start, item.end),
        run_id=run.pull_run_id, status=_status(error), message=str(error),
        now=run.clock.now(),
    )  # fmt: skip
    outcome.problems[item.spec.name] = str(error)
    logger.warning("%s", error)
    if _concerns_property(item.spec, error):
        outcome.failures.setdefault(item.property_id, error)


def _status(error: Ga4Error) -> str:
    match error:
        case AuditError():
            return HELD_BACK
        case RequestRefusedError():
            return REFUSED
        case ThresholdedQuotaError():
            return SKIPPED
    return FAILED


def _concerns_property(spec: ReportSpec, error: Ga4Error) -> bool:
    """Whether the property's night fails with this report."""
    if spec.kind in {"funnel", "next_action"} or isinstance(error, ThresholdedQuotaError):
        # The alpha API has a quota of its own; a dimension that GA4 would threshold can wait.
        return False
    fatal = PropertyError | CredentialsError | QuotaError | CircuitOpenError
    return spec.is_required or isinstance(error, fatal)
