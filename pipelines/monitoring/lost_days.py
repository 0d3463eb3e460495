"""Days that readers have and the build database lacks: what a run would take away from them."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb

from pipelines.config.settings import Settings
from pipelines.errors import WarehouseError
from pipelines.warehouse.connect import build_database, published_database
from pipelines.warehouse.first_days import first_loaded_days


def refuse_lost_days(settings: Settings, brings: date) -> None:
    """Raises WarehouseError where a run from `brings` on would take days from readers."""
    if reason := lost_days(settings, brings):
        raise WarehouseError(f"{reason}.")


def lost_days(settings: Settings, brings: date | None = None) -> str:
    """Why a run may not publish, '' where it may: the build database lacks days that readers have.

    It was lost, or a backfill that shall bring them back is not done. `brings`: the first day that
    the run pulls itself; by default one that the next night surely does.
    """
    if not (settings.published_dir / "current").exists():
        return ""
    names = [item.id for item in settings.properties]
    try:
        with published_database(settings.published_dir) as connection:
            seen = connection.execute(
                "select property_id, first_date, last_date from marts.dim_property "
                "where list_contains(?, property_id) and first_date is not null "
                "order by first_date",
                [names],
            ).fetchall()
        stored: dict[str, date] = {}
        if settings.build_db.exists():
            with build_database(settings.build_db, read_only=True) as connection:
                stored = first_loaded_days(connection)
    except (WarehouseError, duckdb.Error):
        # What cannot be read is told where it is needed.
        return ""
    # That of a night two days ago: whose today it is, no zone is asked for here.
    night = settings.nightly.oldest_day(settings.clock.now().date() - timedelta(days=2))
    for name, first, last in seen:
        if first < min(stored.get(name, date.max), brings or night):
            return (
                f"Readers have days of property {name} from {first} on that {settings.build_db} "
                "does not have, and a new version would take them away: put a copy of it back, "
                f"or run 'sluice backfill --start {first} --end {last}'"
            )
    return ""
