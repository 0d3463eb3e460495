"""Writes docs/metrics.md from docs/metrics.yml and the YAML of the marts: `make docs`."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import indent
from typing import Any

import yaml

from pipelines.config.folders import PROJECT_DIR
from pipelines.reference_docs.mart_contracts import read_marts

SOURCE = PROJECT_DIR / "docs" / "metrics.yml"
TARGET = PROJECT_DIR / "docs" / "metrics.md"
SHARE = "0-1"
_HEAD = """\
<!-- Made by `make docs` from docs/metrics.yml and the YAML of the marts: do not edit. -->
# Metrics

Every rate is a quotient of counts that stand beside it, 0-1, raw where it is above 1, and NULL
unless both counts are tracked; `status` says why. `is_complete`, `maturity` and `flags` say how far
a number can be trusted. Sessions of several events overlap and are never added up; over days they
nearly add up. Queries run on the published file: `sluice sql "…"`.
"""


@dataclass(frozen=True)
class Metric:
    """One metric; `table` and `columns` are where it stands, `grain` is the table's own."""

    name: str
    table: str
    columns: tuple[str, ...]
    formula: str
    denominator: str
    query: str
    semantic: str | None
    unit: str
    grain: str


@dataclass(frozen=True)
class Document:
    """What docs/metrics.md says."""

    metrics: tuple[Metric, ...]
    questions: tuple[tuple[str, str], ...]


def read_document() -> Document:
    """The metrics, with the grain that the description of their table begins with."""
    content = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    marts = read_marts()
    metrics = tuple(
        Metric(
            name=one["name"],
            table=one["table"],
            columns=tuple(one["columns"]),
            formula=one["formula"],
            denominator=one["denominator"],
            query=one["query"].strip(),
            semantic=one.get("semantic"),
            unit=one.get("unit", SHARE),
            grain=_grain(marts[one["table"]].description),
        )
        for one in content["metrics"]
    )
    questions = tuple((one["ask"], one["sql"].strip()) for one in content["questions"])
    return Document(metrics, questions)


def render(document: Document) -> str:
    """The whole file."""
    parts = [_HEAD, *map(_metric, document.metrics), _questions(document.questions)]
    return "\n".join(parts)


def _metric(metric: Metric) -> str:
    rows = {
        "formula": metric.formula,
        "denominator": metric.denominator,
        "grain": metric.grain,
        "unit": metric.unit,
        "where": ", ".join(f"`{name}`" for name in metric.columns) + f" of `marts.{metric.table}`",
    }
    if metric.semantic:
        rows["semantic layer"] = f"`{metric.semantic}`"
    # A bar inside a cell would end it.
    lines = [f"| {name} | {_cell(text)} |" for name, text in rows.items()]
    return "\n".join(
        [f"## {metric.name}\n", "| | |", "|---|---|", *lines, f"\n```sql\n{metric.query}\n```\n"]
    )


def _questions(questions: tuple[tuple[str, str], ...]) -> str:
    blocks = [
        indent(f"```sql\n{sql}\n```\n", "    ").join((f"{number}. {ask}\n\n", ""))
        for number, (ask, sql) in enumerate(questions, start=1)
    ]
    return "\n".join(["## An analyst's ten questions\n", *blocks])


def _grain(description: str) -> str:
    """`One row per a, b and c: more.` → `a, b and c`."""
    first = " ".join(str(description).split()).removeprefix("One row per ")
    return first.split(":")[0].split(". ")[0].rstrip(".")


def _cell(text: Any) -> str:
    return str(text).replace("|", "\\|")
