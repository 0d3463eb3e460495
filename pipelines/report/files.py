"""Writes a file whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from pipelines.errors import ReportError


def write_whole(path: Path, text: str) -> None:
    """Write beside `path` and rename: a reader never sees half a file.

    Raises ReportError when the folder cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise ReportError(
            f"{path} could not be written ({error.strerror}): make room, correct the permissions "
            "or name another file."
        ) from error
