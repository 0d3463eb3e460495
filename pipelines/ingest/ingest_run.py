"""One run's ingestion: every property and report into the build database.

Requests run side by side (GA4 allows ten, we take three); one thread writes. What fails leaves
what was there: an optional report's failure is that report's affair, whatever it is, a required
one's that property's, and the other properties go on. Where the quota ends or a circuit opens, the
property is asked no more; required reports come first, so that a night which has them publishes
what it has. What is pulled is planned in `pull_plan`.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import timedelta

import duckdb

from pipelines import __version__
from pipelines.clock import Clock, leave_pin
from pipelines.config.settings import Settings
from pipelines.errors import SluiceError
from pipelines.experiments.exposed import Exposed
from pipelines.ga4.api_errors import (
    AuditError,
    Ga4Error,
    LargeReportError,
    NotAskedError,
    RequestRefusedError,
)
from pipelines.ga4.client import Ga4Client, Profile
from pipelines.ga4.extract.pull import Pull
from pipelines.ga4.report_catalog import ReportKind, ReportSpec
from pipelines.garbage import give_back_memory
from pipelines.ingest.compatibility import unusable_reports
from pipelines.ingest.day_window import DayWindow
from pipelines.ingest.experiment_counts import count_experiments
from pipelines.ingest.property_access import profile_properties, with_closed_days, worth_waiting
from pipelines.ingest.pull_failures import concerns_property, ends_requests, status_of
from pipelines.ingest.pull_plan import PullTask, of_other_steps, offered, plan_pulls
from pipelines.ingest.sources import Sources, open_exports, open_shops, remember_days
from pipelines.sources.configured import named_sources
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.fetches import leave_out_unnamed
from pipelines.warehouse.load import (
    discard_empty_nights,
    ensure_tables,
    record_failure,
    replace_partitions,
    stored_rows,
)
from pipelines.warehouse.property_records import (
    remember_field_changes,
    remember_held_back,
    remember_properties,
    remember_readings,
    with_memory,
)
from pipelines.warehouse.runs import start_run

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


class NothingPulledError(SluiceError):
    """Every property was blocked while it was pulled: the next night tries them again."""

    exit_code = 2


@dataclass
class Outcome:
    """Rows written and problems met by report name, and the properties that failed.

    `ended`: what ended a property's requests (quota, circuit), also where it had all it needs.
    `lacking`: properties that lack a report which another night may have.
    """

    rows: dict[str, int] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    failures: dict[str, SluiceError] = field(default_factory=dict)
    ended: dict[str, Ga4Error] = field(default_factory=dict)
    lacking: set[str] = field(default_factory=set)


def ingest(
    settings: Settings,
    client: Ga4Client | None,
    reports: tuple[ReportSpec, ...],
    window: DayWindow,
    run: Run,
    experiments: Sequence[Exposed] = (),
) -> Outcome:
    """Pull and store `reports` for every property, and count `experiments`.

    `client` may be None where every property is read from an export. Failed properties are noted
    in `ops.held_back`, and the outcome tells of them. When no property is left, raises the failure
    that is most worth another try, or NothingPulledError.
    """
    give_back_memory()
    run = replace(run, clock=settings.clock)
    profiles, failures = profile_properties(settings, client)
    profiles, unclosed = with_closed_days(settings, profiles, window)
    sources, broken = _opened(settings, client, profiles, window, experiments)
    outcome = Outcome(failures={**failures, **unclosed, **broken})
    profiles = [sources.known(profile) for profile in profiles if sources.has(profile)]
    if leave_pin(settings.home, [item.id for item in settings.properties]):
        logger.info("%s was the demo's home: it is on today's time from now on.", settings.home)
    with build_database(settings.build_db) as connection:
        ensure_tables(connection, reports)
        profiles = with_memory(connection, profiles)
        remember_properties(connection, settings, profiles)
        leave_out_unnamed(
            connection, named_sources(settings), run_id=run.run_id, now=run.clock.now()
        )
        start_run(
            connection, run.run_id, run.command, window.start, window.end, __version__,
            run.clock.now(),
        )  # fmt: skip
        with ThreadPoolExecutor(CONCURRENT_REQUESTS, thread_name_prefix="ga4") as pool:
            wanted = [one for one in offered(profiles, reports) if sources.offers(*one)]
            items = plan_pulls(connection, settings, wanted, window, backfill_id=run.backfill_id)
            try:
                usable = _usable(connection, pool, sources, items, outcome, run)
                usable += sources.changed_days(connection, usable)
                _pull_all(connection, pool, sources, usable, outcome, run)
                if run.backfill_id is None:
                    again = of_other_steps(connection, settings, usable, window)
                    _pull_all(connection, pool, sources, again, outcome, run)
            except BaseException:
                sources.stop()
                pool.shutdown(cancel_futures=True)
                raise
            finally:
                remember_readings(connection, sources.take_readings(), run.clock)
        remember_days(
            connection, sources, reports, window, run_id=run.pull_run_id, now=run.clock.now()
        )
        sources.mark_counted(usable, {*outcome.failures, *outcome.lacking})
        if experiments:
            sound = [one for one in profiles if one.property_id not in outcome.failures]
            count_experiments(
                connection, sources, sound, experiments, window.end,
                today=run.clock.now().date(),
                settled=window.end - timedelta(days=settings.nightly.attribution_days),
            )  # fmt: skip
            remember_readings(connection, sources.take_readings(), run.clock)
        discard_empty_nights(connection)
        for property_id, error in outcome.failures.items():
            remember_held_back(
                connection, run.run_id, property_id, "pull", str(error), now=run.clock.now()
            )
    if len(outcome.failures) == len(settings.properties):
        error = worth_waiting(outcome.failures.values())
        if error.exit_code == 1:
            raise NothingPulledError(str(error)) from error
        raise error
    return outcome


def _opened(
    settings: Settings,
    client: Ga4Client | None,
    profiles: Sequence[Profile],
    window: DayWindow,
    experiments: Sequence[Exposed],
) -> tuple[Sources, dict[str, SluiceError]]:
    """What the properties are read from, and why others cannot be read."""
    asked = {one.property_id for one in profiles}
    exports, broken = open_exports(settings, window, asked, experiments)
    with build_database(settings.build_db) as connection:
        shops, untold = open_shops(connection, settings, window, asked)
    return Sources(client, exports, shops), {**broken, **untold}


def _usable(
    connection: duckdb.DuckDBPyConnection,
    pool: ThreadPoolExecutor,
    sources: Sources,
    items: Sequence[PullTask],
    outcome: Outcome,
    run: Run,
) -> list[PullTask]:
    """Items whose fields GA4 knows and calls compatible; the others are remembered."""
    refused: dict[str, dict[str, str]] = {}
    for profile in {item.property_id: item.profile for item in items}.values():
        if not profile.is_asked or sources.client is None:
            continue
        own = {item.spec.name: item.spec for item in items if item.profile is profile}
        refused[profile.property_id] = unusable_reports(
            connection, pool, sources.client, profile, tuple(own.values()), run.clock.now().date()
        )
    usable: list[PullTask] = []
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
    sources: Sources,
    items: Sequence[PullTask],
    outcome: Outcome,
    run: Run,
) -> None:
    """Pull and store `items`; one that takes too much memory by itself in halves of its days."""

    def work(item: PullTask) -> Pull:
        _refuse_hopeless(item, outcome)
        try:
            return sources.pull(item, run.clock)
        except Ga4Error as error:
            # What raised it holds the rows that were read so far, and an error is kept for long.
            raise error.with_traceback(None) from None

    waiting, futures = deque(items), dict[Future[Pull], PullTask]()
    number, total = 0, len(items)
    while waiting or futures:
        while waiting and len(futures) < PULLS_AHEAD:
            item = waiting.popleft()
            futures[pool.submit(work, item)] = item
        done = next(iter(wait(futures, return_when=FIRST_COMPLETED).done))
        item = futures.pop(done)
        if isinstance(done.exception(), LargeReportError) and (halves := item.halves()):
            waiting.extendleft(halves)
            total += 1
            continue
        _store(connection, done, item, outcome, run)
        # Its rows are not held while others are waited for.
        del done
        remember_readings(connection, sources.take_readings(), run.clock)
        number += 1
        logger.info("Pulled %s", item, extra={"progress": (number, total)})


def _store(
    connection: duckdb.DuckDBPyConnection,
    done: Future[Pull],
    item: PullTask,
    outcome: Outcome,
    run: Run,
) -> None:
    try:
        pulled = done.result()
        _refuse_nothing(connection, pulled)
    except Ga4Error as error:
        _remember_problem(connection, item, error, outcome, run)
        return
    written = replace_partitions(connection, pulled, run_id=run.pull_run_id)
    outcome.rows[item.spec.name] = outcome.rows.get(item.spec.name, 0) + written
    if item.spec.kind is ReportKind.METADATA:
        remember_field_changes(connection, item.property_id, run.clock.now())


def _refuse_nothing(connection: duckdb.DuckDBPyConnection, pulled: Pull) -> None:
    """Raise AuditError where GA4 calls a whole report empty of which rows are stored.

    Rows vanish one by one, and days may empty; that all of a report is gone is no news about its
    days, and must not empty them.
    """
    if pulled.rows.num_rows or not pulled.flags.empty_reason:
        return
    if count := stored_rows(connection, pulled):
        raise AuditError(
            f"GA4 reports no row of {pulled.spec.name} of property {pulled.property_id} from "
            f"{pulled.start} to {pulled.end} ({pulled.flags.empty_reason}), "
            f"where {count:,} are stored: these stay. Run the same night again later."
        )


def _remember_problem(
    connection: duckdb.DuckDBPyConnection,
    item: PullTask,
    error: Ga4Error,
    outcome: Outcome,
    run: Run,
) -> None:
    record_failure(
        connection, item.property_id, item.spec, (item.start, item.end),
        run_id=run.pull_run_id, status=status_of(error), message=str(error),
        now=run.clock.now(),
    )  # fmt: skip
    outcome.problems[item.spec.name] = str(error)
    if not isinstance(error, RequestRefusedError):
        outcome.lacking.add(item.property_id)
    # What ended the requests has been said; which reports it cost stands in `ops.pulls`.
    logger.log(logging.INFO if isinstance(error, NotAskedError) else logging.WARNING, "%s", error)
    has_ended = item.spec.kind.shares_core_quota and ends_requests(error)
    if has_ended:
        outcome.ended.setdefault(item.property_id, error)
    # A backfill is there to be whole: it goes on where it was.
    if concerns_property(item.spec, error) or (has_ended and run.backfill_id):
        outcome.failures.setdefault(item.property_id, error)


def _refuse_hopeless(item: PullTask, outcome: Outcome) -> None:
    """Raise instead of a request that is of no use any more, so that each report says it lacks."""
    reason: SluiceError | None = outcome.failures.get(item.property_id)
    if reason is None and item.spec.kind.shares_core_quota:
        reason = outcome.ended.get(item.property_id)
    if reason is not None:
        raise NotAskedError(
            f"The report {item.spec.name} of property {item.property_id} was not asked for any "
            f"more: {reason}"
        )
