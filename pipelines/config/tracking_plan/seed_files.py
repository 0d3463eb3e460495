"""The seed files as rows of text: read, and refused where their shape is broken."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from pipelines.config.folders import DBT_PROJECT_DIR
from pipelines.config.textfile import UnreadableError, read_text
from pipelines.config.tracking_plan.plan_model import Row
from pipelines.config.tracking_plan.row_models import CHANNEL_SEEDS, SEEDS
from pipelines.errors import SeedError
from pipelines.wording import shown

SEEDS_DIR = DBT_PROJECT_DIR / "seeds"


def read_seed(folder: Path, seed: str) -> list[Row]:
    """Rows of one seed file.

    Raises SeedError: a file that is missing, unreadable or empty, lacks a column, has a foreign
    one, a row of another length, or a key twice.
    """
    path, model = folder / f"{seed}.csv", {**SEEDS, **CHANNEL_SEEDS}[seed]
    try:
        header, rows = _read(read_text(path))
    except (UnreadableError, csv.Error) as error:
        raise SeedError(
            f"The seed file {path} cannot be read ({error}): restore it, or correct it."
        ) from error
    _refuse_header(header, list(model.model_fields), path)
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise SeedError(
                f"Row {number} of the seed file {path} has not {len(header)} fields: "
                "put quotes around values with commas."
            )
        if "null" in {value.strip().lower() for value in row.values()}:
            # To dbt that is no text.
            raise SeedError(
                f"Row {number} of the seed file {path} has a cell with the word null: leave it "
                "empty, or write another text."
            )
    for key in (model.row_key, *((column,) for column in model.unique)):
        _refuse_twice(rows, key, path)
    if not rows:
        raise SeedError(f"The seed file {path} has no rows: restore it.")
    return rows


def _read(text: str) -> tuple[list[str], list[Row]]:
    """Header and rows; raises csv.Error with the line."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        return list(reader.fieldnames or []), list(reader)
    except csv.Error as error:
        raise csv.Error(f"near line {reader.reader.line_num}: {error}") from error


def _refuse_header(header: list[str], known: list[str], path: Path) -> None:
    if len(header) == 1 and ";" in header[0]:
        raise SeedError(f"The seed file {path} is separated by ';': save it with ',' instead.")
    for column in known:
        if column not in header:
            raise SeedError(f"The seed file {path} has no column '{column}': add it.")
        if header.count(column) > 1:
            raise SeedError(f"The seed file {path} has the column '{column}' twice: keep one.")
    if foreign := [name for name in header if name not in known]:
        raise SeedError(
            f"The seed file {path} has the column {shown(foreign[0])}, which nothing reads: remove "
            "it, or correct its name."
        )


def _refuse_twice(rows: Iterable[Row], key: tuple[str, ...], path: Path) -> None:
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        name = tuple(row[column] for column in key)
        if name in seen:
            raise SeedError(
                f"The seed file {path} has the {' + '.join(key)} {shown(', '.join(name))} twice: "
                "keep one of the rows."
            )
        seen.add(name)
