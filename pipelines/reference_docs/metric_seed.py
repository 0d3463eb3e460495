"""The rows of `marts.dim_metric`, as a seed: from the semantic layer and from docs/metrics.yml.

What belongs here: reading those two, so that no fact of a metric is written a second time.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from io import StringIO
from typing import Any

import yaml

from pipelines.config.folders import DBT_PROJECT_DIR
from pipelines.reference_docs.mart_contracts import MARTS, Mart, read_marts
from pipelines.reference_docs.metrics_document import SHARE, Document, Metric

SEMANTIC_LAYER = MARTS / "_metrics.yml"
TARGET = DBT_PROJECT_DIR / "seeds" / "metric_definitions.csv"
# {{ Dimension('funnel_step_day__step_key') }} → step_key
_DIMENSION = re.compile(r"\{\{\s*Dimension\('\w+?__(\w+)'\)\s*\}\}")


@dataclass(frozen=True)
class MetricRow:
    """One row of the seed; an empty text is NULL."""

    metric: str
    label: str
    is_semantic: str
    description: str
    formula: str
    numerator: str
    denominator: str
    unit: str
    table_name: str
    column_name: str
    example_query: str


def metric_rows(document: Document) -> list[MetricRow]:
    """All rows: the semantic layer's in its order, then those of the document in its own."""
    layer = yaml.safe_load(SEMANTIC_LAYER.read_text(encoding="utf-8"))
    marts = read_marts()
    return [
        *_semantic_rows(layer),
        *(_documented_row(metric, marts[metric.table]) for metric in document.metrics),
    ]


def to_csv(rows: list[MetricRow]) -> str:
    """The text of the seed file."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(MetricRow)])
    writer.writerows(map(astuple, rows))
    return text.getvalue()


@dataclass(frozen=True)
class _Sum:
    """A simple metric: the sum of a column over the rows that the filter leaves."""

    table: str
    column: str
    unit: str
    condition: str

    @property
    def formula(self) -> str:
        return f"sum({self.column})" + (f" where {self.condition}" if self.condition else "")

    def query(self, name: str) -> str:
        where = f" where {self.condition}" if self.condition else ""
        return (
            f"select property_id, sum({self.column}) as {name} from marts.{self.table}{where} "
            "group by property_id order by property_id"
        )


def _semantic_rows(layer: Mapping[str, Any]) -> Iterator[MetricRow]:
    metrics = {metric["name"]: metric for metric in layer["metrics"]}
    sums = dict(_sums(layer))
    for name, metric in metrics.items():
        common = (name, metric["label"], "true", metric["description"])
        if metric["type"] == "simple":
            own = sums[name]
            yield MetricRow(
                *common, own.formula, own.formula, "", own.unit, own.table, own.column,
                own.query(name),
            )  # fmt: skip
            continue
        above, below = (metric["type_params"][part] for part in ("numerator", "denominator"))
        own = sums[above]
        yield MetricRow(
            *common, f"{above} / {below}", above, below, SHARE, own.table, own.column,
            _ratio_query(name, own.query("above"), sums[below].query("below")),
        )  # fmt: skip


def _sums(layer: Mapping[str, Any]) -> Iterator[tuple[str, _Sum]]:
    measures = {
        measure["name"]: (model["model"].removeprefix("ref('").removesuffix("')"), measure)
        for model in layer["semantic_models"]
        for measure in model["measures"]
    }
    for metric in layer["metrics"]:
        if metric["type"] == "simple":
            table, measure = measures[metric["type_params"]["measure"]]
            condition = " ".join(_DIMENSION.sub(r"\1", metric.get("filter", "")).split())
            unit = measure["config"]["meta"]["unit"]
            yield metric["name"], _Sum(table, measure["expr"], unit, condition)


def _ratio_query(name: str, above: str, below: str) -> str:
    return (
        f"select property_id, above / nullif(below, 0) as {name} from ({above}) "
        f"join ({below}) using (property_id) order by property_id"
    )


def _documented_row(metric: Metric, mart: Mart) -> MetricRow:
    column = metric.columns[0]
    return MetricRow(
        metric=f"{metric.table}.{column}",
        label=metric.name,
        is_semantic="false",
        description=mart.columns[column].description,
        formula=metric.formula,
        numerator="",
        denominator="" if metric.denominator == "none" else metric.denominator,
        unit=metric.unit,
        table_name=metric.table,
        column_name=", ".join(metric.columns),
        example_query=" ".join(metric.query.split()),
    )
