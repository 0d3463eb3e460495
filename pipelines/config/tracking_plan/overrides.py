"""The shop's own `tracking_plan.yml`: what it changes, checked against the seeds, as whole rows.

Every refusal is one sentence with the file, the place in it, and the nearest name that is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.config.tracking_plan.plan_model import SESSIONS, PlanOverrides, Row
from pipelines.config.tracking_plan.plan_rows import nearest, refuse_no_range
from pipelines.config.tracking_plan.seed_files import SEED_COLUMNS, SEED_KEYS
from pipelines.config.yamlfile import read_yaml
from pipelines.errors import SeedError

SECTIONS = ("micro_conversions", "not_applicable", "benchmarks")
_REQUIRED = ("stage", "family", "event_names", "description")
_NEW = {"parent_key": SESSIONS, "is_expected": "false", "origin": "custom"}
_FAMILIES = {"engagement", "intent", "progression", "outcome"}
_BENCHMARK = {
    "industry": "all", "device": "all", "region": "all", "unit": "sessions",
    "source_kind": "primary",
}  # fmt: skip
_BENCHMARK_VALUES = {"unit": ["sessions"], "source_kind": ["primary", "secondary"]}
_BENCHMARK_REQUIRED = ("benchmark_key", "low", "high", "source", "source_date")
# What the database reads as a day and as a number; Python's own functions take more.
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
_SAID = {"yes": "true", "on": "true", "no": "false", "off": "false", "true": "true",
         "false": "false"}  # fmt: skip
Seeds = Mapping[str, list[Row]]


def read_overrides(path: Path, seeds: Seeds) -> PlanOverrides:
    """The file's rows, merged with those of the seeds that they change; raises SeedError."""
    content = read_yaml(path, "The tracking plan", "correct it", SeedError) or {}
    if not isinstance(content, dict):
        raise SeedError(f"The tracking plan {path} must begin with 'micro_conversions:'.")
    _refuse_unknown(content, SECTIONS, "section", f"of {path}")
    benchmarks = _benchmarks(path, content.get("benchmarks") or [], seeds)
    plan = _plan(path, content.get("micro_conversions") or {}, seeds, benchmarks)
    keys = {row["key"] for row in (*seeds["micro_conversions"], *plan)}
    for row in benchmarks:
        for column in ("numerator", "denominator"):
            where = f"of the benchmark '{row['benchmark_key']}' in {path}"
            _refuse_unknown([row[column]], keys | {SESSIONS}, column, where)
    declared = content.get("not_applicable") or []
    if not isinstance(declared, list) or not all(isinstance(key, str) for key in declared):
        raise SeedError(f"The section 'not_applicable' of {path} must be a list of keys.")
    _refuse_unknown(declared, keys, "key", f"under not_applicable in {path}")
    return PlanOverrides(plan, tuple(declared), benchmarks)


def _plan(path: Path, asked: Any, seeds: Seeds, benchmarks: Iterable[Row]) -> tuple[Row, ...]:
    if not isinstance(asked, dict):
        raise SeedError(
            f"The section 'micro_conversions' of {path} must be lines of 'key: {{column: value}}'."
        )
    known = {row["key"]: row for row in seeds["micro_conversions"]}
    rows = [_merged(path, key, changes, known) for key, changes in asked.items()]
    keys = {*known, *(row["key"] for row in rows), SESSIONS}
    steps = {
        row["key"]
        for row in seeds["funnel_steps"]
        if row["funnel"] == "extended" and row["step_number"] != "0"
    }
    known_benchmarks = {row["benchmark_key"] for row in (*seeds["benchmarks"], *benchmarks)}
    for row in rows:
        allowed = {
            "stage": {one["stage"] for one in seeds["micro_conversions"]},
            "family": _FAMILIES,
            "origin": {one["origin"] for one in seeds["event_origins"]},
            "is_expected": {"true", "false"},
            "parent_key": keys - {row["key"]} | {""} | ({"@previous"} & _previous(row, steps)),
            "benchmark_key": known_benchmarks | {""},
        }
        for column, values in allowed.items():
            where = f"of the key '{row['key']}' in {path}"
            _refuse_unknown([row[column]], values, column, where)
        if row["intent_rank"] and not _WHOLE_NUMBER.fullmatch(row["intent_rank"]):
            raise SeedError(
                f"The intent_rank '{row['intent_rank']}' of the key '{row['key']}' in {path} "
                "is no small whole number: write one such as 3, or leave it out."
            )
    return tuple(rows)


def _previous(row: Row, steps: set[str]) -> set[str]:
    """`@previous` is the step before it in the extended funnel: only a step has one."""
    return {"@previous"} if row["key"] in steps else set()


def _merged(path: Path, key: str, changes: Any, known: Mapping[str, Row]) -> Row:
    """The seed's row with the shop's changes, or a new one."""
    if not isinstance(changes, dict) or not changes:
        raise SeedError(
            f"The key '{key}' in {path} must be followed by what to change, such as "
            "{event_names: my_event}."
        )
    columns = [name for name in SEED_COLUMNS["micro_conversions"] if name != "key"]
    where = f"of the key '{key}' in {path}"
    _refuse_unknown(changes, columns, "column", where)
    values = {name: _text(value, name, where) for name, value in changes.items()}
    if said := values.get("is_expected"):
        values["is_expected"] = _SAID.get(said.lower(), said)
    if key in known:
        return {**known[key], **values}
    if missing := [name for name in _REQUIRED if not values.get(name)]:
        raise SeedError(
            f"The key '{key}' in {path} is not in the plan (the nearest one is "
            f"'{nearest(key, known)}'): correct it, or give a new key its {', '.join(missing)}."
        )
    return {"key": key, **dict.fromkeys(columns, ""), **_NEW, **values}


def _benchmarks(path: Path, asked: Any, seeds: Seeds) -> tuple[Row, ...]:
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        raise SeedError(
            f"The section 'benchmarks' of {path} must be a list of '- {{benchmark_key: …}}'."
        )
    rows: dict[tuple[str, ...], Row] = {}
    for one in asked:
        row = _benchmark(path, one, [*seeds["benchmarks"], *rows.values()])
        name = tuple(row[column] for column in SEED_KEYS["benchmarks"])
        if name in rows:
            raise SeedError(f"The benchmark '{', '.join(name)}' is twice in {path}: keep one.")
        rows[name] = row
    return tuple(rows.values())


def _benchmark(path: Path, asked: Mapping[str, Any], known: list[Row]) -> Row:
    """A whole row: what is compared comes from the rows of the same key, if there are any."""
    columns = [name for name in SEED_COLUMNS["benchmarks"] if name != "is_default"]
    _refuse_unknown(asked, columns, "column", f"of the benchmarks in {path}")
    where = f"of a benchmark in {path}"
    row = {**_BENCHMARK, **{name: _text(value, name, where) for name, value in asked.items()}}
    what = f"The benchmark '{row.get('benchmark_key', '')}' in {path}"
    same = [one for one in known if one["benchmark_key"] == row.get("benchmark_key")]
    compared = {name: same[0][name] for name in ("numerator", "denominator")} if same else {}
    for name, value in compared.items():
        if row.setdefault(name, value) != value:
            raise SeedError(
                f"{what} has another {name} than its other rows ({value}): give it a name of its "
                "own."
            )
    for name in (*_BENCHMARK_REQUIRED, "numerator", "denominator"):
        if not row.get(name):
            raise SeedError(f"{what} has no {name}: add it.")
    refuse_no_range(row, path)
    for column, known_values in _BENCHMARK_VALUES.items():
        _refuse_unknown([row[column]], known_values, column, f"of the {what[4:]}")
    try:
        if not _DAY.fullmatch(row["source_date"]):
            raise ValueError
        date.fromisoformat(row["source_date"])
    except ValueError as error:
        raise SeedError(
            f"{what} has the source_date '{row['source_date']}': write it as YYYY-MM-DD."
        ) from error
    replaced = [one for one in same if all(one[k] == row[k] for k in SEED_KEYS["benchmarks"])]
    row["is_default"] = replaced[0]["is_default"] if replaced else str(not same).lower()
    return {name: row[name] for name in SEED_COLUMNS["benchmarks"]}


def _refuse_unknown(names: Iterable[str], known: Iterable[str], kind: str, where: str) -> None:
    """Raises SeedError: "The <kind> '<name>' <where> is not known"."""
    known = set(known)
    for name in names:
        if name not in known:
            proposal = nearest(name, known - {""})
            raise SeedError(f"The {kind} '{name}' {where} is not known: did you mean '{proposal}'?")


def _text(value: Any, column: str, where: str) -> str:
    """A value as the seeds write it; lists are joined by '|'."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "|".join(value)
    if isinstance(value, str | None):
        return value or ""
    raise SeedError(
        f"The {column} {where} is no text: write one value, or a list such as [one, two] (the "
        "words null and ~ in quotes)."
    )
