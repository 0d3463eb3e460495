"""An emulator that speaks HTTP, and the faults that any HTTP server may have."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, NamedTuple

from pipelines.emulator.running_server import HOST, RunningServer
from pipelines.emulator.server.errors import EmulatorError
from pipelines.emulator.server.faults.matching import Part


class Answer(NamedTuple):
    """What a client gets."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


class HttpDo(Part):
    """What becomes of a request to any HTTP server; several at once are fine."""

    status: int | None = None
    retry_after: str | None = None
    body: str | None = None
    disconnect: bool = False
    delay_ms: int = 0


def cut_short(dos: Sequence[HttpDo]) -> Answer | None:
    """What a client gets instead of an answer, after the delays; None for nothing of the kind.

    Raises ConnectionAbortedError where the connection ends without a word.
    """
    time.sleep(sum(do.delay_ms for do in dos) / 1000)
    if any(do.disconnect for do in dos):
        raise ConnectionAbortedError
    for do in dos:
        if do.status is not None or do.body is not None:
            headers = {} if do.retry_after is None else {"Retry-After": do.retry_after}
            return Answer(do.status or 200, (do.body or "").encode(), headers)
    return None


class HttpEmulator(RunningServer):
    """Serves on 127.0.0.1 from the moment it is made; `port` 0 takes a free one.

    Raises EmulatorError when the port is in use.
    """

    method: ClassVar[str]

    def __init__(self, port: int) -> None:
        emulator = self

        class Handler(_Handler):
            served = emulator

        try:
            self._server = ThreadingHTTPServer((HOST, port), Handler)
        except OSError as error:
            raise EmulatorError(
                f"Port {port} on {HOST} is in use: stop what listens there, or choose another port."
            ) from error
        self.endpoint = f"{HOST}:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    @abstractmethod
    def respond(self, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer to a request; ConnectionAbortedError ends the connection without one."""

    def stop(self) -> None:
        """Ends the server; may be called again."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    served: HttpEmulator

    def do_GET(self) -> None:
        """A request."""
        self._answer()

    def do_POST(self) -> None:
        """A request."""
        self._answer()

    def _answer(self) -> None:
        if self.command != self.served.method:
            self.send_error(405)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            answer = self.served.respond(self.path, dict(self.headers), body)
        except ConnectionAbortedError:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *args: Any) -> None:
        """Nothing is printed."""
