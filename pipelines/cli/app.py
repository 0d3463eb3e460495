"""The `sluice` command: its groups, its log lines, and how errors end."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import traceback
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from typer.exceptions import Abort, TyperException

from pipelines.cli import (
    backfill,
    demo,
    doctor,
    emulator,
    init,
    nightly,
    report,
    sql,
    status,
    versions,
)
from pipelines.errors import SluiceError

# Telemetry of every tool stays off, whichever of them a command starts.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

app = typer.Typer(
    help="Finds where an online shop's funnel leaks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
# Not click's 2, which here means that a gate held the night back (sysexits' EX_USAGE).
EXIT_USAGE = 64
SET_UP, RUN, READ, TRY = "Set up", "Run", "Read", "Try without GA4"
app.command("demo", rich_help_panel=TRY)(demo.demo)
app.command("simulate", rich_help_panel=TRY)(emulator.simulate_shop)
app.command("emulator", rich_help_panel=TRY)(emulator.emulate)
app.command("init", rich_help_panel=SET_UP)(init.init)
app.command("doctor", rich_help_panel=SET_UP)(doctor.doctor)
app.command("nightly", rich_help_panel=RUN)(nightly.nightly)
app.command("backfill", rich_help_panel=RUN)(backfill.backfill)
app.command("rollback", rich_help_panel=RUN)(versions.rollback_version)
app.command("status", rich_help_panel=READ)(status.status)
app.command("report", rich_help_panel=READ)(report.report)
app.command("sql", rich_help_panel=READ)(sql.sql)
app.command("versions", rich_help_panel=READ)(versions.versions)


def main() -> None:
    """Run a command; a user's error is one sentence on standard error and an exit code."""
    # Libraries speak to the run's log file; the terminal hears only our own lines and errors.
    console = logging.StreamHandler()
    console.setLevel(logging.CRITICAL)
    logging.basicConfig(handlers=[console])
    logging.getLogger("sluice").setLevel(logging.INFO)
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except TyperException as error:
        errors.print(f"[red]Error:[/red] {escape(error.format_message())} See 'sluice --help'.")
        sys.exit(EXIT_USAGE)
    except SluiceError as error:
        errors.print(f"[red]Error:[/red] {escape(str(error))}")
        sys.exit(error.exit_code)
    except (Abort, KeyboardInterrupt):
        errors.print("Stopped. What was loaded stays; run the same command again to go on.")
        sys.exit(130)
    except Exception as error:
        log = Path(tempfile.gettempdir()) / f"sluice-error-{os.getpid()}.log"
        log.write_text(traceback.format_exc(), encoding="utf-8")
        words = escape(" ".join(str(error).split())[:300])
        errors.print(
            f"[red]Error:[/red] something unexpected happened ({type(error).__name__}: {words}); "
            f"this is a fault in Sluice, please report it with the file {log}."
        )
        sys.exit(1)
