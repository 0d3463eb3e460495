"""The GA4 Data API (v1beta and v1alpha) on loopback, answered by SQL over event stores.

`serve` is the whole public interface. The real client talks to it over plain gRPC; nothing here
knows our client, and our client knows nothing of this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc

from pipelines.clock import Clock
from pipelines.emulator.running_server import HOST, RunningServer
from pipelines.emulator.server.errors import EmulatorError
from pipelines.emulator.server.faults import FaultBook
from pipelines.emulator.server.faults.realism import Realism
from pipelines.emulator.server.log import LoggedRequest
from pipelines.emulator.server.service import AnalyticsDataService
from pipelines.emulator.server.store import EventStore, load_store

__all__ = ["Emulator", "EmulatorError", "LoggedRequest", "serve"]

# More threads than the ten requests a property may have under way: the eleventh is answered, too.
_THREADS = 16
_STOP_SECONDS = 2


class Emulator(RunningServer):
    """A running server; a context manager that stops it."""

    def __init__(
        self,
        server: grpc.Server,
        port: int,
        stores: Sequence[EventStore],
        service: AnalyticsDataService,
        faults: FaultBook,
    ) -> None:
        self._server = server
        self._stores = stores
        self._service = service
        self._faults = faults
        self.endpoint = f"{HOST}:{port}"
        self.property_ids = tuple(store.about.property_id for store in stores)

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """What was asked so far, with tokens and statuses, in the order of the answers."""
        return self._service.log.read()

    def set_faults(self, content: Any) -> None:
        """Puts these faults in the place of all others: a list of rules, or a whole faults file's
        content as plain data. `[]` takes them away. Raises EmulatorError when they are wrong.
        """
        self._faults.set(content)

    def wait(self) -> None:
        """Blocks until the server is stopped."""
        self._server.wait_for_termination()

    def stop(self) -> None:
        """Ends the server; requests under way have two seconds. May be called again."""
        self._server.stop(_STOP_SECONDS).wait()
        for store in self._stores:
            store.close()


def serve(
    stores: Sequence[Path],
    *,
    port: int = 0,
    now: Callable[[], datetime] | None = None,
    faults: Path | None = None,
    exact: bool = False,
) -> Emulator:
    """Loads event stores (one property each) and serves them on 127.0.0.1.

    `port` 0 takes a free one; `now` is the clock behind `today`, the quotas and the faults (aware
    datetimes); `faults` is a YAML file (grammar: docs/emulator.md), read again when it changes.
    Numbers are made as GA4 makes them, and the newest days still grow, unless `exact` is true.
    Raises EmulatorError when a store or the faults cannot be read, two stores are one property, or
    the port is in use.
    """
    if not stores:
        raise EmulatorError("No event store was named: name at least one folder of events.")
    realism = None if exact else Realism()
    book = FaultBook(now or Clock().now, faults, realism)
    server = grpc.server(
        ThreadPoolExecutor(_THREADS, thread_name_prefix="ga4-emulator"),
        # A full page is beyond gRPC's default of 4 MB; a shared port would hide another server.
        options=[("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)],
    )
    # The port first: it fails at once, loading takes seconds.
    bound = _bind(server, port)
    try:
        loaded = _load(stores)
    except EmulatorError:
        server.stop(None)
        raise
    service = AnalyticsDataService(loaded, book)
    server.add_generic_rpc_handlers(service.handlers())
    server.start()
    return Emulator(server, bound, loaded, service, book)


def _bind(server: grpc.Server, port: int) -> int:
    try:
        bound = int(server.add_insecure_port(f"{HOST}:{port}"))
    except RuntimeError:
        bound = 0
    if not bound:
        raise EmulatorError(
            f"Port {port} on {HOST} is in use: stop what listens there, or choose another port."
        )
    return bound


def _load(folders: Sequence[Path]) -> list[EventStore]:
    stores = [load_store(folder) for folder in folders]
    times = Counter(store.about.property_id for store in stores)
    for property_id, count in times.items():
        if count > 1:
            named = [
                str(folder)
                for folder, store in zip(folders, stores, strict=True)
                if store.about.property_id == property_id
            ]
            raise EmulatorError(
                f"Property {property_id} is in {' and '.join(named)}: give each event store its "
                "own property_id in property.json."
            )
    return stores
