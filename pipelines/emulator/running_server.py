"""What every emulator is beside its answers: it runs on loopback until it is stopped."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"


class RunningServer(ABC):
    """A context manager that stops the server."""

    @abstractmethod
    def stop(self) -> None:
        """Ends the server; may be called again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
