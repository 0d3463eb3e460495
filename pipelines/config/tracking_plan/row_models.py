"""A row of each seed as a model: its columns, and what may stand in them.

A shop's `tracking_plan.yml` is held against the same models, once it is merged with the seeds.
Values stay text, as SQL casts them; '' is NULL. Numbers are patterns, since Python takes 0_1 and
digits of other scripts, which the database does not. The names that the seeds have are the
context of a validation: kind ("keys", "stages", …) → names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from pipelines.analysis.diagnosis import playbook
from pipelines.analysis.experiments.register import STAGES as STAGE_ORDER
from pipelines.config.field_types import Line
from pipelines.config.thresholds import segment_columns
from pipelines.config.tracking_plan.cell_types import (
    ASCII_NAME,
    CONDITION,
    Day,
    Device,
    Digits,
    Filled,
    Flag,
    Key,
    Link,
    Name,
    Rate,
    Regions,
    Statistic,
    in_context,
)
from pipelines.config.tracking_plan.event_names import is_plain
from pipelines.config.tracking_plan.plan_model import SESSIONS, Row
from pipelines.config.validation import first_problem, refuse_if, refuse_unknown
from pipelines.errors import SeedError
from pipelines.wording import shown

# Those of dim_stage.sql (tested): a row of another one would stand in no table.
STAGES = frozenset(STAGE_ORDER)
Known = Mapping[str, frozenset[str]]


class SeedRow(BaseModel):
    """Columns in the order of the file, as dbt loads a seed by position.

    `row_key`: the columns that together name a row, which is a `row_noun`. `unique`: other columns
    that no two rows may have in common.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    row_noun: ClassVar[str]
    row_key: ClassVar[tuple[str, ...]]
    unique: ClassVar[tuple[str, ...]] = ()


class _MicroRow(SeedRow):
    row_noun, row_key = "key", ("key",)
    key: Name
    stage: Annotated[str, in_context("stages")]
    family: Literal["engagement", "intent", "progression", "outcome"]
    event_names: str
    parameter_filter: Line = Field(
        pattern=rf"^{CONDITION}(&{CONDITION})*$",
        description="name=value or name>=whole number, joined by '&'",
    )
    parameters: Line = Field(
        pattern=rf"^( *{ASCII_NAME} *(\| *{ASCII_NAME} *)*\|? *)?$",
        description="names of event parameters, joined by '|'",
    )
    parent_key: str
    intent_rank: Line = Field(
        pattern=r"^([0-9]{1,9})?$", description="a small whole number such as 3, or leave it out"
    )
    is_expected: Flag
    origin: Annotated[str, in_context("origins")]
    benchmark_key: Annotated[str, in_context("benchmarks")]
    description: Filled

    @field_validator("key")
    @classmethod
    def _is_ours(cls, text: str) -> str:
        refuse_if(text == SESSIONS, "stands for all sessions: choose another name")
        return text

    @field_validator("event_names")
    @classmethod
    def _are_names(cls, text: str) -> str:
        names = [name.strip(" ") for name in text.split("|")]
        wanted = "write an event name, or several different ones joined by '|'"
        refuse_if(
            len(set(names)) < len(names) or not all(map(is_plain, names)),
            f"cannot be read: {wanted}",
        )
        return text

    @field_validator("parameter_filter")
    @classmethod
    def _is_filter(cls, text: str) -> str:
        # To SQL every text is one.
        refuse_if(text != "" and "=" not in text, "has no condition: write one, or leave it out")
        return text

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
    funnel: Name
    step_number: Digits
    key: Key
    is_optional: Flag
    label: Filled


class _SegmentRow(SeedRow):
    row_noun, row_key, unique = "segment", ("segment_name",), ("position",)
    segment_name: Annotated[str, in_context("segments")]
    api_dimension: Line = Field(
        pattern=rf"^({ASCII_NAME})?$",
        description="the API's name of a dimension, or leave it out",
    )
    column_name: str
    position: Digits
    is_partition: Flag
    description: Filled

    @field_validator("column_name")
    @classmethod
    def _is_column(cls, text: str, info: ValidationInfo) -> str:
        known = segment_columns().get(info.data.get("segment_name", ""), text)
        refuse_if(text != known, f"is not that of dbt_project.yml: write '{known}', or change both")
        return text


class _BenchmarkRow(SeedRow):
    row_noun, row_key = "benchmark", ("benchmark_key", "industry", "device", "region")
    benchmark_key: Name
    industry: Annotated[Filled, in_context("industries")]
    device: Device
    region: Filled
    low: Rate
    high: Rate
    unit: Literal["sessions"]
    numerator: Key
    denominator: Key
    source: Filled
    publisher: Filled
    sample: Filled
    period: Filled
    link: Link
    source_date: Day
    source_kind: Literal["primary", "secondary"]
    is_default: Flag

    @field_validator("high")
    @classmethod
    def _is_range(cls, text: str, info: ValidationInfo) -> str:
        low = float(info.data.get("low", text))
        refuse_if(
            not 0 <= low < float(text) <= 1,
            "cannot be read: write two rates with 0 <= low < high <= 1, such as 0.05 and 0.10",
        )
        return text


class _FigureRow(SeedRow):
    row_noun = "figure"
    row_key = (
        "benchmark_key", "industry", "device", "region", "publisher", "period", "statistic",
    )  # fmt: skip
    benchmark_key: Name
    industry: Annotated[Filled, in_context("industries")]
    device: Device
    region: Regions
    statistic: Statistic
    value: Rate
    unit: Literal["sessions"]
    numerator: Key
    denominator: Key
    definition: Filled
    publisher: Filled
    sample: Filled
    period: Filled
    period_end: Day
    link: Link
    read_from: Filled
    read_on: Day

    @field_validator("value")
    @classmethod
    def _is_share(cls, text: str) -> str:
        refuse_if(not 0 < float(text) < 1, "cannot be read: write a share such as 0.014 for 1.4 %")
        return text


class _OriginRow(SeedRow):
    row_noun, row_key = "origin", ("origin",)
    origin: Literal["automatic", "enhanced", "recommended", "custom"]
    advice: Filled


class _RuleRow(SeedRow):
    row_noun, row_key, unique = "rule", ("rule",), ("priority",)
    rule: Filled
    priority: Line = Field(
        pattern="^[0-9]{1,9}$",
        description="a whole number, smaller for what is to be looked at first",
    )
    stage: Annotated[str, in_context("stages")]
    step_key: str
    condition: Filled
    likely_cause: Filled
    fix: Filled
    confirm_with: Filled
    is_fallback: Flag
    sized_by: Literal["", "cart_recovery"]
    signal: Literal[
        "",
        "dead_click",
        "error_click",
        "excessive_scroll",
        "quick_back",
        "rage_click",
        "script_error",
    ]

    @field_validator("step_key")
    @classmethod
    def _is_key(cls, text: str, info: ValidationInfo) -> str:
        if text:
            refuse_unknown(text, (info.context or {})["keys"])
        return text


class _SourceRow(SeedRow):
    row_noun, row_key = "source", ("source",)
    source: Line = Field(
        pattern=r"^[a-z0-9][a-z0-9.-]*$",
        description="a site such as google or t.co, in small letters",
    )
    category: Literal["search", "social", "shopping", "video"]


class _ChannelRow(SeedRow):
    row_noun, row_key = "rule", ("position",)
    position: Digits
    channel_group: Filled
    source_category: Literal["", "search", "social", "shopping", "video"]
    source_pattern: str
    medium_pattern: str
    campaign_pattern: str

    @field_validator("source_pattern", "medium_pattern", "campaign_pattern")
    @classmethod
    def _is_pattern(cls, text: str) -> str:
        try:
            re.compile(text)
        except re.error:
            refuse_if(True, "is no regular expression: correct it, or leave it out")
        return text


SEEDS: dict[str, type[SeedRow]] = {
    "micro_conversions": _MicroRow,
    "funnel_steps": _StepRow,
    "segments": _SegmentRow,
    "benchmarks": _BenchmarkRow,
    "benchmark_figures": _FigureRow,
    "event_origins": _OriginRow,
    playbook.SEED: _RuleRow,
}


# Read only where a property is read from its event export; dbt does not load them.
CHANNEL_SEEDS: dict[str, type[SeedRow]] = {
    "channel_rules": _ChannelRow,
    "traffic_sources": _SourceRow,
}


def known_names(seeds: Mapping[str, Iterable[Row]]) -> Known:
    """The context: what the rows of all seeds name."""

    def names(seed: str, column: str) -> frozenset[str]:
        return frozenset(row[column] for row in seeds[seed])

    return {
        "keys": names("micro_conversions", "key") | {SESSIONS},
        "stages": STAGES,
        "segments": frozenset(segment_columns()),
        "origins": names("event_origins", "origin"),
        "benchmarks": names("benchmarks", "benchmark_key") | {""},
        "industries": names("benchmarks", "industry") | names("benchmark_figures", "industry"),
        "steps": frozenset(
            row["key"]
            for row in seeds["funnel_steps"]
            if row["funnel"] == "extended" and row["step_number"] != "0"
        ),
    }


def check_row(model: type[SeedRow], row: Row, path: Path, known: Known) -> None:
    """Raises SeedError: a sentence with the file, the row, the column, and what to write."""
    try:
        model.model_validate(row, context=known)
    except ValidationError as error:
        name = shown(", ".join(row.get(column, "") for column in model.row_key))
        is_name = model.row_key == (model.row_noun,) == error.errors()[0]["loc"]
        where = f"in {path}" if is_name else f"of the {model.row_noun} {name} in {path}"
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
                    f"The benchmark {shown(row['benchmark_key'])} in {path} has the {column} "
                    f"{shown(row[column])} in one row and {shown(same[column])} in another: give "
                    "what is counted otherwise a name of its own."
                )
