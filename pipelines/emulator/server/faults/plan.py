"""A whole faults file: limits of the quota, a clock, and rules of `when` and `do`.

Written out with an example of every fault in docs/emulator.md. Nothing here does anything to a
request.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, Field

from pipelines.config.yamlfile import read_yaml
from pipelines.emulator.server.errors import EmulatorError
from pipelines.emulator.server.faults.actions import Do
from pipelines.emulator.server.faults.matching import Part, When, validated


class Rule(Part):
    """One fault."""

    when: When = When()
    do: Do


class Limits(Part):
    """Quota limits that differ from the standard ones."""

    tokens_per_day: int | None = None
    tokens_per_hour: int | None = None
    tokens_per_project_per_hour: int | None = None
    concurrent_requests: int | None = None
    server_errors_per_project_per_hour: int | None = None
    potentially_thresholded_requests_per_hour: int | None = None


class Quota(Limits):
    """Limits of both buckets; `funnel` overrides them for funnel reports.

    `price_factor` makes every report dearer: Google's prices grow with a property's events.
    """

    funnel: Limits = Limits()
    price_factor: int = Field(default=1, ge=1)


class FaultPlan(Part):
    """A whole faults file. `clock` stops the emulator's clock at a moment."""

    rules: tuple[Rule, ...] = ()
    quota: Quota = Quota()
    clock: AwareDatetime | None = None


def parse_plan(content: Any, where: str) -> FaultPlan:
    """A plan from plain data: the whole of it, or only its list of rules.

    Raises EmulatorError that names the place of everything that is wrong.
    """
    return content if isinstance(content, FaultPlan) else validated(FaultPlan, content, where)


def read_plan(path: Path) -> FaultPlan:
    """A plan from a YAML file; EmulatorError when it cannot be read."""
    what, example = "The faults file", "compare it with docs/emulator.md"
    return parse_plan(read_yaml(path, what, example, EmulatorError), f"{what} {path}")
