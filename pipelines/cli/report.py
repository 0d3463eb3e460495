"""`sluice report`: the page of the published version, written again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import out
from pipelines.config.settings import load_settings
from pipelines.warehouse.connect import published_database


def report(
    to: Annotated[Path, typer.Option("--out", help="The file to write.")] = Path("report.html"),
) -> None:
    """Write the page of the published version again, after a change of its template say."""
    from pipelines.report.page import write_page

    settings = load_settings()
    with published_database(settings.published_dir) as connection:
        first, *_ = write_page(connection, to)
    # Many properties are too much for one file: the page is then an index of the others.
    beside = "" if first == to else f" It needs {first.parent.name}/ beside it."
    out.print(f"{to.resolve()}: open it in a browser.{beside}", markup=False)
