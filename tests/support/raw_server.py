"""A TCP server that speaks no gRPC, or stops in the middle of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Talk = Callable[[socket.socket], None]


@contextmanager
def raw_server(talk: Talk) -> Iterator[str]:
    """The address of a server on loopback that does `talk` with whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        open_ones: list[socket.socket] = []

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    open_ones.append(connection)
                    threading.Thread(target=_talk, args=(talk, connection), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for connection in open_ones:
                connection.close()


def _talk(talk: Talk, connection: socket.socket) -> None:
    with suppress(OSError):
        talk(connection)


def garbage(connection: socket.socket) -> None:
    connection.sendall(b"\x00\xff\x13garbage" * 1_000)
    connection.close()


def http(connection: socket.socket) -> None:
    connection.recv(4_096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    connection.close()


def close(connection: socket.socket) -> None:
    connection.close()


def silence(connection: socket.socket) -> None:
    """Takes the call, and says nothing until it is closed."""
    while connection.recv(65_536):
        pass


def drip(connection: socket.socket) -> None:
    """A byte of a header now and then: never silent for as long as a read waits, never done."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    stop = threading.Event()
    while not stop.wait(0.05):
        connection.sendall(b"x")
