"""The seed files as rows of text: read, and refused where their shape is broken."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from pipelines.analysis.diagnosis import playbook
from pipelines.config.settings import DBT_PROJECT_DIR
from pipelines.config.tracking_plan.plan_model import Row
from pipelines.errors import SeedError

SEEDS_DIR = DBT_PROJECT_DIR / "seeds"
# Which columns each seed must have, and which of them together name a row.
SEED_KEYS = {
    "micro_conversions": ("key",),
    "funnel_steps": ("funnel", "step_number"),
    "segments": ("segment_name",),
    "benchmarks": ("benchmark_key", "industry", "device", "region"),
    "event_origins": ("origin",),
    "changes": ("change_id",),
    playbook.SEED: playbook.SEED_KEY,
}
# A shop that has declared nothing yet.
MAY_BE_EMPTY = {"changes"}
# All columns of each seed: dbt loads a seed by position, so a missing or a foreign one is refused.
SEED_COLUMNS = {
    "micro_conversions": (
        "key", "stage", "family", "event_names", "parameter_filter", "parameters", "parent_key",
        "intent_rank", "is_expected", "origin", "benchmark_key", "description",
    ),
    "funnel_steps": ("funnel", "step_number", "key", "is_optional", "label"),
    "segments": (
        "segment_name", "api_dimension", "column_name", "position", "is_partition", "description",
    ),
    "benchmarks": (
        "benchmark_key", "industry", "device", "region", "low", "high", "unit", "numerator",
        "denominator", "source", "source_date", "source_kind", "is_default",
    ),
    "event_origins": ("origin", "advice"),
    "changes": (
        "change_id", "name", "property_id", "stage", "page", "device", "start_date", "end_date",
    ),
    playbook.SEED: playbook.SEED_COLUMNS,
}  # fmt: skip


def read_seed(folder: Path, seed: str) -> list[Row]:
    """Rows of one seed file.

    Raises SeedError: a file that is missing, unreadable or empty, lacks a column, has a foreign
    one, a row of another length, or a key twice.
    """
    path = folder / f"{seed}.csv"
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            header, rows = list(reader.fieldnames or []), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SeedError(
            f"The seed file {path} cannot be read ({error}): restore it, or correct it."
        ) from error
    _refuse_header(header, SEED_COLUMNS[seed], path)
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise SeedError(
                f"Row {number} of the seed file {path} has not {len(header)} fields: "
                "put quotes around values with commas."
            )
    _refuse_twice(rows, SEED_KEYS[seed], path)
    if not rows and seed not in MAY_BE_EMPTY:
        raise SeedError(f"The seed file {path} has no rows: restore it.")
    return rows


def _refuse_header(header: list[str], known: tuple[str, ...], path: Path) -> None:
    for column in known:
        if column not in header:
            raise SeedError(f"The seed file {path} has no column '{column}': add it.")
    if foreign := [name for name in header if name not in known]:
        raise SeedError(
            f"The seed file {path} has the column '{foreign[0]}', which nothing reads: remove it, "
            "or correct its name."
        )


def _refuse_twice(rows: Iterable[Row], key: tuple[str, ...], path: Path) -> None:
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        name = tuple(row[column] for column in key)
        if name in seen:
            raise SeedError(
                f"The seed file {path} has the {' + '.join(key)} '{', '.join(name)}' twice: "
                "keep one of the rows."
            )
        seen.add(name)
