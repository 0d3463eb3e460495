"""What commands share: consoles, JSON, tables, dates, warnings, and how a failed run ends.

Results go to standard output, everything said along the way to standard error. Colours are rich's
affair: on a terminal only, and not where NO_COLOR is set.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Collection
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pipelines.errors import ConfigError, SluiceError
from pipelines.wording import redacted

if TYPE_CHECKING:
    from pipelines.warehouse.runs import RunRecord

# In a pipe or a log file nothing tells the width, and 80 columns would squeeze every table.
WIDTH_WITHOUT_TERMINAL = 130
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")]


# Characters that a terminal obeys instead of showing, and those that turn the direction of text.
# Lines and tabs are harmless. The world writes page paths and campaign names, and we print them.
_OBEYED = {*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_SHOWN = {code: f"\\x{code:02x}" for code in _OBEYED - {ord("\n"), ord("\t")}}


def visible(text: str) -> str:
    """The text with control characters as they are written in code: `\\x1b`."""
    return text.translate(_SHOWN)


class _Console(Console):
    """Every text, in a table too, is made here: none of it commands the terminal."""

    def render_str(self, text: str, **options: Any) -> Text:
        """As the parent's."""
        return super().render_str(visible(text), **options)


def _console(*, stderr: bool) -> Console:
    console = _Console(stderr=stderr, highlight=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDTH_WITHOUT_TERMINAL
    return console


out = _console(stderr=False)
notes = _console(stderr=True)


def print_json(result: Any) -> None:
    """A result for scripts; dates and the like as text."""
    out.print_json(json.dumps(result, default=str))


def say_error(text: str) -> None:
    """An error on standard error: one line, whatever the width, with the prefix of all."""
    notes.print(f"[red]Error:[/red] {escape(text)}", soft_wrap=True)


def say_warning(text: str) -> None:
    """What a person should know and the command could live with."""
    notes.print(f"[yellow]Warning:[/yellow] {escape(text)}", soft_wrap=True)


def new_table(*columns: str, title: str | None = None, numbers: Collection[str] = ()) -> Table:
    """An empty table in the style of all commands; columns in `numbers` stand at the right."""
    table = Table(title=title, title_justify="left", caption_justify="left", box=SIMPLE_HEAD)
    for name in columns:
        table.add_column(escape(name), justify="right" if name in numbers else "left")
    return table


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
    if not any(isinstance(handler, _Lines) for handler in logger.handlers):
        logger.addHandler(_Lines())


class _Lines(logging.Handler):
    """Log records in the style of the other lines; progress has a bar of its own."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print it, unless it only tells progress."""
        if hasattr(record, "progress"):
            return
        words = redacted(record.getMessage())
        if record.levelno >= logging.ERROR:
            say_error(words)
        elif record.levelno >= logging.WARNING:
            say_warning(words)
        else:
            notes.print(words, markup=False, soft_wrap=True)


class RunFailedError(SluiceError):
    """A run ended without publishing; carries the run's own exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def refuse_failed(record: RunRecord) -> None:
    """Raise RunFailedError unless the run published."""
    if code := record.status.exit_code:
        message = record.message or "The run failed: see 'sluice status'."
        raise RunFailedError(f"{message} {record.status.readers}".strip(), code)
