"""The language of a playbook's conditions: from text to clauses, or one sentence on what is wrong.

    condition := clause { "and" clause }
    clause    := family "(" name { "," name } ")" "is" [ "not" ] level [ "on" segment "=" value ]

Nothing is executed: a clause compares the level of a metric with a word. `docs/diagnosis.md` is
the description for who writes a playbook.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.errors import SeedError
from pipelines.wording import nearest

UNKNOWN = "unknown"
_RATE_LEVELS = ("low", "high", "normal", UNKNOWN)
# What can be asked about -> the levels that it may have.
FAMILIES = {
    "micro": _RATE_LEVELS,
    "benchmark": _RATE_LEVELS,
    "dwell": _RATE_LEVELS,
    "bounce": _RATE_LEVELS,
    "carts": ("high", "normal", UNKNOWN),
    "tracking": ("tracked", "missing", UNKNOWN),
}
# An "and" within a segment's value ("Trinidad and Tobago") is not followed by a family.
_AND = re.compile(r"\s+and\s+(?=\w+\s*\()")
_HEAD = re.compile(r"(?P<family>\w+)\s*\((?P<names>[^()]*)\)\s*(?P<rest>.*)")
# A second comparison without its metric ("… and not low on …") is no part of a value.
_SEGMENT = re.compile(r"(?P<name>\w+)\s*=\s*(?P<value>(?!.* and not )[^=()\s][^=()]*)")


@dataclass(frozen=True)
class Clause:
    """One comparison. Of several names, one that is on the level is enough.

    Negated: none of them is on the level, and at least one is known. `segment`: (name, value) of
    the part of the shop that is looked at, whichever one the rule is tried for.
    """

    family: str
    names: tuple[str, ...]
    level: str
    is_negated: bool = False
    segment: tuple[str, str] | None = None

    @property
    def metrics(self) -> list[str]:
        """The metrics as `int_metrics__levelled` calls them."""
        return [f"{self.family}({name})" for name in self.names]


@dataclass(frozen=True)
class Place:
    """Where a condition stands, for messages."""

    rule: str
    file: str

    def refuse(self, word: str, kind: str, known: Iterable[str]) -> SeedError:
        """The error for an unknown word, with the known one that is written most like it."""
        return SeedError(
            f"The rule '{self.rule}' in {self.file} has '{word}' in its condition, which is no "
            f"{kind}: did you mean '{nearest(word, known)}'?"
        )

    def unreadable(self, text: str) -> SeedError:
        """The error for a clause that has not the shape of one."""
        return SeedError(
            f"The rule '{self.rule}' in {self.file} has the condition '{text}', which cannot be "
            "read: write such as 'micro(product_click) is low on device=mobile', joined by 'and'."
        )


def parse_condition(text: str, place: Place) -> tuple[Clause, ...]:
    """The clauses of a condition, all of which must hold.

    Raises SeedError that names the rule, the file, and the unknown word with the nearest known
    one. Names of metrics are only read here; `playbook` knows which there are.
    """
    return tuple(_clause(part, place) for part in _AND.split(text.strip()))


def _clause(text: str, place: Place) -> Clause:
    head = _HEAD.fullmatch(text)
    if head is None:
        raise place.unreadable(text)
    family = head["family"]
    if family not in FAMILIES:
        raise place.refuse(family, "kind of metric", FAMILIES)
    names = tuple(name.strip() for name in head["names"].split(","))
    words = head["rest"].split()
    if not all(names) or not words:
        raise place.unreadable(text)
    if words[0] != "is":
        raise place.refuse(words[0], "word of a condition", ["is"])
    is_negated = words[1:2] == ["not"]
    level, rest = _level(family, words[1 + is_negated :], text, place)
    return Clause(family, names, level, is_negated, _segment(rest, text, place))


def _level(family: str, words: list[str], text: str, place: Place) -> tuple[str, list[str]]:
    """The level, and the words behind it."""
    if not words:
        raise place.unreadable(text)
    if words[0] not in FAMILIES[family]:
        raise place.refuse(words[0], f"level of {family}()", FAMILIES[family])
    return words[0], words[1:]


def _segment(words: list[str], text: str, place: Place) -> tuple[str, str] | None:
    if not words:
        return None
    if words[0] != "on":
        raise place.refuse(words[0], "word that can follow a level", ["on", "and"])
    match = _SEGMENT.fullmatch(" ".join(words[1:]))
    if match is None:
        raise place.unreadable(text)
    return match["name"], match["value"]
