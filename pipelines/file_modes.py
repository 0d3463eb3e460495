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


def keep_private(home: Path) -> None:
    """Take from a home what others may do in it; a home that is private already costs a look.

    What is published is `share`'s. A home of another user stays as it is.
    """
    with suppress(PermissionError):
        if home.stat().st_mode & 0o777 & ~(_FOLDER | _PASS):
            home.chmod(_FOLDER)
            for path in _below(home, leave_out="published"):
                path.chmod(_FOLDER if path.is_dir() else _FILE)


def share(published: Path, group: str | None) -> None:
    """Let `group` read what is published, and pass through the home to it; without one, nobody.

    Raises ConfigError as `group_id` does.
    """
    gid = -1 if (found := group_id(group)) is None else found
    for path in (published.parent, published, *_below(published)):
        own, given = (_FOLDER, _LIST) if path.is_dir() else (_FILE, _READ)
        if path == published.parent:
            given = _PASS
        os.chown(path, -1, gid)
        path.chmod(own if group is None else own | given)


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


def _below(folder: Path, leave_out: str = "") -> Iterator[Path]:
    """Everything in a folder but links, without what is called `leave_out` right in it."""
    for place, folders, files in os.walk(folder):
        if Path(place) == folder and leave_out in folders:
            folders.remove(leave_out)
        paths = (Path(place, name) for name in (*folders, *files))
        yield from (path for path in paths if not path.is_symlink())
