"""A row of each seed as a model: its columns, and what may stand in them.

A shop's `tracking_plan.yml` is held against the same models, once it is merged with the seeds.
Values stay text, as SQL casts them; '' is NULL. Numbers are patterns, since Python takes 0_1 and
digits of other scripts, which the database does not. The names that the seeds have are the
context of a validation: kind ("keys", "stages", …) → names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from pipelines.analysis.diagnosis import playbook
from pipelines.config.tracking_plan.plan_model import SESSIONS, Row
from pipelines.config.validation import first_problem, refuse_unknown
from pipelines.errors import SeedError

Known = Mapping[str, frozenset[str]]
_NAME = r"[a-zA-Z_]\w*"
_CONDITION = rf"\s*({_NAME}(>=\s*[0-9]{{1,18}}\s*|=[^=&][^&]*))?"


def _in_context(kind: str) -> AfterValidator:
    def check(text: str, info: ValidationInfo) -> str:
        refuse_unknown(text, (info.context or {})[kind])
        return text

    return AfterValidator(check)


Filled = Annotated[str, Field(pattern=r"\S", description="a text")]
Flag = Literal["true", "false"]
Key = Annotated[str, _in_context("keys")]
Rate = Annotated[
    str,
    Field(
        pattern=r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$",
        description="two rates with 0 <= low < high <= 1, such as 0.05 and 0.10",
    ),
]


class SeedRow(BaseModel):
    """Columns in the order of the file, as dbt loads a seed by position.

    `row_key`: the columns that together name a row, which is a `row_noun`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    row_noun: ClassVar[str]
    row_key: ClassVar[tuple[str, ...]]
    may_be_empty: ClassVar[bool] = False


class _MicroRow(SeedRow):
    row_noun, row_key = "key", ("key",)
    key: Filled
    stage: Annotated[str, _in_context("stages")]
    family: Literal["engagement", "intent", "progression", "outcome"]
    event_names: str = Field(
        pattern=r"[^|\s]", description="an event name, or several joined by '|'"
    )
    parameter_filter: str = Field(
        pattern=rf"^{_CONDITION}(&{_CONDITION})*$",
        description="name=value or name>=whole number, joined by '&'",
    )
    parameters: str = Field(
        pattern=rf"^\s*({_NAME})?\s*(\|\s*({_NAME})?\s*)*$",
        description="names of event parameters, joined by '|'",
    )
    parent_key: str
    intent_rank: str = Field(
        pattern=r"^([0-9]{1,9})?$", description="a small whole number such as 3, or leave it out"
    )
    is_expected: Flag
    origin: Annotated[str, _in_context("origins")]
    benchmark_key: Annotated[str, _in_context("benchmarks")]
    description: Filled

    @field_validator("parent_key")
    @classmethod
    def _is_another(cls, text: str, info: ValidationInfo) -> str:
        # A step of the extended funnel may name the one before it.
        own, known = info.data.get("key", ""), info.context or {}
        previous = {"@previous"} if own in known["steps"] else set()
        refuse_unknown(text, known["keys"] - {own} | {""} | previous)
        return text


class _StepRow(SeedRow):
    row_noun, row_key = "step", ("funnel", "step_number")
    funnel: Filled
    step_number: str = Field(pattern=r"^[0-9]{1,9}$", description="a whole number")
    key: Key
    is_optional: Flag
    label: str


class _SegmentRow(SeedRow):
    row_noun, row_key = "segment", ("segment_name",)
    segment_name: Filled
    api_dimension: str
    column_name: str
    position: str
    is_partition: str
    description: str


class _BenchmarkRow(SeedRow):
    row_noun, row_key = "benchmark", ("benchmark_key", "industry", "device", "region")
    benchmark_key: Filled
    industry: Filled
    device: Filled
    region: Filled
    low: Rate
    high: Rate
    unit: Literal["sessions"]
    numerator: Key
    denominator: Key
    source: Filled
    source_date: str = Field(
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="a day as YYYY-MM-DD"
    )
    source_kind: Literal["primary", "secondary"]
    is_default: Flag

    @field_validator("high")
    @classmethod
    def _is_range(cls, text: str, info: ValidationInfo) -> str:
        if not 0 <= float(info.data.get("low", text)) < float(text) <= 1:
            raise ValueError
        return text

    @field_validator("source_date")
    @classmethod
    def _is_day(cls, text: str) -> str:
        date.fromisoformat(text)
        return text


class _OriginRow(SeedRow):
    row_noun, row_key = "origin", ("origin",)
    origin: Filled
    advice: str


class _ChangeRow(SeedRow):
    row_noun, row_key, may_be_empty = "change", ("change_id",), True
    change_id: str
    name: str
    property_id: str
    stage: str
    page: str
    device: str
    start_date: str
    end_date: str


class _RuleRow(SeedRow):
    row_noun, row_key = "rule", ("rule",)
    rule: Filled
    priority: str = Field(
        pattern="^[0-9]+$", description="a whole number, smaller for what is to be looked at first"
    )
    stage: Filled
    condition: str
    likely_cause: Filled
    fix: Filled
    confirm_with: Filled
    sized_by: Literal["", "cart_recovery"]


SEEDS: dict[str, type[SeedRow]] = {
    "micro_conversions": _MicroRow,
    "funnel_steps": _StepRow,
    "segments": _SegmentRow,
    "benchmarks": _BenchmarkRow,
    "event_origins": _OriginRow,
    "changes": _ChangeRow,
    playbook.SEED: _RuleRow,
}


def known_names(seeds: Mapping[str, Iterable[Row]]) -> Known:
    """The context: what the rows of all seeds name."""

    def names(seed: str, column: str) -> frozenset[str]:
        return frozenset(row[column] for row in seeds[seed])

    return {
        "keys": names("micro_conversions", "key") | {SESSIONS},
        "stages": names("micro_conversions", "stage"),
        "origins": names("event_origins", "origin"),
        "benchmarks": names("benchmarks", "benchmark_key") | {""},
        "steps": frozenset(
            row["key"]
            for row in seeds["funnel_steps"]
            if row["funnel"] == "extended" and row["step_number"] != "0"
        ),
    }


def check_row(model: type[SeedRow], row: Row, path: Path, known: Known) -> None:
    """Raises SeedError: a sentence with the file, the row, the column, and what to write."""
    name = ", ".join(row.get(column, "") for column in model.row_key)
    try:
        model.model_validate(row, context=known)
    except ValidationError as error:
        where = f"of the {model.row_noun} '{name}' in {path}"
        raise SeedError(first_problem(error, model, where)) from error


def refuse_other_definition(rows: Iterable[Row], path: Path) -> None:
    """Raises SeedError where rows of one benchmark compare different things.

    A share of all sessions is never compared with a share of the product views.
    """
    first: dict[str, Row] = {}
    for row in rows:
        same = first.setdefault(row["benchmark_key"], row)
        for column in ("numerator", "denominator"):
            if row[column] != same[column]:
                raise SeedError(
                    f"The benchmark '{row['benchmark_key']}' in {path} has the {column} "
                    f"'{row[column]}' in one row and '{same[column]}' in another: give what is "
                    "counted otherwise a name of its own."
                )
