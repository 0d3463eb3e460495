"""`sluice status`: is it fine, and if not, what happened."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from pipelines.cli.common import out
from pipelines.settings import load_settings

if TYPE_CHECKING:
    from pipelines.state import State


def status(
    as_json: Annotated[bool, typer.Option("--json", help="The state as JSON.")] = False,
) -> None:
    """Last runs, gates, freshness, quota, and what is provisional."""
    from pipelines.state import read_state

    state = read_state(load_settings())
    if as_json:
        out.print_json(json.dumps(state.as_dict(), default=str))
        return
    out.print(state.verdict, markup=False)
    _print(state, "runs", "Last runs")
    _print(state, "gates", "Gates of the last run")
    _print(state, "freshness", "Newest days")
    _print(state, "quota", "Quota left")


def _print(state: State, part: str, title: str) -> None:
    rows: list[dict[str, Any]] = getattr(state, part)
    if not rows:
        return
    table = Table(*rows[0], title=title, title_justify="left")
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row.values()))
    out.print(table)
