"""What a doctor's visit comes to: steps in blocks, each with a mark and one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any


class Mark(StrEnum):
    """How a step went; a step that could not be looked at is never called right."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True)
class Step:
    """One thing that was looked at.

    `message`: one sentence; of a wrong step it names the next thing to do. `details`: one line
    for each finding. `facts`: the same for scripts, JSON values only.
    """

    mark: Mark
    name: str
    message: str
    details: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "mark": self.mark.value,
            "message": self.message,
            "details": list(self.details),
            "facts": dict(self.facts),
        }


@dataclass(frozen=True)
class Block:
    """Steps that belong together; `property_id` where they are about one property."""

    title: str
    steps: tuple[Step, ...]
    property_id: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "title": self.title,
            "property_id": self.property_id,
            "steps": [step.as_dict() for step in self.steps],
        }


@dataclass(frozen=True)
class Diagnosis:
    """Everything that was looked at, in the order in which to put it right."""

    blocks: tuple[Block, ...]

    @property
    def is_all_right(self) -> bool:
        """Whether nothing is wrong.

        A step that could not be checked because of another one follows a wrong step; one that
        the server cannot answer (no quota, no list of fields) holds nobody up.
        """
        return not any(step.mark is Mark.WRONG for block in self.blocks for step in block.steps)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "is_all_right": self.is_all_right,
            "blocks": [block.as_dict() for block in self.blocks],
        }


right = partial(Step, Mark.RIGHT)
"""A step that needs nothing."""
wrong = partial(Step, Mark.WRONG)
"""A step that needs something; the message says what."""


not_yet = partial(Step, Mark.NOT_CHECKED)
"""A step that only time can bring; the message says what brings it."""


def not_checked(name: str, why: str) -> Step:
    """A step that could not be looked at."""
    return Step(Mark.NOT_CHECKED, name, f"Not checked: {why}.")
