"""The `sluice` command in this process: what a user types, without two seconds of imports."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from pipelines.cli.app import main


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def last_words(self) -> str:
        """The last line on standard error."""
        lines = self.err.strip().splitlines()
        return lines[-1] if lines else ""


def sluice(config: Path, *arguments: str) -> Ended:
    """Run it with this settings file, as cron would: exit code and both outputs."""
    return typed(*arguments, SLUICE_CONFIG=str(config))


def typed(*arguments: str, folder: Path | None = None, **environment: str) -> Ended:
    """Run it in this folder, with these variables; the mask of new files is put back."""
    out, err = io.StringIO(), io.StringIO()
    with (
        chdir(folder or Path.cwd()),
        patch.dict(os.environ, {"COLUMNS": "500", **environment}),
        patch.object(sys, "argv", ["sluice", *arguments]),
        _mask_put_back(),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())


@contextmanager
def _mask_put_back() -> Iterator[None]:
    mask = os.umask(0o022)
    os.umask(mask)
    try:
        yield
    finally:
        os.umask(mask)
