"""`sluice doctor`: what is in order, what is not, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.markup import escape
from rich.table import Table

from pipelines.cli.common import AsJson, notes, out, print_json
from pipelines.config.settings import load_settings
from pipelines.errors import ConfigError
from pipelines.wording import counted

if TYPE_CHECKING:
    from pipelines.monitoring.doctor import Block, Diagnosis, Step

_MARKS = {
    "right": "[green]✔[/green]",
    "wrong": "[red]✘[/red]",
    "not_checked": "[dim]–[/dim]",
}


def doctor(
    as_json: AsJson = False,
) -> None:
    """Check credentials, properties, tracking, quota, disk and schedule; changes nothing.

    Exit code: 0 nothing is wrong, 1 something is.
    """
    diagnosis = _visit()
    if as_json:
        print_json(diagnosis.as_dict())
    else:
        for block in diagnosis.blocks:
            _print(block)
        _print_verdict(diagnosis)
    raise typer.Exit(0 if diagnosis.is_all_right else 1)


def _visit() -> Diagnosis:
    from pipelines.monitoring.doctor import diagnose, without_settings

    try:
        settings = load_settings()
    except ConfigError as error:
        return without_settings(error)
    with notes.status("Asking GA4 …"):
        return diagnose(settings)


def _print(block: Block) -> None:
    out.print(f"[bold]{escape(block.title)}[/bold]")
    table = Table.grid(padding=(0, 1))
    table.add_column(width=3, justify="right")
    table.add_column(width=17, no_wrap=True)
    table.add_column(overflow="fold")
    for step in block.steps:
        _add(table, step)
    out.print(table)


def _add(table: Table, step: Step) -> None:
    style = "dim" if step.mark.value == "not_checked" else ""
    table.add_row(_MARKS[step.mark.value], step.name, escape(step.message), style=style)
    for line in step.details:
        table.add_row("", "", f"· {escape(line)}")


def _print_verdict(diagnosis: Diagnosis) -> None:
    wrong = [
        step for block in diagnosis.blocks for step in block.steps if step.mark.value == "wrong"
    ]
    if wrong:
        things = counted(len(wrong), "thing")
        out.print(f"[red]✘[/red] {things} to put right; begin at the top.")
    else:
        out.print(f"[green]✔[/green] Nothing is wrong.{_next_step(diagnosis)}")


def _next_step(diagnosis: Diagnosis) -> str:
    """What to do where no night was published yet; nothing where one was."""
    steps = {step.name: step for block in diagnosis.blocks for step in block.steps}
    is_new = steps["schedule"].mark.value == "not_checked"
    return " Next: 'sluice nightly' pulls the first days and publishes them." if is_new else ""
