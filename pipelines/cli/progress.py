"""How long work is shown: a bar with rate and time left on a terminal, plain lines otherwise."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from pipelines.cli.common import notes

if TYPE_CHECKING:
    from pipelines.orchestration.nightly_run import Step

# Without a terminal: a line each tenth of the work, and none for what is done sooner than this.
SECONDS_BETWEEN_LINES = 5.0
Advance = Callable[[int, int], None]


def show_step(step: Step) -> None:
    """One line for a step that ended."""
    mark = "[green]✔[/green]" if step.is_success else "[red]✘[/red]"
    notes.print(f"  {mark} {step.name:<20} {step.seconds:6.1f} s")


@contextmanager
def show_pulls() -> Iterator[None]:
    """The pulls of a run: they tell their progress in log records."""
    logger = logging.getLogger("sluice")
    with show_work("pulls") as advance:
        handler = _Listener(advance)
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)


@contextmanager
def show_work(unit: str) -> Iterator[Advance]:
    """Yields what takes (done, total); `unit`: what is counted, in the plural."""
    if not notes.is_terminal:
        yield PlainLines(unit, lambda line: notes.print(line, markup=False, soft_wrap=True))
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=notes, transient=True) as bar:
        task = bar.add_task(unit, total=None, visible=False)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=done < total)

        yield advance


class PlainLines:
    """Progress for log files: a line each tenth of the work, with rate and time left."""

    def __init__(
        self, unit: str, say: Callable[[str], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._unit, self._say, self._now = unit, say, now
        self._last = self._total = self._tenths = 0
        self._first = (0, now())
        self._told = now()

    def __call__(self, done: int, total: int) -> None:
        """Tell it, when a tenth more is done and the last line is some seconds ago.

        The rate is that since the first call: what came before it, a demo's 90 days before its
        pulls, is other work. So is what counts from the beginning again, or to another end.
        """
        moment = self._now()
        if total != self._total or done <= self._last:
            self._first, self._told, self._tenths = (done, moment), moment, 0
        self._last, self._total = done, total
        tenths, (done_first, started) = 10 * done // max(total, 1), self._first
        is_due = tenths > self._tenths and moment - self._told >= SECONDS_BETWEEN_LINES
        if done == done_first or moment == started or not is_due:
            return
        self._tenths, self._told = tenths, moment
        rate = (done - done_first) / (moment - started)
        left = duration((total - done) / rate)
        self._say(f"  {done} of {total} {self._unit}, {speed(rate)}, {left} left")


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        """Nothing before the first ones are done."""
        rate = task.finished_speed or task.speed
        return Text(speed(rate) if rate else "")


class _Listener(logging.Handler):
    """Hands on the log records that carry `progress` = (done, total)."""

    def __init__(self, advance: Advance) -> None:
        super().__init__()
        self._advance = advance

    def emit(self, record: logging.LogRecord) -> None:
        """Take the record's progress; a display that fails stops no run."""
        if progress := getattr(record, "progress", None):
            try:
                self._advance(*progress)
            except Exception:
                self.handleError(record)


def speed(rate: float) -> str:
    """So many a second, or a minute where that is less than one."""
    return f"{rate:.1f} a second" if rate >= 1 else f"{60 * rate:.0f} a minute"


def duration(seconds: float) -> str:
    """Seconds for people: 42 s, 3 min, 2 h 05 min."""
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"  # noqa: PLR2004
