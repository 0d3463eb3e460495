"""`sluice versions` and `sluice rollback`: what was published, and which of it readers see."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table

from pipelines.cli.common import out
from pipelines.settings import load_settings
from pipelines.warehouse.versions import list_versions, rollback


def versions(
    as_json: Annotated[bool, typer.Option("--json", help="The list as JSON.")] = False,
) -> None:
    """List the published versions, oldest first."""
    found = list_versions(load_settings().published_dir)
    if as_json:
        rows = [{"current": v.is_current, **v.manifest} for v in found]
        out.print_json(json.dumps(rows))
        return
    table = Table("", "version", "days", "code", "rows in marts")
    for version in found:
        window, counts = version.manifest["window"], version.manifest["rows"]
        table.add_row(
            "current" if version.is_current else "",
            version.name,
            f"{window['start']} to {window['end']}",
            version.manifest["code_version"],
            f"{sum(n for name, n in counts.items() if name.startswith('marts.')):,}",
        )
    out.print(table if found else "Nothing is published yet: run 'sluice nightly'.")


def rollback_version(
    version: Annotated[
        str | None, typer.Argument(help="A name from 'sluice versions' (default: the one before).")
    ] = None,
) -> None:
    """Let readers see an older version again."""
    chosen = rollback(load_settings().published_dir, version)
    out.print(f"Readers now see version {chosen.name}.")
