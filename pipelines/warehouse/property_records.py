"""What is remembered of properties: who they are, what changed, and what was held back."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import duckdb

from pipelines.clock import Clock
from pipelines.config.settings import Property, Settings
from pipelines.export.landing import LandedDay
from pipelines.ga4.client import Profile
from pipelines.ga4.rate_limit import Reading
from pipelines.warehouse.ops import insert_rows
from pipelines.warehouse.transactions import transaction
from pipelines.wording import words

logger = logging.getLogger("sluice")


def remember_properties(
    connection: duckdb.DuckDBPyConnection, settings: Settings, profiles: Sequence[Profile]
) -> None:
    """Write who takes part; properties that are not configured keep their data, but rest.

    A configured property that could not be asked stays as it was. A currency or a time zone
    that changed is noted in `ops.property_changes` and said aloud.
    """
    by_id = {profile.property_id: profile for profile in profiles}
    known = _known(connection)
    rows = [
        _row(settings, item, by_id[item.id]) for item in settings.properties if item.id in by_id
    ]
    changes = [change for row in rows for change in _changes(known.get(row["property_id"]), row)]
    with transaction(connection):
        connection.execute(
            "update ops.properties set is_active = list_contains(?, property_id)",
            [[item.id for item in settings.properties]],
        )
        for row in rows:
            marks = ", ".join("?" for _ in row)
            connection.execute(
                f"insert or replace into ops.properties ({', '.join(row)}) values ({marks})",
                list(row.values()),
            )
        insert_rows(connection, "property_changes", changes)
    for change in changes:
        logger.warning(
            "The %s of property %s went from %s to %s: numbers before and after cannot be "
            "compared until a backfill.",
            words(change["field"]),
            change["property_id"],
            change["old"],
            change["new"],
        )


def remember_export_days(
    connection: duckdb.DuckDBPyConnection, property_id: str, days: Mapping[date, LandedDay]
) -> None:
    """Write what every landed day of an export holds, in place of what was known before."""
    rows = [
        {
            "property_id": property_id, "date": day, "files": len(one.files),
            "bytes": sum(size for _, size, *_ in one.files), "row_count": one.rows,
            "without_user": one.without_user, "duplicates": one.duplicates,
            "other_days": one.other_days, "unnamed": one.unnamed,
            "without_session": one.without_session, "session_count": one.sessions,
            "without_channel": one.without_channel,
        }
        for day, one in days.items()
    ]  # fmt: skip
    with transaction(connection):
        connection.execute("delete from ops.export_days where property_id = ?", [property_id])
        insert_rows(connection, "export_days", rows)


def with_memory(
    connection: duckdb.DuckDBPyConnection, profiles: Sequence[Profile]
) -> list[Profile]:
    """The profiles, and what the server did not tell this time as it was known before.

    Where it has no list of fields, that are the custom dimensions, too; what is asked for does not
    go by them (`Profile.registered`).
    """
    known = _known(connection)
    return [
        replace(
            profile,
            time_zone=profile.time_zone or before.get("time_zone") or None,
            currency=profile.currency or before.get("currency") or None,
            custom_dimensions=profile.custom_dimensions
            if profile.fields is not None or not profile.is_asked
            else frozenset(json.loads(before.get("custom_dimensions") or "[]")),
        )
        for profile in profiles
        for before in (known.get(profile.property_id, {}),)
    ]


def remember_field_changes(
    connection: duckdb.DuckDBPyConnection, property_id: str, now: datetime
) -> None:
    """Compare the newest metadata snapshot with the one before; note what came and went."""
    connection.execute(
        """
        insert into ops.field_changes
        with days as (
            select distinct date from raw.ga4_metadata where property_id = $1
            order by date desc limit 2
        ),
        newest as (
            select kind, api_name from raw.ga4_metadata
            where property_id = $1 and date = (select max(date) from days)
        ),
        older as (
            select kind, api_name from raw.ga4_metadata
            where property_id = $1 and date = (select min(date) from days)
        ),
        changes as (
            select *, 'came' as change from (from newest except from older)
            union all
            select *, 'went' as change from (from older except from newest)
        )
        select $1, kind, api_name, change, $2 from changes
        where not exists (
            select 1 from ops.field_changes as noted
            where noted.property_id = $1 and noted.api_name = changes.api_name
                and noted.kind = changes.kind and noted.change = changes.change
                and noted.noticed_at::date = $2::date
        )
        """,
        [property_id, now],
    )


def remember_readings(
    connection: duckdb.DuckDBPyConnection, readings: Sequence[Reading], clock: Clock
) -> None:
    """Append to the quota ledger; waits go by the machine's time, the ledger by the home's."""
    rows = [{**vars(one), "read_at": clock.at(one.read_at)} for one in readings]
    insert_rows(connection, "quota", rows)


def remember_held_back(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    property_id: str,
    gate: str,
    reason: str,
    *,
    now: datetime,
) -> None:
    """This run does not publish the property anew."""
    row = {
        "run_id": run_id, "property_id": property_id, "gate": gate, "reason": reason,
        "held_back_at": now,
    }  # fmt: skip
    insert_rows(connection, "held_back", [row])


def set_blocked(connection: duckdb.DuckDBPyConnection, names: Collection[str]) -> None:
    """Leave exactly these properties out of every model that is built from now on."""
    connection.execute(
        "update ops.properties set is_blocked = list_contains(?, property_id)", [sorted(names)]
    )


def held_back(connection: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, str]:
    """Property → why this run holds it back (its first reason)."""
    return dict(
        connection.execute(
            "select property_id, arg_min(reason, held_back_at) from ops.held_back "
            "where run_id = ? group by property_id order by property_id",
            [run_id],
        ).fetchall()
    )


def checked_reports(
    connection: duckdb.DuckDBPyConnection, property_id: str, day: date
) -> dict[str, str]:
    """Report → message ('' when all is well) of the field checks made on `day`."""
    return dict(
        connection.execute(
            "select report, message from ops.field_checks where property_id = ? and checked_on = ?",
            [property_id, day],
        ).fetchall()
    )


def remember_checks(
    connection: duckdb.DuckDBPyConnection, property_id: str, day: date, found: dict[str, str]
) -> None:
    """Write the field checks of `day`."""
    rows = [
        {
            "property_id": property_id, "report": report, "checked_on": day,
            "is_ok": not message, "message": message,
        }
        for report, message in found.items()
    ]  # fmt: skip
    insert_rows(connection, "field_checks", rows)


def _known(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    rows = connection.execute(
        "select property_id, currency, time_zone, custom_dimensions from ops.properties"
    ).fetchall()
    return {
        name: {"currency": currency, "time_zone": zone, "custom_dimensions": dimensions}
        for name, currency, zone, dimensions in rows
    }


def _changes(old: dict[str, str] | None, new: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "property_id": new["property_id"], "field": field, "old": old[field],
            "new": new[field], "noticed_at": new["checked_at"],
        }
        for field in ("currency", "time_zone")
        if old and old[field] and old[field] != new[field]
    ]  # fmt: skip


def _row(settings: Settings, item: Property, profile: Profile) -> dict[str, Any]:
    return {
        "property_id": item.id,
        "name": item.name or item.id,
        "source": item.source,
        "same_shop_as": item.same_shop_as,
        "time_zone": item.time_zone or profile.time_zone or "UTC",
        "currency": profile.currency or "",
        "store_name": settings.store.name,
        "industry": settings.store.industry,
        "region": settings.store.region,
        "is_active": True,
        "custom_dimensions": json.dumps(sorted(profile.custom_dimensions)),
        "checked_at": settings.clock.now(),
    }
