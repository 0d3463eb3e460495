"""Which published versions there are, which one readers see, and how that is switched.

A version is a folder under `published/versions` named by its UTC time; `published/current` is a
symbolic link to one of them. The link is swapped by a rename, so a reader sees the old version
or the new one and nothing in between; an open file keeps its version. What is not as it was
published is damaged: it is named, and in nobody's way.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, NotRequired

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from pipelines.checksums import sha256_of
from pipelines.errors import WarehouseError
from pipelines.monitoring.home_lock import exclusive

MANIFEST = "manifest.json"
DATABASE = "sluice.duckdb"
PAGE = "report.html"
NAME_FORMAT = "%Y%m%dT%H%M%S.%fZ"
_IS_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
_UNFINISHED = ".unfinished-"
_NEW_LINK = ".current.new-"
# Held while `current` moves and old versions go: no rollback leads to what a night deletes.
SWITCH_LOCK = ".switch.lock"


class FileFacts(TypedDict):
    """What a manifest says about a file."""

    bytes: int
    sha256: str


class Window(TypedDict):
    """The days of the run that published, as ISO dates; empty where it had none."""

    start: str
    end: str


class Manifest(TypedDict):
    """manifest.json: what a version holds. `rows`: by table; `files`: by path within the version.

    `compact_bytes`: of the database when it was last written whole.
    """

    version: str
    run_id: str
    code_version: str
    published_at: str
    window: Window
    gates: list[dict[str, Any]]
    held_back: NotRequired[list[str]]
    rows: dict[str, int]
    files: dict[str, FileFacts]
    compact_bytes: NotRequired[int]


_READER = TypeAdapter(Manifest)


@dataclass(frozen=True)
class Version:
    """One complete published version."""

    name: str
    path: Path
    is_current: bool
    manifest: Manifest

    def has(self, name: str, path: Path) -> bool:
        """Whether `path` is the file `name` as this version was published with it."""
        return path.is_file() and self.manifest["files"].get(name) == file_facts(path)


def file_facts(path: Path) -> FileFacts:
    """A file's bytes and their checksum."""
    return {"bytes": path.stat().st_size, "sha256": sha256_of(path)}


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
    """All complete versions, oldest first; none that is damaged."""
    return find_versions(published_dir).complete


class Found(NamedTuple):
    """`complete`: oldest first; `damaged`: name → what is wrong."""

    complete: tuple[Version, ...]
    damaged: dict[str, str]


def find_versions(published_dir: Path) -> Found:
    """Every version; damaged is one whose manifest or files are not as they were published.

    Files are known by their size here; `rollback` looks at their checksums, too.
    """
    current = current_name(published_dir)
    complete: list[Version] = []
    damaged: dict[str, str] = {}
    for path in _folders(published_dir):
        try:
            manifest = _READER.validate_json((path / MANIFEST).read_bytes())
        except (OSError, ValidationError):
            damaged[path.name] = f"it has no {MANIFEST} that can be read"
            continue
        lost = [
            name
            for name, facts in manifest["files"].items()
            if _size(path / name) != facts["bytes"]
        ]
        if lost or DATABASE not in manifest["files"]:
            damaged[path.name] = f"its {(lost or [DATABASE])[0]} is not as it was published"
        else:
            complete.append(Version(path.name, path, path.name == current, manifest))
    return Found(tuple(complete), damaged)


def _folders(published_dir: Path) -> list[Path]:
    """The folders of all versions, oldest first."""
    folder = versions_dir(published_dir)
    paths = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in paths if path.is_dir() and not path.name.startswith("."))


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def current_name(published_dir: Path) -> str | None:
    """Name of the version that readers see; None before the first one."""
    link = published_dir / "current"
    return link.readlink().name if link.is_symlink() else None


def point_current_at(published_dir: Path, name: str) -> None:
    """Make `current` the version `name`, atomically and durably.

    Raises WarehouseError where `current` is no link of ours.
    """
    link = published_dir / "current"
    if link.is_dir() and not link.is_symlink():
        raise WarehouseError(
            f"{link} is a folder, where a link to the version of readers should be: move it away."
        )
    # A name of its own: a rollback and a night may switch at the same time.
    new_link = published_dir / f"{_NEW_LINK}{os.getpid()}"
    new_link.unlink(missing_ok=True)
    new_link.symlink_to(Path("versions") / name)
    new_link.replace(link)
    sync(published_dir)


def rollback(published_dir: Path, name: str | None = None) -> Version:
    """Point `current` at `name`, or at the version before the current one.

    Raises WarehouseError: nothing published, no such version, none before it, or a damaged one.
    """
    version = _chosen(published_dir, name)
    with exclusive(published_dir / SWITCH_LOCK):
        for file in version.manifest["files"]:
            if not version.has(file, version.path / file):
                raise _damaged(version.name, f"its {file} is not as it was published")
        point_current_at(published_dir, version.name)
    return version


def _chosen(published_dir: Path, name: str | None) -> Version:
    """The version of a name; without one the newest before the current version."""
    known, damaged = find_versions(published_dir)
    if not known and not damaged:
        raise WarehouseError(f"Nothing is published in {published_dir} yet: run 'sluice nightly'.")
    if name in damaged:
        raise _damaged(name, damaged[name])
    if name is None:
        current = current_name(published_dir)
        older = [one for one in known if current is None or one.name < current]
        if not older:
            raise WarehouseError(
                f"There is no version before {current}: 'sluice versions' lists what is there."
            )
        return older[-1]
    if found := [one for one in known if one.name == name]:
        return found[0]
    newest = f", the newest is {known[-1].name}" if known else ""
    raise WarehouseError(
        f"There is no version '{name}': 'sluice versions' lists {len(known)}{newest}."
    )


def _damaged(name: str, why: str) -> WarehouseError:
    return WarehouseError(
        f"Version {name} is damaged ({why}): choose another one that 'sluice versions' lists."
    )


def prune(published_dir: Path, keep: int) -> tuple[str, ...]:
    """Delete all but the newest `keep` versions; the current one and any in use stay.

    Damaged ones that are older than those kept go too. Returns the names that were deleted.
    """
    current = current_name(published_dir)
    kept = [version.name for version in list_versions(published_dir)][-keep:]
    doomed = [
        path
        for path in _folders(published_dir)
        if kept and path.name < kept[0] and path.name != current and not _is_being_read(path)
    ]
    for path in doomed:
        # Half deleted it would pass for a damaged version, or for a whole one.
        with suppress(OSError):
            path.rename(path.with_name(f"{_UNFINISHED}{path.name}"))
    remove_unfinished(published_dir)
    return tuple(path.name for path in doomed)


def remove_unfinished(published_dir: Path) -> None:
    """Delete what killed runs left: folders that were being written or deleted, and links."""
    folder = versions_dir(published_dir)
    for path in folder.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(path, ignore_errors=True)
    for path in published_dir.glob(f"{_NEW_LINK}*"):
        path.unlink(missing_ok=True)


def unfinished_path(published_dir: Path, moment: datetime) -> tuple[Path, Path]:
    """Where the version of `moment` is written, and where it goes when it is complete.

    Names sort as versions follow each other: where the clock was set back, a version is named a
    microsecond after the newest.
    """
    folder = versions_dir(published_dir)
    ours = (path.name for path in _folders(published_dir) if _IS_NAME.fullmatch(path.name))
    newest = max(ours, default="")
    name = moment.strftime(NAME_FORMAT)
    if name <= newest:
        later = datetime.strptime(newest, NAME_FORMAT).replace(tzinfo=UTC)
        name = (later + timedelta(microseconds=1)).strftime(NAME_FORMAT)
    return folder / f"{_UNFINISHED}{name}", folder / name


def sync(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
