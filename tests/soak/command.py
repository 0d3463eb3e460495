"""The `sluice` command in this process: what a user types, without two seconds of imports."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
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
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, {"SLUICE_CONFIG": str(config), "COLUMNS": "500"}),
        patch.object(sys, "argv", ["sluice", *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())
