"""One night's ingestion: every property and report of a window into the build database.

Requests run side by side (GA4 allows ten, we take three); one thread writes. A report that fails
leaves what was there; the others go on. No Dagster.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import duckdb

from pipelines import __version__
from pipelines.errors import ConfigError
from pipelines.ga4.client import Ga4Client, Profile
from pipelines.ga4.errors import AuditError, Ga4Error, RequestRefusedError
from pipelines.ga4.pull import Pull, pull_report
from pipelines.ga4.reports import ReportSpec
from pipelines.partitions import DayWindow, yesterday
from pipelines.settings import Property, Settings
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.load import (
    ensure_tables,
    record_failure,
    remember_properties,
    replace_partitions,
)
from pipelines.warehouse.runs import start_run

CONCURRENT_REQUESTS = 3
logger = logging.getLogger("sluice")


@dataclass
class Outcome:
    """Rows written and problems met, by report name."""

    rows: dict[str, int] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def check_properties(settings: Settings) -> None:
    """Before anybody is asked: is there something to ask for?

    Raises ConfigError when no property is configured, or one needs a source that is not there.
    """
    if not settings.properties:
        raise ConfigError(
            "No GA4 property is configured: put its id under properties in sluice.yml "
            "(sluice.example.yml shows how), or try 'sluice demo'."
        )
    for item in settings.properties:
        if item.source != "data_api":
            raise ConfigError(
                f"Property {item.id} has source '{item.source}', which this version cannot read "
                "yet: set its source to data_api in sluice.yml."
            )


def profile_properties(settings: Settings, client: Ga4Client) -> tuple[Profile, ...]:
    """Ask the server about every configured property; the first refusal is raised.

    Raises ConfigError as `check_properties` does.
    """
    check_properties(settings)
    return tuple(client.profile(item.id, _newest_day(item)) for item in settings.properties)


def ingest(
    settings: Settings,
    client: Ga4Client,
    reports: tuple[ReportSpec, ...],
    window: DayWindow,
    *,
    run_id: str,
    command: str,
) -> Outcome:
    """Pull and store `reports` for every property and day of `window`.

    Raises ConfigError for a window with days that are not over, and after all reports were
    tried the first error of a required one. A refused optional report is only remembered.
    """
    profiles = profile_properties(settings, client)
    _refuse_open_days(settings, profiles, window)
    outcome, fatal = Outcome(), list[Ga4Error]()
    with build_database(settings.build_db) as connection:
        ensure_tables(connection, reports)
        remember_properties(connection, settings, profiles)
        start_run(connection, run_id, command, window.start, window.end, __version__)
        with ThreadPoolExecutor(CONCURRENT_REQUESTS, thread_name_prefix="ga4") as pool:
            pulls = {
                pool.submit(
                    pull_report, client, profile.property_id, spec, window.start, window.end,
                    custom_dimensions=profile.custom_dimensions,
                ): (profile, spec)
                for profile in profiles
                for spec in reports
            }  # fmt: skip
            try:
                for done in as_completed(pulls):
                    profile, spec = pulls[done]
                    _store(connection, done, profile, spec, window, run_id, outcome, fatal)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    if fatal:
        raise fatal[0]
    return outcome


def _store(
    connection: duckdb.DuckDBPyConnection,
    done: Future[Pull],
    profile: Profile,
    spec: ReportSpec,
    window: DayWindow,
    run_id: str,
    outcome: Outcome,
    fatal: list[Ga4Error],
) -> None:
    try:
        pull = done.result()
    except Ga4Error as error:
        status = "held_back" if isinstance(error, AuditError) else "failed"
        record_failure(
            connection, profile.property_id, spec, (window.start, window.end),
            run_id=run_id, status=status, message=str(error),
        )  # fmt: skip
        outcome.problems[spec.name] = str(error)
        logger.warning("%s", error)
        if spec.is_required or not isinstance(error, RequestRefusedError | AuditError):
            fatal.append(error)
        return
    written = replace_partitions(connection, pull, run_id=run_id)
    outcome.rows[spec.name] = outcome.rows.get(spec.name, 0) + written


def _newest_day(item: Property) -> date:
    return yesterday(ZoneInfo(item.time_zone or "UTC"), datetime.now(UTC))


def _refuse_open_days(settings: Settings, profiles: tuple[Profile, ...], window: DayWindow) -> None:
    configured = {item.id: item.time_zone for item in settings.properties}
    for profile in profiles:
        zone = ZoneInfo(configured[profile.property_id] or profile.time_zone or "UTC")
        newest = yesterday(zone)
        if window.end > newest:
            raise ConfigError(
                f"{window.end} is not over yet in {zone} (property {profile.property_id}): the "
                f"newest complete day is {newest}, use --date {newest} or an earlier one."
            )
