"""The files that an entry of a second source names."""

from __future__ import annotations

import glob
from pathlib import Path

from pipelines.sources.contract import SourceError


def files_of(pattern: Path, key: str) -> list[Path]:
    """A file, or those of a pattern (its folders may have one, too), by name; none is no error.

    `key`: what the entry calls it. Raises SourceError for a folder, and for one that is shut.
    """
    short = short_name(pattern)
    try:
        if pattern.is_dir():
            raise SourceError(
                f"{short} is a folder: write its files as '{pattern.name}/*.csv' at the end of "
                f"'{key}' in sluice.yml.",
                is_general=True,
            )
        # A name with brackets is a name before it is a pattern.
        if pattern.exists():
            return [pattern]
        return sorted(map(Path, glob.glob(str(pattern))))  # noqa: PTH207 (folders with a pattern)
    except OSError as error:
        raise SourceError(
            f"{short} cannot be looked at ({error.strerror}): correct '{key}' in sluice.yml, or "
            "the permissions of its folder.",
            is_general=True,
        ) from error


def short_name(path: Path) -> str:
    """For readers of what is published, who need not know where it lies on this machine."""
    return "/".join(path.parts[-2:])
