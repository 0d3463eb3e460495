"""What has to be right on this machine: room on the disk, and nights that come by themselves."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from rich.filesize import decimal

from pipelines.config.settings import Settings
from pipelines.errors import WarehouseError
from pipelines.export.engine import open_engine
from pipelines.export.errors import ExportError
from pipelines.ingest.run_window import remembered_zone
from pipelines.monitoring.doctor.step_model import Step, not_yet, right, wrong
from pipelines.monitoring.health import PATIENCE
from pipelines.monitoring.home_lock import lock_path, no_run
from pipelines.monitoring.lost_days import lost_days
from pipelines.publishing.versions import DATABASE, Version, find_versions
from pipelines.warehouse.connect import build_database, unlocked
from pipelines.wording import local

DISK, WAREHOUSE, ENGINE, SCHEDULE = "disk", "build database", "engine", "schedule"
# A night writes dbt's scratch and one more version before old ones go (house default).
LEAST_FREE = 1_000_000_000
_LAST_NIGHT = """
    select finished_at, window_end from ops.runs
    where status in ('published', 'partly_published') and command in ('nightly', 'schedule')
        and finished_at is not null
    order by finished_at desc limit 1
"""


def disk_step(settings: Settings) -> Step:
    """The home can be written to, and a night more fits on its disk."""
    home = settings.home
    place = next(path for path in (home, *home.parents) if path.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return wrong(
            DISK,
            f"{place} cannot be written to: correct its permissions, or name another home in "
            "sluice.yml.",
        )
    used, free = _size(home), shutil.disk_usage(place).free
    # The build database may be written anew, and a version is a copy of what it publishes.
    need = max(LEAST_FREE, 2 * _size(settings.build_db))
    facts = {"free_bytes": free, "home_bytes": used, "needed_bytes": need}
    room = f"{decimal(free)} free, {home} holds {decimal(used)}"
    if free < need:
        return wrong(
            DISK,
            f"Only {room}, and a night may need {decimal(need)}: make room, or lower "
            "publish.keep_versions in sluice.yml.",
            facts=facts,
        )
    return right(DISK, room, facts=facts)


def database_step(settings: Settings) -> Step:
    """The build database can be read; beside a run, which has it open, it is not looked at."""
    if reason := lost_days(settings):
        return wrong(WAREHOUSE, f"{reason}.")
    if not settings.build_db.exists():
        return not_yet(WAREHOUSE, "none yet: the first night makes it")
    with no_run(lock_path(settings)) as is_idle:
        if not is_idle:
            return right(WAREHOUSE, "a run has it open")
        try:
            with build_database(settings.build_db, read_only=True) as connection:
                connection.execute("select count(*) from ops.runs")
        except (WarehouseError, duckdb.Error) as error:
            return wrong(
                WAREHOUSE,
                f"{str(error).splitlines()[0].rstrip('.')}: no night can run; "
                'docs/operations.md, "When something is lost", says what to do.',
            )
    return right(WAREHOUSE, f"{settings.build_db} can be read")


def engine_steps(settings: Settings) -> tuple[Step, ...]:
    """What counts exports can start; DuckDB always does, and is not spoken of."""
    if settings.engine == "duckdb":
        return ()
    try:
        open_engine(settings.engine, settings.landed_dir)
    except ExportError as error:
        return (wrong(ENGINE, str(error)),)
    return (right(ENGINE, f"{settings.engine} starts"),)


def schedule_step(settings: Settings, now: datetime) -> Step:
    """A night was published lately; read from the newest published version, never the build."""
    hour, minute = settings.nightly.at.split(":")
    cron = f"by cron, '{int(minute)} {int(hour)} * * * … sluice nightly', or by Dagster's daemon"
    versions, damaged = find_versions(settings.published_dir)
    newest = max((*damaged, *(version.name for version in versions)), default="")
    if newest in damaged:
        return wrong(
            SCHEDULE,
            f"The published version {newest} is damaged ({damaged[newest]}): run 'sluice nightly' "
            "to publish another.",
        )
    if not versions:
        return not_yet(
            SCHEDULE,
            f"No night was published in {settings.home} yet: run 'sluice nightly' once, then let "
            f"it start every night ({cron}).",
        )
    try:
        night = _last_night(versions[-1])
    except duckdb.Error as error:
        return wrong(
            SCHEDULE,
            f"The published version {versions[-1].name} cannot be read "
            f"({str(error).splitlines()[0]}): run 'sluice nightly' to publish another.",
        )
    if night is None:
        return wrong(
            SCHEDULE,
            f"What is published in {settings.home} comes from other commands, not from a night: "
            f"let 'sluice nightly' start every night ({cron}).",
        )
    finished, last_day = night
    zone = remembered_zone(settings)
    when = f"{local(finished, zone)} in {zone}, days up to {last_day}"
    facts = {"last_night": finished.isoformat(), "last_day": last_day}
    if now - finished > PATIENCE:
        return wrong(
            SCHEDULE,
            f"The last night was published {_ago(now - finished)} ({when}): 'sluice status' tells "
            f"how later ones ended; if there are none, let it start every night ({cron}).",
            facts=facts,
        )
    return right(SCHEDULE, f"last night published {when}", facts=facts)


def _last_night(version: Version) -> tuple[datetime, str] | None:
    """When the last night ended, and its last day."""
    with (
        unlocked(version.path / DATABASE) as free,
        duckdb.connect(str(free), read_only=True) as connection,
    ):
        row = connection.execute(_LAST_NIGHT).fetchone()
    return None if row is None else (row[0].astimezone(UTC), str(row[1]))


def _size(place: Path) -> int:
    """Bytes of a file, or of all in a folder, each once; a run may take files away meanwhile."""
    paths = (Path(root, name) for root, _, names in os.walk(place) for name in names)
    sizes = {}
    for path in paths if place.is_dir() else (place,):
        with suppress(FileNotFoundError):
            facts = path.lstat()
            # Versions have months of Parquet in common.
            sizes[facts.st_ino] = facts.st_size
    return sum(sizes.values())


def _ago(age: timedelta) -> str:
    return f"{age.days} days ago" if age.days > 1 else f"{age.total_seconds() / 3600:.0f} hours ago"
