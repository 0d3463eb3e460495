"""The `sluice` command: its groups, its log lines, and how errors end."""

from __future__ import annotations

import errno
import logging
import os
import sys
import traceback
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

from pipelines import __version__
from pipelines.cli import (
    backfill,
    demo,
    doctor,
    emulator,
    experiment,
    export_sql,
    gtm,
    init,
    nightly,
    report,
    sql,
    status,
    versions,
)
from pipelines.cli.common import notes, out, say_error
from pipelines.cli.signals import EXIT_INTERRUPTED, EXITS, heard
from pipelines.errors import SluiceError, without_room
from pipelines.file_modes import UMASK
from pipelines.garbage import collect_rarely
from pipelines.monitoring.run_logs import write_fault
from pipelines.wording import redacted, shortened

collect_rarely()
# Telemetry of every tool stays off, whichever of them a command starts.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
# Not click's 2, which here means that a gate held the night back (sysexits' EX_USAGE).
EXIT_USAGE = 64
# What is wrong with a file or a folder of the home, and not with the code.
_IN_THE_WAY = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR}
# They write into the home; what the others write is for whom the user's own mask says.
HOME_WRITERS = {"demo", "nightly", "backfill", "rollback"}
SET_UP, RUN, READ, TRY = "Set up", "Run", "Read", "Try without GA4"
app.command("demo", rich_help_panel=TRY)(demo.demo)
app.command("simulate", rich_help_panel=TRY)(emulator.simulate_shop)
app.command("emulator", rich_help_panel=TRY)(emulator.emulate)
app.command("init", rich_help_panel=SET_UP)(init.init)
app.command("doctor", rich_help_panel=SET_UP)(doctor.doctor)
app.command("gtm", rich_help_panel=SET_UP)(gtm.gtm)
app.command("nightly", rich_help_panel=RUN)(nightly.nightly)
app.command("backfill", rich_help_panel=RUN)(backfill.backfill)
app.command("rollback", rich_help_panel=RUN)(versions.rollback_version)
app.command("status", rich_help_panel=READ)(status.status)
app.command("report", rich_help_panel=READ)(report.report)
app.command("sql", rich_help_panel=READ)(sql.sql)
app.add_typer(experiment.experiment, name="experiment", rich_help_panel=READ)
app.command("versions", rich_help_panel=READ)(versions.versions)
app.command("export-sql", rich_help_panel=READ)(export_sql.export_sql)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        out.print(f"sluice {__version__}")
        raise typer.Exit


@app.callback()
def _sluice(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", help="The version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Finds where an online shop's funnel leaks.

    What the exit codes mean, cron, upgrades and repairs: docs/operations.md.
    """
    if context.invoked_subcommand in HOME_WRITERS:
        os.umask(UMASK)


def main() -> None:
    """Run a command; a user's error is one sentence on standard error and an exit code."""
    # Libraries speak to the run's log file; the terminal hears only our own lines and errors.
    console = logging.StreamHandler()
    console.setLevel(logging.CRITICAL)
    logging.basicConfig(handlers=[console])
    # A log that cannot be written (a full disk) is no reason for tracebacks on the terminal.
    logging.raiseExceptions = False
    logging.getLogger("sluice").setLevel(logging.INFO)
    with heard() as stopped:
        try:
            code, words = app(standalone_mode=False, prog_name="sluice") or 0, ""
            sys.stdout.flush()
        except BaseException as error:
            code, words = _ending(error)
        # Whatever became of the signal on its way up; of Ctrl-C typer makes a code by itself.
        if stopped.exit_code and code:
            code, words = stopped.exit_code, ""
    if words:
        say_error(words)
    if code in EXITS:
        notes.print("Stopped. What was loaded stays; run the same command again to go on.")
    sys.exit(code)


def _ending(error: BaseException) -> tuple[int, str]:
    """(exit code, what to say) of what a command raised; nothing of what needs no words."""
    match error:
        case SystemExit():
            raise error
        case TyperException():
            command = getattr(getattr(error, "ctx", None), "command_path", "sluice")
            # `sluice` alone has shown its help, and has nothing to complain about.
            words = error.format_message().rstrip(".")
            return EXIT_USAGE, f"{words}. See '{command} --help'." if words else ""
        case SluiceError():
            return error.exit_code, str(error)
        case Abort() | KeyboardInterrupt():
            return EXIT_INTERRUPTED, ""
        case BrokenPipeError():
            # Whoever read us has seen enough; the interpreter must not try to write the rest.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1, ""
        case _ if reason := without_room(error):
            return 1, reason
        case OSError() if error.filename and error.errno in _IN_THE_WAY:
            return 1, (
                f"{error.filename} cannot be used ({error.strerror}): correct its permissions or "
                "what stands in its place, or run the command as the user whose home it is."
            )
    return 1, _describe_fault(error)


def _describe_fault(error: BaseException) -> str:
    log = write_fault(traceback.format_exc())
    words = shortened(redacted(" ".join(str(error).split())))
    return (
        f"something unexpected happened ({type(error).__name__}: {words}); "
        f"this is a fault in Sluice, please report it with the file {log}."
    )
