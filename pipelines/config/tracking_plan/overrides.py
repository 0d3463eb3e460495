"""The shop's own `tracking_plan.yml`: what it changes, checked against the seeds, as whole rows.

Every refusal is one sentence with the file, the place in it, and the nearest name that is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pipelines.config.tracking_plan.plan_model import SESSIONS, PlanOverrides, Row
from pipelines.config.tracking_plan.row_models import (
    SEEDS,
    SeedRow,
    check_row,
    known_names,
    refuse_other_definition,
)
from pipelines.config.tracking_plan.trigger_model import read_trigger
from pipelines.config.yamlfile import read_yaml
from pipelines.errors import SeedError
from pipelines.wording import nearest, shown

_MICRO, _BENCHMARK = SEEDS["micro_conversions"], SEEDS["benchmarks"]
_FIGURE = SEEDS["benchmark_figures"]
# Only `sluice gtm` reads it, and no seed has it.
_TRIGGER = "trigger"
_COLUMNS = (*_MICRO.model_fields, _TRIGGER)
_REQUIRED = ("stage", "family", "event_names", "description")
_NEW = {
    **dict.fromkeys(_MICRO.model_fields, ""),
    "parent_key": SESSIONS, "is_expected": "false", "origin": "custom",
}  # fmt: skip
_COMPARED = {
    "benchmark_key": "", "industry": "all", "device": "all", "region": "all", "unit": "sessions",
    "sample": "not stated", "link": "",
}  # fmt: skip
_FLAGS = {"yes": "true", "on": "true", "no": "false", "off": "false"}
Seeds = Mapping[str, list[Row]]


def _as_seed(changes: Any) -> Any:
    """Values as the seeds write them: lists are joined by '|', nothing is '', no space around.

    What is of another shape stays as it is, for pydantic to refuse.
    """
    if not isinstance(changes, dict):
        return changes
    return {name: _text(value, name in _LISTS) for name, value in changes.items()}


def _text(value: Any, may_be_list: bool) -> Any:
    if may_be_list and isinstance(value, list):
        # An item with a '|' would become two.
        is_plain = all(isinstance(one, str) and "|" not in one for one in value)
        return "|".join(value) if is_plain else value
    return "" if value is None else value.strip() if isinstance(value, str) else value


_LISTS = frozenset({"event_names", "parameters"})
Changes = Annotated[dict[str, str], BeforeValidator(_as_seed)]


class _ShopFile(BaseModel):
    """The file as it is written; the descriptions end a sentence on what is not of that shape."""

    model_config = ConfigDict(extra="forbid")
    micro_conversions: dict[str, Annotated[Changes, Field(min_length=1)]] = Field(
        {}, description="lines of 'key: {column: value}', such as 'gallery: {event_names: zoom}'"
    )
    not_applicable: list[str] = Field([], description="a list of keys, such as [wishlist]")
    benchmarks: list[Changes] = Field([], description="a list of '- {benchmark_key: …, low: …}'")
    figures: list[Changes] = Field([], description="a list of '- {benchmark_key: …, value: …}'")


def read_overrides(path: Path, seeds: Seeds) -> PlanOverrides:
    """The file's rows, merged with those of the seeds that they change; raises SeedError."""
    content = read_yaml(path, "The tracking plan", "correct it", SeedError) or {}
    if not isinstance(content, dict):
        raise SeedError(f"The tracking plan {path} must begin with 'micro_conversions:'.")
    content, written = _split({k: v for k, v in content.items() if v is not None})
    try:
        shop = _ShopFile.model_validate(content)
    except ValidationError as error:
        raise SeedError(_misshapen(error, path)) from error
    own = {row["key"]: row for row in seeds["micro_conversions"]}
    plan = [_merged(path, key, changes, own) for key, changes in shop.micro_conversions.items()]
    for key in written:
        # A new key is one with columns.
        _merged(path, key, shop.micro_conversions.get(key, {}), own)
    triggers = {key: read_trigger(one, key, path) for key, one in written.items()}
    benchmarks: list[Row] = []
    for changes in shop.benchmarks:
        benchmarks.append(_benchmark(path, changes, seeds["benchmarks"], benchmarks))
    ranges = [*seeds["benchmarks"], *benchmarks]
    figures: list[Row] = []
    for changes in shop.figures:
        figures.append(_figure(path, changes, [*ranges, *seeds["benchmark_figures"]], figures))
    known = known_names({
        **seeds,
        "micro_conversions": [*seeds["micro_conversions"], *plan],
        "benchmarks": ranges,
    })  # fmt: skip
    # A shop is of an industry of the seeds: a row of another one would never be compared.
    known = {**known, "industries": known_names(seeds)["industries"]}
    for row in benchmarks:
        check_row(_BENCHMARK, row, path, known)
    for row in figures:
        check_row(_FIGURE, row, path, known)
    refuse_other_definition([*ranges, *seeds["benchmark_figures"], *figures], path)
    for row in plan:
        check_row(_MICRO, row, path, known)
    keys = known["keys"] - {SESSIONS}
    for key in shop.not_applicable:
        if key not in keys:
            raise SeedError(
                f"The key {shown(key)} under not_applicable in {path} is not known: did you mean "
                f"'{nearest(key, keys)}'?"
            )
    return PlanOverrides(
        *(tuple(plan), tuple(shop.not_applicable), tuple(benchmarks), tuple(figures)), triggers
    )


def _split(content: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The file without what sends the events, and that by key, as it is written.

    A key of which nothing else is written is as the seed has it.
    """
    keys = content.get("micro_conversions")
    if not isinstance(keys, dict):
        return content, {}
    triggers = {
        key: own[_TRIGGER]
        for key, own in keys.items()
        if isinstance(own, dict) and own.get(_TRIGGER) is not None
    }
    rest = {
        key: {name: one for name, one in own.items() if name != _TRIGGER}
        if isinstance(own, dict)
        else own
        for key, own in keys.items()
    }
    changed = {key: own for key, own in rest.items() if own or key not in triggers}
    return {**content, "micro_conversions": changed}, triggers


def _misshapen(error: ValidationError, path: Path) -> str:
    """What is not of the file's shape: a section, an entry of one, or a value in that."""
    problem = error.errors()[0]
    section, parts = str(problem["loc"][0]), problem["loc"][1:]
    place = [shown(one) if isinstance(one, str) else f"item {one + 1}" for one in parts]
    sections = _ShopFile.model_fields
    if problem["type"] == "extra_forbidden":
        known = nearest(section, sections)
        return f"The section {shown(section)} of {path} is not known: did you mean '{known}'?"
    if len(place) > 1:
        if section == "micro_conversions" and parts[1] not in _COLUMNS:
            return _unknown_column(str(parts[1]), f"the key {place[0]}", path)
        return (
            f"The column {place[1]} of {place[0]} under {section} in {path} is no "
            "text: write one value, or a list of names such as [one, two] (null and ~ in quotes, "
            "no '|')."
        )
    entry = f" (see {place[0]})" if place else ""
    return f"The section '{section}' of {path}{entry} must be {sections[section].description}."


def _merged(path: Path, key: str, changes: Row, known: Mapping[str, Row]) -> Row:
    """The seed's row with the shop's changes, or a new one."""
    _refuse_column("key", changes, f"of the key {shown(key)} in {path}")
    if flag := changes.get("is_expected", "").lower():
        changes = {**changes, "is_expected": _FLAGS.get(flag, flag)}
    if missing := [name for name in _REQUIRED if key not in known and not changes.get(name)]:
        raise SeedError(
            f"The key {shown(key)} in {path} is not in the plan (the nearest one is "
            f"'{nearest(key, known)}'): correct it, or give a new key its {', '.join(missing)}."
        )
    if unknown := [name for name in changes if name not in _COLUMNS]:
        raise SeedError(_unknown_column(unknown[0], f"the key {shown(key)}", path))
    return {**known.get(key, _NEW), **changes, "key": key}


def _unknown_column(name: str, of: str, path: Path) -> str:
    known = nearest(name, _COLUMNS)
    return f"The column {shown(name)} of {of} in {path} is not known: did you mean '{known}'?"


def _benchmark(path: Path, changes: Row, seeds: list[Row], own: list[Row]) -> Row:
    """A whole row: what is compared comes from the rows of the same key, if there are any."""
    _refuse_column("is_default", changes, f"of a benchmark in {path}")
    same = _same_key(changes, [*seeds, *own])
    row = {
        **_COMPARED, "source_kind": "primary", "publisher": "the shop itself",
        "period": changes.get("source_date", ""), **_keys(same), **changes,
    }  # fmt: skip
    _refuse_twice(_BENCHMARK, row, own, path)
    replaced = [one for one in same if _name(_BENCHMARK, one) == _name(_BENCHMARK, row)]
    is_default = replaced[0]["is_default"] if replaced else str(not same).lower()
    return {**row, "is_default": is_default}


def _figure(path: Path, changes: Row, seeds: list[Row], own: list[Row]) -> Row:
    """A whole row: a figure of shops like this one, such as Shopify shows to who sells there."""
    keys = {**_keys(_same_key(changes, [*seeds, *own])), **changes}
    row = {
        **_COMPARED, "definition": f"{keys.get('numerator')} / {keys.get('denominator')}",
        "read_from": "primary", "read_on": changes.get("period_end", ""), **keys,
    }  # fmt: skip
    _refuse_twice(_FIGURE, row, own, path)
    return row


def _same_key(changes: Row, rows: list[Row]) -> list[Row]:
    return [one for one in rows if one["benchmark_key"] == changes.get("benchmark_key")]


def _keys(same: list[Row]) -> Row:
    """What a benchmark of this name divides by what, as its first row has it."""
    return {one: same[0][one] for one in ("numerator", "denominator") if same and one in same[0]}


def _name(model: type[SeedRow], row: Row) -> list[str]:
    return [row.get(column, "") for column in model.row_key]


def _refuse_twice(model: type[SeedRow], row: Row, own: list[Row], path: Path) -> None:
    name = _name(model, row)
    if any(name == _name(model, one) for one in own):
        raise SeedError(
            f"The {model.row_noun} {shown(', '.join(name))} is twice in {path}: keep one."
        )


def _refuse_column(column: str, changes: Row, where: str) -> None:
    """Raises SeedError for a column of the seeds that follows from the rest of the file."""
    if column in changes:
        raise SeedError(f"The {column} {where} is not yours to set: leave it out.")
