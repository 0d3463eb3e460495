"""Which files an export has, and which days are in them. Reads names, never content.

BigQuery writes one table a day; copied out they are `events_20260101.parquet`,
`events_20260101-000000000003.parquet`, or lie in a folder that is named after the day.
`events_intraday_…` is the same day before it is complete and is never read.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from glob import glob, has_magic
from pathlib import Path

from pipelines.export.errors import ExportError, unreadable

SUFFIXES = (".parquet", ".ndjson", ".jsonl", ".json", ".ndjson.gz", ".jsonl.gz", ".json.gz")
_DAY = re.compile(r"(?<![0-9])(20[0-9]{2})-?([0-9]{2})-?([0-9]{2})(?![0-9])")
_INTRADAY = "intraday"


@dataclass(frozen=True, order=True)
class ExportFile:
    """One file: its path, its day as far as a name says it, its size in bytes, its mtime in ns."""

    path: str
    day: date | None
    size: int
    changed_ns: int

    @property
    def is_parquet(self) -> bool:
        """Parquet, else newline JSON (also gzip)."""
        return self.path.endswith(".parquet")

    def checksum(self) -> str:
        """SHA-256 of the content. Raises ExportError when it cannot be read."""
        try:
            with Path(self.path).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise unreadable(self.path, error.strerror or str(error)) from error


def find_files(pattern: str) -> tuple[ExportFile, ...]:
    """Every file of an export, sorted by path; `pattern` is a file, a folder or a glob.

    Where some names tell a day, files without one are something else, and left alone.

    Raises ExportError: nothing is there, nothing of it is an export file, or it cannot be read.
    """
    found = sorted(
        {file for path in _paths(pattern) for file in _as_file(path)}, key=lambda file: file.path
    )
    if not found:
        raise ExportError(
            f"The path {pattern} matches no file of an event export: correct 'path' (a folder or "
            "a glob of events_YYYYMMDD.parquet, .ndjson or .json.gz)."
        )
    dated = tuple(file for file in found if file.day)
    return dated or tuple(found)


def _paths(pattern: str) -> Iterator[str]:
    if has_magic(pattern):
        for path in glob(pattern, recursive=True):
            yield from _paths(path) if os.path.isdir(path) else (path,)
    elif os.path.isdir(pattern):
        yield from _below(pattern)
    else:
        yield pattern


def _below(folder: str) -> Iterator[str]:
    """All files of a folder and of those inside it; links to folders are not followed."""

    def refuse(error: OSError) -> None:
        raise ExportError(
            f"The folder {error.filename} cannot be read ({error.strerror}): correct its "
            "permissions, or 'path'."
        ) from error

    for parent, _, names in os.walk(folder, onerror=refuse):
        yield from (os.path.join(parent, name) for name in names)


def _as_file(path: str) -> Iterator[ExportFile]:
    name = os.path.basename(path).lower()
    if not name.endswith(SUFFIXES) or name.startswith((".", "_")) or _INTRADAY in path.lower():
        return
    try:
        facts = os.stat(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error
    yield ExportFile(os.path.abspath(path), _day_of(path), facts.st_size, facts.st_mtime_ns)


def _day_of(path: str) -> date | None:
    """The day that the file's name tells, or that of the nearest folder; None where none does."""
    for part in (os.path.basename(path), *reversed(Path(path).parent.parts)):
        for match in _DAY.finditer(part):
            try:
                return date(*map(int, match.groups()))
            except ValueError:
                continue
    return None
