"""A request's way in: its property, its quota, its faults, and a cursor that shows what they do.

What is answered is the business of `service`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import duckdb
import grpc

from pipelines.emulator.server import errors
from pipelines.emulator.server.dates import local_today
from pipelines.emulator.server.errors import ApiError
from pipelines.emulator.server.faults import Effects, Facts, FaultBook
from pipelines.emulator.server.faults.data import visible_hits
from pipelines.emulator.server.faults.facts import request_facts
from pipelines.emulator.server.faults.fields import faulty_fields
from pipelines.emulator.server.faults.statuses import SERVER_ERRORS, status_error
from pipelines.emulator.server.fields import Catalogue, catalogue
from pipelines.emulator.server.log import RequestLog
from pipelines.emulator.server.properties import Property
from pipelines.emulator.server.quota import QuotaLedger
from pipelines.emulator.server.store import EventStore


@dataclass(frozen=True)
class ServedProperty:
    """A property with everything a request to it needs."""

    store: EventStore
    fields: Catalogue
    core: QuotaLedger
    funnel: QuotaLedger


@dataclass(frozen=True)
class Call:
    """One admitted request: the property, its fields and its events as faults let it see them.

    `hits` is the SQL of the events.
    """

    store: EventStore
    about: Property
    fields: Catalogue
    effects: Effects
    cursor: duckdb.DuckDBPyConnection
    hits: str
    today: date


class Reception:
    """Admits requests to the served properties, and logs how they ended."""

    def __init__(self, stores: Iterable[EventStore], faults: FaultBook) -> None:
        self.log = RequestLog()
        self._faults = faults
        self._properties = {
            store.about.property_id: ServedProperty(
                store,
                catalogue(store.about),
                QuotaLedger(faults.now, faults.core_limits),
                QuotaLedger(faults.now, faults.funnel_limits),
            )
            for store in stores
        }

    def find(self, name: str) -> ServedProperty:
        """The property `properties/<digits>`; ApiError for a name of another form or nobody's."""
        served = self._properties.get(property_id(name))
        if served is None:
            raise errors.permission_denied()
        return served

    def facts(self, method: str, served: ServedProperty, request: Any) -> Facts:
        """The request as the rules of a faults file see it."""
        about, now = served.store.about, self._faults.now()
        today = local_today(now, about.zone)
        return request_facts(method, about.property_id, request, now, today)

    @contextmanager
    def admitted(self, facts: Facts, ledger: QuotaLedger | None) -> Iterator[None]:
        """One request from arrival to answer; ApiError when a quota of the ledger is used up.

        A failure is logged, and booked where it is one of the service's.
        """
        try:
            with ledger.request() if ledger else nullcontext():
                yield
        except Exception as error:
            code = error.code if isinstance(error, ApiError) else grpc.StatusCode.INTERNAL
            if ledger and code in SERVER_ERRORS:
                ledger.count_server_error()
            self.log.add(facts, 0, code.name)
            raise

    @contextmanager
    def opened(
        self, facts: Facts, served: ServedProperty, ledger: QuotaLedger | None = None
    ) -> Iterator[Call]:
        """What an admitted request may see. Raises the ApiError that a fault asks for."""
        effects = self._faults.effects(facts)
        for do in effects.dos:
            if do.delay_ms:
                time.sleep(do.delay_ms / 1000)
            if do.status:
                raise status_error(do.status, do.message)
            if do.threshold and ledger:
                ledger.count_thresholded()
        about = _faulty_property(served.store.about, effects)
        with served.store.cursor() as cursor:
            zone = served.store.about.zone
            hits = visible_hits(effects, served.fields, zone, facts.date_ranges)
            yield Call(
                store=served.store,
                about=about,
                fields=faulty_fields(cursor, hits, effects, served.fields),
                effects=effects,
                cursor=cursor,
                hits=hits,
                today=local_today(facts.now, about.zone),
            )


def property_id(name: str) -> str:
    """The digits of `properties/<digits>`; ApiError for anything else."""
    match = re.fullmatch(r"properties/(\d+)", name)
    if match is None:
        raise errors.malformed_property(name.removeprefix("properties/"))
    return match[1]


def _faulty_property(about: Property, effects: Effects) -> Property:
    for do in effects.dos:
        about = replace(
            about,
            currency_code=do.currency or about.currency_code,
            time_zone=do.time_zone or about.time_zone,
        )
    return about
