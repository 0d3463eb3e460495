"""Which files an export has, and which days are in them. Reads names, never content.

BigQuery writes one table a day; copied out they are `events_20260101.parquet`,
`events_20260101-000000000003.parquet`, or lie in a folder that is named after the day.
`events_intraday_…` is the same day before it is complete and is never read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from glob import has_magic
from pathlib import Path, PurePath, PurePosixPath
from stat import S_ISREG

from pipelines.checksums import sha256_of
from pipelines.export.errors import ExportError, in_one_line, unreadable
from pipelines.export.object_store import is_object, listed

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
        """SHA-256 of the content. Raises ExportError when it cannot be read.

        Of an object its time: to read it whole costs as much as to land it.
        """
        if is_object(self.path):
            return str(self.changed_ns)
        try:
            return sha256_of(Path(self.path))
        except OSError as error:
            raise unreadable(self.path, error.strerror or str(error)) from error


def find_files(pattern: str) -> tuple[ExportFile, ...]:
    """Every file of an export, sorted by path; `pattern` is a file, a folder or a glob, or the
    address of one in an object store.

    Where some names tell a day, files without one are something else, and left alone. Only what
    lies below the pattern's fixed part is looked at for a day, and one file counts once, whatever
    links lead to it.

    Raises ExportError: nothing is there, nothing of it is an export file, or it cannot be read.
    """
    files = tuple(sorted(_objects(pattern) if is_object(pattern) else _local(pattern)))
    if not files:
        raise ExportError(
            f"The path {in_one_line(pattern)} matches no file of an event export: correct 'path' "
            "(a folder or a glob of events_YYYYMMDD.parquet, .ndjson or .json.gz)."
        )
    return tuple(file for file in files if file.day) or files


def _objects(pattern: str) -> set[ExportFile]:
    """Objects that a glob matches, or of which it matches a folder."""
    parts = pattern.rstrip("/").split("/")
    place = next((number for number, part in enumerate(parts) if has_magic(part)), len(parts))
    globs = ["/".join((*parts, "**"))]
    if place < len(parts):
        globs.append("/".join(parts))
    elif parts[-1].lower().endswith(SUFFIXES):
        # Its last letter as a choice of one: only what is listed has a size and a time.
        place, globs = place - 1, [f"{'/'.join(parts)[:-1]}[{pattern[-1]}]"]
    return {
        ExportFile(path, _day_of(below), size, changed)
        for path, size, changed in (one for glob in globs for one in listed(glob))
        if _is_meant(below := PurePosixPath(*path.split("/")[place:]))
    }


def _local(pattern: str) -> Collection[ExportFile]:
    root, paths = _paths(Path(pattern).absolute())
    found = sorted(
        (file for path in set(paths) for file in _as_file(path, path.relative_to(root))),
        reverse=True,
    )
    return {(os.path.realpath(file.path), file.day): file for file in found}.values()


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
    if not _is_meant(below):
        return
    try:
        facts = path.stat()
        if S_ISREG(facts.st_mode):
            yield ExportFile(str(path), _day_of(below), facts.st_size, facts.st_mtime_ns)
    except OSError:
        # Whoever reads it says why it cannot be read: that is the affair of its day alone.
        yield ExportFile(str(path), _day_of(below), 0, 0)


def _is_meant(below: PurePath) -> bool:
    """`below`: what of the path says something; a part that begins with . or _ is unfinished."""
    return (
        below.name.lower().endswith(SUFFIXES)
        and _INTRADAY not in str(below).lower()
        and not any(part.startswith((".", "_")) for part in below.parts)
    )


def _day_of(below: PurePath) -> date | None:
    """The day that the file's name tells, or that of the nearest folder; None where none does."""
    for part in reversed(below.parts):
        for match in _DAY.finditer(part):
            try:
                return date(*map(int, match.groups()))
            except ValueError:
                continue
    return None
