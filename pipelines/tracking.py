"""The seeds as Python reads them: tracking plan and segments, validated before anything runs.

The seed files in `dbt_project/seeds` are the one place where event names, parameters and
segments are written; dbt loads the same files. No Dagster, no network.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipelines.diagnosis import playbook
from pipelines.errors import SeedError
from pipelines.settings import DBT_PROJECT_DIR

SEEDS_DIR = DBT_PROJECT_DIR / "seeds"
# Which columns each seed must have, and which of them together name a row.
SEED_KEYS = {
    "micro_conversions": ("key",),
    "funnel_steps": ("funnel", "step_number"),
    "segments": ("segment_name",),
    "benchmarks": ("benchmark_key", "industry", "device", "region"),
    playbook.SEED: playbook.SEED_KEY,
}
# All columns of each seed: dbt loads a seed by position, so a missing or a foreign one is refused.
SEED_COLUMNS = {
    "micro_conversions": (
        "key", "stage", "family", "event_names", "parameter_filter", "parameters", "parent_key",
        "intent_rank", "is_expected", "origin", "benchmark_key", "requirement_ids", "description",
    ),
    "funnel_steps": ("funnel", "step_number", "key", "is_optional", "label"),
    "segments": (
        "segment_name", "api_dimension", "column_name", "position", "is_partition", "description",
    ),
    "benchmarks": (
        "benchmark_key", "industry", "device", "region", "low", "high", "unit", "numerator",
        "denominator", "source", "source_date", "source_kind", "is_default",
    ),
    playbook.SEED: playbook.SEED_COLUMNS,
}  # fmt: skip
_CONDITION = re.compile(r"^(?P<name>[a-zA-Z_]\w*)(?P<operator>>=|=)(?P<value>[^=].*)$")
_PARAMETER = re.compile(r"[a-zA-Z_]\w*")
# The key that stands for all sessions; every other key is a row of micro_conversions.csv.
SESSIONS = "sessions"


@dataclass(frozen=True)
class ParameterCondition:
    """One `name=value` or `name>=number` of a parameter filter."""

    name: str
    operator: str
    value: str


@dataclass(frozen=True)
class MicroConversion:
    """One row of the tracking plan, as far as the GA4 client needs it.

    `parameters`: event parameters whose values are worth reading, beside those of `conditions`.
    """

    key: str
    event_names: tuple[str, ...]
    conditions: tuple[ParameterCondition, ...]
    parameters: tuple[str, ...] = ()
    family: str = ""
    parent_key: str = ""

    @property
    def is_composite(self) -> bool:
        """Several names or a parameter filter: GA4 itself must count its sessions.

        Sessions of two events overlap and cannot be added up.
        """
        return len(self.event_names) > 1 or bool(self.conditions)


@dataclass(frozen=True)
class Segment:
    """One way to split every number; the segment `all` has no dimension."""

    name: str
    api_dimension: str | None


@dataclass(frozen=True)
class FunnelStep:
    """One step: its number in the seed, and what is done there; None is any session."""

    number: int
    micro_conversion: MicroConversion | None
    is_optional: bool = False

    @property
    def key(self) -> str:
        """The step's key in the tracking plan, or `sessions`."""
        return self.micro_conversion.key if self.micro_conversion else SESSIONS


@dataclass(frozen=True)
class Funnel:
    """Steps in their order.

    `is_lift`: compares who did its middle step with who did not, so it needs all of its steps.
    """

    name: str
    steps: tuple[FunnelStep, ...]
    is_lift: bool = False


@dataclass(frozen=True)
class TrackingPlan:
    """What is counted, by which segments, and in which order it should happen."""

    micro_conversions: tuple[MicroConversion, ...]
    segments: tuple[Segment, ...]
    funnels: tuple[Funnel, ...] = ()

    @property
    def parameters(self) -> dict[str, tuple[str, ...]]:
        """Event parameter → names of the events that carry it, both in the seed's order."""
        events: dict[str, dict[str, None]] = {}
        for micro in self.micro_conversions:
            for name in (*(one.name for one in micro.conditions), *micro.parameters):
                events.setdefault(name, {}).update(dict.fromkeys(micro.event_names))
        return {name: tuple(names) for name, names in events.items()}


def load_plan(seeds: Path = SEEDS_DIR) -> TrackingPlan:
    """Read and check all seed files.

    Raises SeedError: a file that is missing or unreadable, lacks a column, names a row twice,
    or holds a parameter filter, a parameter or a step number that cannot be read.
    """
    rows = {name: _read(seeds / f"{name}.csv", name) for name in SEED_COLUMNS}
    plan_file = seeds / "micro_conversions.csv"
    known = {row["key"] for row in rows["micro_conversions"]} | {SESSIONS}
    _refuse_unknown(rows["funnel_steps"], "key", known, seeds / "funnel_steps.csv")
    for column in ("numerator", "denominator"):
        _refuse_unknown(rows["benchmarks"], column, known, seeds / "benchmarks.csv")
    for row in rows["benchmarks"]:
        _refuse_no_range(row, seeds / "benchmarks.csv")
    _refuse_unknown(rows["micro_conversions"], "parent_key", known | {"", "@previous"}, plan_file)
    playbook.check_playbook(
        rows[playbook.SEED], f"{seeds / playbook.SEED}.csv", _nameable(rows, known - {SESSIONS})
    )
    micros = tuple(_micro(row, plan_file) for row in rows["micro_conversions"])
    return TrackingPlan(
        micro_conversions=micros,
        segments=tuple(
            Segment(row["segment_name"], row["api_dimension"] or None) for row in rows["segments"]
        ),
        funnels=_funnels(rows["funnel_steps"], micros, seeds / "funnel_steps.csv"),
    )


def _nameable(rows: dict[str, list[dict[str, str]]], keys: set[str]) -> playbook.Known:
    """What the conditions of the playbook may name."""
    return playbook.Known(
        keys=frozenset(keys),
        benchmarks=frozenset(row["benchmark_key"] for row in rows["benchmarks"]),
        funnels=frozenset(row["funnel"] for row in rows["funnel_steps"]),
        segments=frozenset(row["segment_name"] for row in rows["segments"]),
    )


def _read(path: Path, seed: str) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            header, rows = reader.fieldnames or [], list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SeedError(
            f"The seed file {path} cannot be read ({error}): restore it, or correct it."
        ) from error
    for column in SEED_COLUMNS[seed]:
        if column not in header:
            raise SeedError(f"The seed file {path} has no column '{column}': add it.")
    if foreign := [name for name in header if name not in SEED_COLUMNS[seed]]:
        raise SeedError(
            f"The seed file {path} has the column '{foreign[0]}', which nothing reads: remove it, "
            "or correct its name."
        )
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise SeedError(
                f"Row {number} of the seed file {path} has not {len(header)} fields: "
                "put quotes around values with commas."
            )
    _refuse_twice(rows, SEED_KEYS[seed], path)
    if not rows:
        raise SeedError(f"The seed file {path} has no rows: restore it.")
    return rows


def _refuse_twice(rows: Iterable[dict[str, str]], key: tuple[str, ...], path: Path) -> None:
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        name = tuple(row[column] for column in key)
        if name in seen:
            raise SeedError(
                f"The seed file {path} has the {' + '.join(key)} '{', '.join(name)}' twice: "
                "keep one of the rows."
            )
        seen.add(name)


def _refuse_unknown(
    rows: Iterable[dict[str, str]], column: str, known: set[str], path: Path
) -> None:
    for row in rows:
        if row[column] not in known:
            raise SeedError(
                f"The seed file {path} names the {column} '{row[column]}', which is no key of "
                "micro_conversions.csv: correct it, or add the key there."
            )


def _refuse_no_range(row: dict[str, str], path: Path) -> None:
    try:
        is_range = 0 <= float(row["low"]) < float(row["high"]) <= 1
    except ValueError:
        is_range = False
    if not is_range:
        raise SeedError(
            f"The benchmark '{row['benchmark_key']}' in {path} goes from '{row['low']}' to "
            f"'{row['high']}': write two rates with 0 <= low < high <= 1, such as 0.05 and 0.10."
        )


def _micro(row: dict[str, str], path: Path) -> MicroConversion:
    names = tuple(name.strip() for name in row["event_names"].split("|") if name.strip())
    if not names:
        raise SeedError(f"The key '{row['key']}' in {path} has no event name: add one.")
    texts = [text for text in row["parameter_filter"].split("&") if text.strip()]
    parameters = tuple(name.strip() for name in row["parameters"].split("|") if name.strip())
    for name in parameters:
        if not _PARAMETER.fullmatch(name):
            raise SeedError(
                f"The parameter '{name}' of the key '{row['key']}' in {path} cannot be read: "
                "write names of event parameters, joined by '|'."
            )
    conditions = tuple(_condition(text, row, path) for text in texts)
    return MicroConversion(
        row["key"], names, conditions, parameters, row["family"], row["parent_key"]
    )


def _funnels(
    rows: list[dict[str, str]], micros: Iterable[MicroConversion], path: Path
) -> tuple[Funnel, ...]:
    by_key = {micro.key: micro for micro in micros}
    steps: dict[str, list[FunnelStep]] = {}
    for row in rows:
        if not row["step_number"].isdecimal() or row["is_optional"] not in {"true", "false"}:
            raise SeedError(
                f"The step '{row['key']}' of the funnel '{row['funnel']}' in {path} cannot be "
                "read: step_number is a whole number, is_optional is true or false."
            )
        step = FunnelStep(
            int(row["step_number"]), by_key.get(row["key"]), row["is_optional"] == "true"
        )
        steps.setdefault(row["funnel"], []).append(step)
    return tuple(
        Funnel(name, tuple(sorted(own, key=lambda step: step.number)))
        for name, own in steps.items()
    )


def _condition(text: str, row: dict[str, str], path: Path) -> ParameterCondition:
    match = _CONDITION.match(text.strip())
    if match is None or (match["operator"] == ">=" and not match["value"].strip().isdecimal()):
        raise SeedError(
            f"The parameter_filter '{text}' of the key '{row['key']}' in {path} cannot be read: "
            "write name=value or name>=whole number, joined by '&'."
        )
    return ParameterCondition(match["name"], match["operator"], match["value"].strip())
