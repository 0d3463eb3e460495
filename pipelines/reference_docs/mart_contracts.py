"""The marts as their YAML promises them: tables, columns, types, descriptions."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from pipelines.config.folders import DBT_PROJECT_DIR

MARTS = DBT_PROJECT_DIR / "models" / "marts"
_SHARED = re.compile(r"\{% docs (\w+) %\}\n(.*?)\n\{% enddocs %\}", re.DOTALL)
_REFERENCE = re.compile(r"\{\{\s*doc\('(\w+)'\)\s*\}\}")


@dataclass(frozen=True)
class Column:
    """`data_type` is DuckDB's, in lower case."""

    data_type: str
    description: str


@dataclass(frozen=True)
class Mart:
    """One table of the schema marts."""

    name: str
    description: str
    columns: dict[str, Column]


def read_marts() -> dict[str, Mart]:
    """Name → mart; descriptions that several models share (models/columns.md) are filled in."""
    shared = dict(_SHARED.findall((MARTS.parent / "columns.md").read_text(encoding="utf-8")))

    def filled(text: str) -> str:
        return _REFERENCE.sub(lambda match: shared[match[1]], text).strip()

    return {
        model["name"]: Mart(
            model["name"],
            filled(model["description"]),
            {
                column["name"]: Column(column["data_type"], filled(column["description"]))
                for column in model["columns"]
            },
        )
        for path in sorted(MARTS.rglob("*.yml"))
        for model in (yaml.safe_load(path.read_text(encoding="utf-8")).get("models") or [])
    }
