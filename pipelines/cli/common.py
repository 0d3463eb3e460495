"""What commands share: consoles, dates, and how a run's progress is shown."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from pipelines.errors import ConfigError, SluiceError

if TYPE_CHECKING:
    from pipelines.nightly import Step
    from pipelines.warehouse.runs import RunRecord

# In a pipe or a log file nothing tells the width, and 80 columns would squeeze every table.
WIDTH_WITHOUT_TERMINAL = 130


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDTH_WITHOUT_TERMINAL
    return console


out = _console(stderr=False)
notes = _console(stderr=True)


def parse_day(text: str | None, option: str) -> date | None:
    """A day as YYYY-MM-DD; raises ConfigError for anything else."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{option} {text} is no date: write it as YYYY-MM-DD.") from error


def show_warnings() -> None:
    """Our own log lines on standard error, one line each."""
    logger = logging.getLogger("sluice")
    if not logger.handlers:
        handler = RichHandler(console=notes, show_time=False, show_path=False, markup=False)
        handler.addFilter(lambda record: not hasattr(record, "progress"))
        logger.addHandler(handler)


def show_step(step: Step) -> None:
    """One line for a step that ended."""
    mark = "[green]✔[/green]" if step.is_success else "[red]✘[/red]"
    notes.print(f"  {mark} {step.name:<20} {step.seconds:6.1f} s")


@contextmanager
def show_progress() -> Iterator[None]:
    """A bar over the pulls of a run, with rate and time left; on a terminal only."""
    logger = logging.getLogger("sluice")
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=notes,
        transient=True,
        disable=not notes.is_terminal,
    ) as bar:
        handler = _BarHandler(bar, bar.add_task("pulls", total=None))
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)


class _BarHandler(logging.Handler):
    """Moves a bar with the log records that carry `progress` = (done, total)."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        super().__init__()
        self._bar, self._task = bar, task

    def emit(self, record: logging.LogRecord) -> None:
        """Take the record's progress."""
        if progress := getattr(record, "progress", None):
            self._bar.update(self._task, completed=progress[0], total=progress[1])


class RunFailedError(SluiceError):
    """A run ended without publishing; carries the run's own exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def refuse_failed(record: RunRecord) -> None:
    """Raise RunFailedError unless the run published."""
    from pipelines.nightly import exit_code

    if code := exit_code(record):
        raise RunFailedError(record.message or "The run failed.", code)
