"""The rules of the playbook: rows of the seed, read and checked against what can be measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipelines.analysis.diagnosis.grammar import Clause, Place, parse_condition
from pipelines.errors import SeedError

SEED = "diagnosis_playbook"
SEED_KEY = ("rule",)
SEED_COLUMNS = (
    "rule", "priority", "stage", "condition", "likely_cause", "fix", "confirm_with",
    "sized_by",
)  # fmt: skip
# Names of the families that are not keys of another seed.
PAGE_TYPES = frozenset({"product"})
CART_COUNTS = frozenset({"lost"})
_TEXTS = ("stage", "likely_cause", "fix", "confirm_with")


@dataclass(frozen=True)
class Rule:
    """One row: when it fires. What it then says stays in the seed, which SQL reads too."""

    name: str
    clauses: tuple[Clause, ...]

    @property
    def segment(self) -> tuple[str, str] | None:
        """The part of the shop that its finding is about; None: each part is tried by itself."""
        return next((clause.segment for clause in self.clauses if clause.segment), None)


@dataclass(frozen=True)
class Known:
    """What a condition may name: the keys of the other seeds."""

    keys: frozenset[str]
    benchmarks: frozenset[str]
    funnels: frozenset[str]
    segments: frozenset[str]

    @property
    def names(self) -> Mapping[str, frozenset[str]]:
        """Family -> its names."""
        return {
            "micro": self.keys,
            "benchmark": self.benchmarks,
            "dwell": PAGE_TYPES,
            "bounce": PAGE_TYPES,
            "carts": CART_COUNTS,
            "tracking": self.keys | self.funnels,
        }


def read_rules(rows: Iterable[Mapping[str, str]], file: str) -> tuple[Rule, ...]:
    """The rules in the order of the rows; raises SeedError for a condition that is no condition."""
    return tuple(
        Rule(row["rule"], parse_condition(row["condition"], Place(row["rule"], file)))
        for row in rows
    )


def check_playbook(rows: Iterable[Mapping[str, str]], file: str, known: Known) -> None:
    """Raises SeedError: an empty text, a priority that is no number, a condition nobody can read,
    or one that names a metric or a segment that does not exist."""
    rows = list(rows)
    for row in rows:
        _refuse_gaps(row, file)
    for rule in read_rules(rows, file):
        place = Place(rule.name, file)
        for clause in rule.clauses:
            names = known.names[clause.family]
            for name in clause.names:
                if name not in names:
                    raise place.refuse(name, f"name for {clause.family}()", names)
            if clause.segment and clause.segment[0] not in known.segments:
                raise place.refuse(clause.segment[0], "segment", known.segments)


def _refuse_gaps(row: Mapping[str, str], file: str) -> None:
    for column in _TEXTS:
        if not row[column].strip():
            raise SeedError(f"The rule '{row['rule']}' in {file} has no {column}: write one.")
    if not row["priority"].isdecimal():
        raise SeedError(
            f"The rule '{row['rule']}' in {file} has the priority '{row['priority']}': write a "
            "whole number, smaller for what is to be looked at first."
        )
    if row["sized_by"] not in {"", "cart_recovery"}:
        raise SeedError(
            f"The rule '{row['rule']}' in {file} is sized_by '{row['sized_by']}': leave it empty, "
            "or write cart_recovery."
        )
