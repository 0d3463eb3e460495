"""From rows of text to the plan: what a row says, and the sentence for one that cannot be read.

`path` is the file that the row comes from: a seed, or the shop's own.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

from pipelines.config.tracking_plan.plan_model import (
    Funnel,
    FunnelStep,
    MicroConversion,
    ParameterCondition,
    Row,
)
from pipelines.errors import SeedError

_CONDITION = re.compile(r"^(?P<name>[a-zA-Z_]\w*)(?P<operator>>=|=)(?P<value>[^=].*)$")
_PARAMETER = re.compile(r"[a-zA-Z_]\w*")
# What the database reads too: float() also takes 0_1, and digits of other scripts.
_NUMBER = re.compile(r"[0-9]{1,18}")
_RATE = re.compile(r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is written most like `name`."""
    return difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.0)[0]


def refuse_unknown(rows: Iterable[Row], column: str, known: set[str], path: Path) -> None:
    """Raises SeedError where `column` names a key that the plan does not have."""
    for row in rows:
        if row[column] not in known:
            raise SeedError(
                f"The file {path} names the {column} '{row[column]}', which is no key of the "
                f"tracking plan: did you mean '{nearest(row[column], known - {''})}'?"
            )


def refuse_no_range(row: Row, path: Path) -> None:
    """Raises SeedError unless the benchmark is a range of rates."""
    are_rates = all(_RATE.fullmatch(row[column]) for column in ("low", "high"))
    if not are_rates or not 0 <= float(row["low"]) < float(row["high"]) <= 1:
        raise SeedError(
            f"The benchmark '{row['benchmark_key']}' in {path} goes from '{row['low']}' to "
            f"'{row['high']}': write two rates with 0 <= low < high <= 1, such as 0.05 and 0.10."
        )


def refuse_other_definition(rows: Iterable[Row], path: Path) -> None:
    """Raises SeedError where rows of one benchmark compare different things.

    A share of all sessions is never compared with a share of the product views.
    """
    first: dict[str, Row] = {}
    for row in rows:
        same = first.setdefault(row["benchmark_key"], row)
        for column in ("numerator", "denominator", "unit"):
            if row[column] != same[column]:
                raise SeedError(
                    f"The benchmark '{row['benchmark_key']}' in {path} has the {column} "
                    f"'{row[column]}' in one row and '{same[column]}' in another: give what is "
                    "counted otherwise a name of its own."
                )


def read_micro(row: Row, path: Path, *, is_applicable: bool) -> MicroConversion:
    """One row of micro_conversions; raises SeedError for a name, filter or parameter."""
    names = _split(row["event_names"], "|")
    if not names:
        raise SeedError(f"The key '{row['key']}' in {path} has no event name: add one.")
    parameters = _split(row["parameters"], "|")
    for name in parameters:
        if not _PARAMETER.fullmatch(name):
            raise SeedError(
                f"The parameter '{name}' of the key '{row['key']}' in {path} cannot be read: "
                "write names of event parameters, joined by '|'."
            )
    texts = [text for text in row["parameter_filter"].split("&") if text.strip()]
    return MicroConversion(
        row["key"],
        names,
        tuple(_condition(text, row, path) for text in texts),
        parameters,
        row["family"],
        parent_key=row["parent_key"],
        is_expected=row["is_expected"].strip().lower() == "true",
        origin=row["origin"],
        is_applicable=is_applicable,
    )


def read_funnels(
    rows: Iterable[Row], micros: Iterable[MicroConversion], path: Path
) -> tuple[Funnel, ...]:
    """The funnels of funnel_steps; raises SeedError for a number or a flag."""
    by_key = {micro.key: micro for micro in micros}
    steps: dict[str, list[FunnelStep]] = {}
    for row in rows:
        if not _NUMBER.fullmatch(row["step_number"]) or row["is_optional"] not in {"true", "false"}:
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


def _split(text: str, separator: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(separator) if part.strip())


def _condition(text: str, row: Row, path: Path) -> ParameterCondition:
    match = _CONDITION.match(text.strip())
    if match is None or (
        match["operator"] == ">=" and not _NUMBER.fullmatch(match["value"].strip())
    ):
        raise SeedError(
            f"The parameter_filter '{text}' of the key '{row['key']}' in {path} cannot be read: "
            "write name=value or name>=whole number, joined by '&'."
        )
    return ParameterCondition(match["name"], match["operator"], match["value"].strip())
