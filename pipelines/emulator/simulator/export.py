"""Writes one property-local date of events as Parquet in the shape of the BigQuery export."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.emulator.simulator import arrow
from pipelines.emulator.simulator.columns import Ints
from pipelines.emulator.simulator.events import CODES, EVENT_NAMES, Batch
from pipelines.emulator.simulator.items import event_items
from pipelines.emulator.simulator.params import event_params, transaction_ids
from pipelines.emulator.simulator.schema import (
    COLLECTED_SOURCE,
    DEVICE,
    ECOMMERCE,
    EVENT_SCHEMA,
    FIRST_SOURCE,
    GEO,
    LAST_CLICK,
)
from pipelines.emulator.simulator.shop import CHANNELS, CLIENTS, COUNTRIES, STREAM_ID

# Flat shipping below a free-delivery threshold, in cents; German VAT is inside the price.
_SHIPPING_CENTS, _FREE_FROM_CENTS = 490, 10_000
_VAT = 0.19

_DEVICES = arrow.lookup(
    DEVICE,
    [
        {
            "category": client.category,
            "mobile_brand_name": client.brand,
            "operating_system": client.operating_system,
            "operating_system_version": client.os_version,
            "language": country.language,
            "is_limited_ad_tracking": "No",
            "web_info": {"browser": client.browser, "browser_version": client.browser_version},
        }
        for client in CLIENTS
        for country in COUNTRIES
    ],
)
_GEOS = arrow.lookup(
    GEO,
    [
        {"continent": c.continent, "sub_continent": c.sub_continent, "country": c.name}
        for c in COUNTRIES
    ],
)
_FIRST_SOURCES = arrow.lookup(
    FIRST_SOURCE,
    [{"medium": c.medium, "name": c.campaign, "source": c.source} for c in CHANNELS],
)
_COLLECTED_SOURCES = arrow.lookup(
    COLLECTED_SOURCE,
    [
        {"manual_campaign_name": c.campaign, "manual_source": c.source, "manual_medium": c.medium}
        for c in CHANNELS
    ],
)
_LAST_CLICKS = arrow.lookup(
    LAST_CLICK,
    [
        {
            "cross_channel_campaign": {
                "source": c.source,
                "medium": c.medium,
                "campaign_name": c.campaign,
                "default_channel_group": c.name,
            }
        }
        for c in CHANNELS
    ],
)


def write_events(folder: Path, day: date, batch: Batch, exposures: tuple[str, ...] = ()) -> None:
    """Writes `events_YYYYMMDD.parquet` of one date into `folder`.

    `exposures`: what the codes of shown variants stand for.
    """
    pq.write_table(
        events_table(day, batch, exposures),
        folder / f"events_{day:%Y%m%d}.parquet",
        write_statistics=["event_timestamp"],
        # Without the Arrow schema, readers see plain strings rather than dictionaries.
        store_schema=False,
    )


def events_table(day: date, batch: Batch, exposures: tuple[str, ...] = ()) -> pa.Table:
    """The batch as an Arrow table of `EVENT_SCHEMA`'s columns (text still coded)."""
    events, count = batch.events, len(batch.events)
    transactions = np.unique(events.order[events.order >= 0])
    columns: dict[str, pa.Array] = {
        "event_date": arrow.constant(f"{day:%Y%m%d}", count),
        "event_timestamp": pa.array(events.time_us),
        "event_name": arrow.text(events.code, EVENT_NAMES),
        "event_params": event_params(batch, transactions, exposures),
        "stream_id": arrow.constant(STREAM_ID, count),
        "platform": arrow.constant("WEB", count),
        "ecommerce": _ecommerce(batch, transactions),
        "items": event_items(batch),
        "is_active_user": pa.array(events.is_engaged),
        **_session_columns(batch),
    }
    arrays = [
        columns[field.name] if field.name in columns else pa.nulls(count, field.type)
        for field in EVENT_SCHEMA
    ]
    return pa.Table.from_arrays(arrays, names=EVENT_SCHEMA.names)


def _session_columns(batch: Batch) -> dict[str, pa.Array]:
    """Columns that are constant within a session, gathered for its events.

    An event that the shop's server sent has the visitor's identifier only.
    """
    sessions, events = batch.sessions, batch.events
    visitors = pa.array(events.session)
    rows = pa.array(events.session, mask=events.is_sessionless)
    first_second = pa.array(sessions.first_touch_us // 1_000_000).cast(pa.string())
    client_id = pa.array(sessions.client_id).cast(pa.string())
    pseudo_id = pc.binary_join_element_wise(client_id, first_second, ".").dictionary_encode()
    machine = pa.array(sessions.client * len(COUNTRIES) + sessions.country)
    channel = pa.array(sessions.channel)
    return {
        "user_pseudo_id": pseudo_id.take(visitors),
        "user_first_touch_timestamp": pa.array(sessions.first_touch_us).take(rows),
        "device": _DEVICES.take(machine.take(rows)),
        "geo": _GEOS.take(pa.array(sessions.country).take(rows)),
        "traffic_source": _FIRST_SOURCES.take(pa.array(sessions.first_channel).take(rows)),
        "collected_traffic_source": _COLLECTED_SOURCES.take(channel.take(rows)),
        "session_traffic_source_last_click": _LAST_CLICKS.take(channel.take(rows)),
    }


def _ecommerce(batch: Batch, transactions: Ints) -> pa.Array:
    """The ecommerce struct of purchases; null on every other event."""
    events = batch.events
    count = len(events)
    other = events.code != CODES["purchase"]
    cents = np.where(other, 0, batch.value_cents())
    owner, lines = batch.line_rows()
    units = np.bincount(owner, batch.lines.units()[lines], minlength=count).astype(np.int64)
    shipping = np.where(cents < _FREE_FROM_CENTS, _SHIPPING_CENTS, 0)
    tax = np.round(cents * _VAT / (1 + _VAT)).astype(np.int64)
    code = np.where(other, 0, np.searchsorted(transactions, events.order))
    return arrow.struct(
        ECOMMERCE,
        {
            "total_item_quantity": pa.array(units, mask=other),
            "purchase_revenue": pa.array(cents / 100, mask=other),
            "shipping_value": pa.array(shipping / 100, mask=other),
            "tax_value": pa.array(tax / 100, mask=other),
            "unique_items": pa.array(events.line_count, mask=other),
            "transaction_id": arrow.text(code, transaction_ids(transactions), absent=other),
        },
        count,
        absent=other,
    )
