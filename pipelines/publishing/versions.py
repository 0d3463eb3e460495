"""Which published versions there are, which one readers see, and how that is switched.

A version is a folder under `published/versions` named by its UTC time; `published/current` is a
symbolic link to one of them. The link is swapped by a rename, so a reader sees the old version
or the new one and nothing in between; an open file keeps its version.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.errors import WarehouseError

MANIFEST = "manifest.json"
DATABASE = "sluice.duckdb"
PAGE = "report.html"
NAME_FORMAT = "%Y%m%dT%H%M%S.%fZ"
_UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class Version:
    """One complete published version."""

    name: str
    path: Path
    is_current: bool
    manifest: dict[str, Any]

    def has(self, name: str, path: Path) -> bool:
        """Whether `path` is the file `name` as this version was published with it."""
        return path.is_file() and self.manifest["files"].get(name) == file_facts(path)


def file_facts(path: Path) -> dict[str, Any]:
    """What a manifest says about a file: its bytes and their checksum."""
    with path.open("rb") as handle:
        checksum = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": checksum}


def current_version(published_dir: Path) -> Version | None:
    """The version that readers see; None when nothing is published, or `current` leads nowhere."""
    return next((one for one in list_versions(published_dir) if one.is_current), None)


def versions_dir(published_dir: Path) -> Path:
    """Where the versions lie."""
    return published_dir / "versions"


def pages_beside(page: Path) -> Path:
    """The folder of the pages of single properties, where one file would be too large."""
    return page.with_name(f"{page.stem}_pages")


def list_versions(published_dir: Path) -> tuple[Version, ...]:
    """All complete versions, oldest first."""
    folder = versions_dir(published_dir)
    if not folder.is_dir():
        return ()
    current = current_name(published_dir)
    found = sorted(path for path in folder.iterdir() if _is_complete(path))
    return tuple(
        Version(
            path.name,
            path,
            path.name == current,
            json.loads((path / MANIFEST).read_text(encoding="utf-8")),
        )
        for path in found
    )


def current_name(published_dir: Path) -> str | None:
    """Name of the version that readers see; None before the first one."""
    link = published_dir / "current"
    return link.readlink().name if link.is_symlink() else None


def point_current_at(published_dir: Path, name: str) -> None:
    """Make `current` the version `name`, atomically and durably."""
    new_link = published_dir / ".current.new"
    new_link.unlink(missing_ok=True)
    new_link.symlink_to(Path("versions") / name)
    new_link.replace(published_dir / "current")
    sync(published_dir)


def rollback(published_dir: Path, name: str | None = None) -> Version:
    """Point `current` at `name`, or at the version before the current one.

    Raises WarehouseError: nothing published, no such version, or none before it.
    """
    known = list_versions(published_dir)
    names = [version.name for version in known]
    if not known:
        raise WarehouseError(f"Nothing is published in {published_dir} yet: run 'sluice nightly'.")
    if name is None:
        current = current_name(published_dir)
        older = [one for one in names if current is None or one < current]
        if not older:
            raise WarehouseError(
                f"There is no version before {current}: 'sluice versions' lists what is there."
            )
        name = older[-1]
    if name not in names:
        raise WarehouseError(
            f"There is no version '{name}': 'sluice versions' lists {len(names)}, the newest is "
            f"{names[-1]}."
        )
    point_current_at(published_dir, name)
    return known[names.index(name)]


def prune(published_dir: Path, keep: int) -> tuple[str, ...]:
    """Delete all but the newest `keep` versions; the current one and any in use stay.

    Unfinished folders of killed runs go too. Returns the names that were deleted.
    """
    folder = versions_dir(published_dir)
    if not folder.is_dir():
        return ()
    current = current_name(published_dir)
    complete = [version.path for version in list_versions(published_dir)]
    unfinished = [path for path in folder.iterdir() if path.name.startswith(_UNFINISHED)]
    doomed = [
        path for path in complete[:-keep] if path.name != current and not _is_being_read(path)
    ]
    for path in (*doomed, *unfinished):
        shutil.rmtree(path, ignore_errors=True)
    return tuple(path.name for path in doomed)


def unfinished_path(published_dir: Path, moment: datetime) -> tuple[Path, Path]:
    """Where the version of `moment` is written, and where it goes when it is complete."""
    name = moment.strftime(NAME_FORMAT)
    folder = versions_dir(published_dir)
    return folder / f"{_UNFINISHED}{name}", folder / name


def sync(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_complete(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".") and (path / MANIFEST).exists()


def _is_being_read(path: Path) -> bool:
    """DuckDB holds a POSIX read lock on a file that it has open; a write lock then fails."""
    try:
        with (path / DATABASE).open("rb+") as handle:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
