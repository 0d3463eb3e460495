"""`sluice versions` and `sluice rollback`: what was published, and which of it readers see."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import Annotated

import typer

from pipelines.cli.common import AsJson, new_table, out, print_json, say_warning
from pipelines.config.settings import load_settings
from pipelines.errors import SluiceError
from pipelines.publishing.version_diff import mart_rows, what_changed
from pipelines.publishing.versions import (
    Version,
    current_name,
    current_version,
    find_versions,
    list_versions,
    rollback,
)


def versions(as_json: AsJson = False) -> None:
    """List the published versions, oldest first, and what each changed."""
    published = load_settings().published_dir
    found, damaged = find_versions(published)
    if as_json:
        print_json(
            [{"current": one.is_current, **one.manifest} for one in found]
            + [
                {"current": name == current_name(published), "version": name, "damaged": why}
                for name, why in damaged.items()
            ]
        )
        return
    if found:
        _print_versions(found)
    elif not damaged:
        out.print("Nothing is published yet: run 'sluice nightly'.")
    for name, why in damaged.items():
        say_warning(f"Version {name} is damaged, and nobody can go back to it: {why}.")


def _print_versions(found: tuple[Version, ...]) -> None:
    table = new_table(
        "", "version", "days of its run", "code", "rows in marts", "what changed",
        numbers={"rows in marts"},
    )  # fmt: skip
    changes = ["", *(_words(older, newer) for older, newer in pairwise(found))]
    for version, change in zip(found, changes, strict=True):
        window = version.manifest["window"]
        table.add_row(
            "[green]current[/green]" if version.is_current else "",
            version.name,
            f"{window['start']} to {window['end']}",
            version.manifest["code_version"],
            f"{mart_rows(version.manifest):,}",
            change,
        )
    out.print(table)


def _words(before: Version, after: Version) -> str:
    return "; ".join(what_changed(before.manifest, after.manifest)) or "the same days and rows"


def _names() -> list[str]:
    """For the shell's completion."""
    with suppress(SluiceError):
        return [one.name for one in list_versions(load_settings().published_dir)]
    return []


def rollback_version(
    version: Annotated[
        str | None,
        typer.Argument(
            help="A name from 'sluice versions' (default: the one before).", autocompletion=_names
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let readers see an older version again, until the next night publishes a new one."""
    published = load_settings().published_dir
    before = current_version(published)
    chosen = rollback(published, version)
    if as_json:
        left = before.name if before else None
        changed = what_changed(before.manifest, chosen.manifest) if before else []
        print_json({"version": chosen.name, "instead_of": left, "changed": changed})
    elif before is None or before.name == chosen.name:
        out.print(f"Readers see version {chosen.name}.")
    else:
        out.print(
            f"Readers now see version {chosen.name} instead of {before.name}: "
            f"{_words(before, chosen)}. Back again: sluice rollback {before.name}",
            soft_wrap=True,
        )
