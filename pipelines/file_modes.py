"""Who may read the home: its owner, and what is published the group of `publish.group`, too."""

from __future__ import annotations

import grp
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pipelines.errors import ConfigError

# Of every command that writes: its files are its owner's.
UMASK = 0o077
_FOLDER, _FILE = 0o700, 0o600
# What the group gets: to pass through the home, to list and read what is published.
_PASS, _LIST, _READ = 0o010, 0o050, 0o040
# What Sluice writes into a home; one of its own holds nothing else.
_OWN = {"cache", "dagster", "demo", "landed", "logs", "published", "run.lock"}
_BUILD = "build.duckdb"


def keep_private(home: Path) -> None:
    """Take from Sluice's files in a home what others may do with them, and from the home itself if
    nothing else is in it; where nothing is to be taken, it costs a look.

    What is published is `share`'s. A home of another user stays as it is, and so does what else is
    in a folder that somebody made the home.
    """
    with suppress(PermissionError):
        for path in _own_files(home):
            if path.stat().st_mode & 0o777 & ~_FOLDER:
                for one in (path, *_below(path)):
                    one.chmod(one.stat().st_mode & _FOLDER)
        if not _is_tight(home) and is_all_own(home):
            home.chmod(_FOLDER)


def share(published: Path, group: str | None) -> None:
    """Let `group` read what is published, and pass through the home to it; without one, nobody.

    A home that others look into for what else is there stays as it is. Raises ConfigError as
    `group_id` does.
    """
    gid = -1 if (found := group_id(group)) is None else found
    home = published.parent
    homes = [home] if _is_tight(home) or is_all_own(home) else []
    for path in (*homes, published, *_below(published)):
        own, given = (_FOLDER, _LIST) if path.is_dir() else (_FILE, _READ)
        if path == home:
            given = _PASS
        os.chown(path, -1, gid)
        path.chmod(own if group is None else own | given)


def _own_files(home: Path) -> list[Path]:
    """Sluice's files and folders right in a home, but `published`."""
    found = (path for path in home.iterdir() if path.name != "published" and _is_own(path))
    return [path for path in found if not path.is_symlink()]


def _is_tight(home: Path) -> bool:
    """Nobody but its owner looks into it; others may at most pass."""
    return not home.stat().st_mode & 0o777 & ~(_FOLDER | _PASS)


def is_all_own(home: Path) -> bool:
    """Whether a home holds nothing but what Sluice writes."""
    return all(_is_own(path) for path in home.iterdir())


def _is_own(path: Path) -> bool:
    # DuckDB's log and its temporary files begin as the database does.
    return path.name in _OWN or path.name.startswith(_BUILD)


def group_id(name: str | None) -> int | None:
    """The number of a group that this user may give files to.

    Raises ConfigError when there is no such group, or the user is no member.
    """
    if name is None:
        return None
    try:
        gid = grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise ConfigError(
            f"publish.group in sluice.yml names the group '{name}', which this machine does not "
            "have: create it, or correct the name."
        ) from error
    if os.geteuid() and gid not in {os.getegid(), *os.getgroups()}:
        raise ConfigError(
            f"publish.group in sluice.yml names the group '{name}', which this user is no member "
            "of: files cannot be given to it until an administrator adds the user."
        )
    return gid


def _below(folder: Path) -> Iterator[Path]:
    """Everything in a folder but links; nothing in a file."""
    for place, folders, files in os.walk(folder):
        paths = (Path(place, name) for name in (*folders, *files))
        yield from (path for path in paths if not path.is_symlink())
