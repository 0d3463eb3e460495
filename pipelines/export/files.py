"""Which files an export has, and which days are in them. Reads names, never content.

BigQuery writes one table a day; copied out they are `events_20260101.parquet`,
`events_20260101-000000000003.parquet`, or lie in a folder that is named after the day.
`events_intraday_…` is the same day before it is complete and is never read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from glob import has_magic
from pathlib import Path
from stat import S_ISREG

from pipelines.checksums import sha256_of
from pipelines.export.errors import ExportError, in_one_line, unreadable

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
        """Parquet, else newline JSON."""
        return self.path.lower().endswith(".parquet")

    @property
    def is_gzip(self) -> bool:
        """Newline JSON that is packed."""
        return self.path.lower().endswith(".gz")

    def checksum(self) -> str:
        """SHA-256 of the content. Raises ExportError when it cannot be read."""
        try:
            return sha256_of(Path(self.path))
        except OSError as error:
            raise unreadable(self.path, error.strerror or str(error)) from error


def find_files(pattern: str) -> tuple[ExportFile, ...]:
    """Every file of an export, sorted by path; `pattern` is a file, a folder or a glob.

    Where some names tell a day, files without one are something else, and left alone. Only what
    lies below the pattern's fixed part is looked at for a day, and one file counts once, whatever
    links lead to it.

    Raises ExportError: nothing is there, nothing of it is an export file, or it cannot be read.
    """
    root, paths = _paths(Path(pattern).absolute())
    found = sorted(
        (file for path in set(paths) for file in _as_file(path, path.relative_to(root))),
        reverse=True,
    )
    if not found:
        raise ExportError(
            f"The path {in_one_line(pattern)} matches no file of an event export: correct 'path' "
            "(a folder or a glob of events_YYYYMMDD.parquet, .ndjson or .json.gz)."
        )
    once = {(os.path.realpath(file.path), file.day): file for file in found}
    files = tuple(sorted(once.values()))
    return tuple(file for file in files if file.day) or files


def _paths(pattern: Path) -> tuple[Path, Iterator[Path]]:
    """The folder that holds all of it, and the files."""
    if pattern.is_dir():
        return pattern, _below(pattern)
    if pattern.exists() or not has_magic(str(pattern)):
        return pattern.parent, iter([pattern] if pattern.exists() else [])
    place = next(number for number, part in enumerate(pattern.parts) if has_magic(part))
    root = Path(*pattern.parts[:place])
    # `**` follows no links here, which would go round in circles.
    matched = root.glob(str(Path(*pattern.parts[place:])))
    return root, (file for path in matched for file in (_below(path) if path.is_dir() else (path,)))


def _below(folder: Path) -> Iterator[Path]:
    """All files of a folder and of those inside it; links to folders are not followed."""

    def refuse(error: OSError) -> None:
        raise ExportError(
            f"The folder {in_one_line(str(error.filename))} cannot be read ({error.strerror}): "
            "correct its permissions, or 'path'."
        ) from error

    for parent, _, names in os.walk(folder, onerror=refuse):
        yield from (Path(parent, name) for name in names)


def _as_file(path: Path, below: Path) -> Iterator[ExportFile]:
    """`below`: what of the path says something; a part that begins with . or _ is unfinished."""
    if not path.name.lower().endswith(SUFFIXES) or _INTRADAY in str(below).lower():
        return
    if any(part.startswith((".", "_")) for part in below.parts):
        return
    try:
        facts = path.stat()
        if S_ISREG(facts.st_mode):
            yield ExportFile(str(path), _day_of(below), facts.st_size, facts.st_mtime_ns)
    except OSError:
        # Whoever reads it says why it cannot be read: that is the affair of its day alone.
        yield ExportFile(str(path), _day_of(below), 0, 0)


def _day_of(below: Path) -> date | None:
    """The day that the file's name tells, or that of the nearest folder; None where none does."""
    for part in reversed(below.parts):
        for match in _DAY.finditer(part):
            try:
                return date(*map(int, match.groups()))
            except ValueError:
                continue
    return None
