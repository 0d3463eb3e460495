"""Which requests a rule of a faults file hits: its `when`."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from pipelines.emulator.server.errors import EmulatorError


def _listed(value: Any) -> Any:
    """One value or several."""
    return value if isinstance(value, list | tuple) else (value,)


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Methods = Annotated[
    tuple[
        Literal[
            "RunReport",
            "BatchRunReports",
            "GetMetadata",
            "CheckCompatibility",
            "RunFunnelReport",
            "GetPropertyQuotasSnapshot",
        ],
        ...,
    ],
    BeforeValidator(_listed),
]
Numbers = Annotated[tuple[int, ...], BeforeValidator(_listed)]


class Part(BaseModel):
    """A part of a faults file: what it does not know, it refuses."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, coerce_numbers_to_str=True
    )


Whole = TypeVar("Whole", bound=Part)


def validated(kind: type[Whole], content: Any, where: str) -> Whole:
    """A whole of faults from plain data, or only its list of rules; `where` begins the error.

    Raises EmulatorError that names the place of everything that is wrong.
    """
    is_list = isinstance(content, Sequence) and not isinstance(content, str)
    try:
        return kind.model_validate({"rules": content} if is_list else (content or {}))
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()
        )
        raise EmulatorError(f"{where} cannot be used ({wrong}): correct it.") from error


class Days(Part):
    """Days: a list of them, or everything from one to another (either end may be open)."""

    days: tuple[date, ...] | None = None
    start: date | None = Field(default=None, alias="from")
    end: date | None = Field(default=None, alias="to")

    def touches(self, start: date, end: date) -> bool:
        """Whether one of the days lies between two others, both included."""
        if self.days is not None:
            return any(start <= day <= end for day in self.days)
        return (self.start is None or self.start <= end) and (self.end is None or self.end >= start)


def _days(value: Any) -> Any:
    return value if isinstance(value, Mapping | Days) else {"days": _listed(value)}


AnyDays = Annotated[Days, BeforeValidator(_days)]


class Calls(Part):
    """Which of the requests that a rule matches: by their number, from 1."""

    nth: Numbers | None = None
    first: int | None = None
    after: int | None = None
    every: int | None = Field(default=None, ge=1)
    share: float | None = Field(default=None, gt=0, le=1)
    seed: int = 0

    def include(self, number: int) -> bool:
        """Whether the fault happens to this one."""
        return (
            (self.nth is None or number in self.nth)
            and (self.first is None or number <= self.first)
            and (self.after is None or number > self.after)
            and (self.every is None or number % self.every == 0)
            and (self.share is None or self._draw(number) < self.share)
        )

    def _draw(self, number: int) -> float:
        """The same for the same number and seed, in whatever order requests come."""
        return random.Random(f"{self.seed} {number}").random()


class When(Part):
    """Which requests a rule hits: those that everything said here is true of."""

    method: Methods | None = None
    property_id: Texts | None = Field(default=None, alias="property")
    dimensions: Texts | None = None
    exact_dimensions: Texts | None = None
    metrics: Texts | None = None
    events: Texts | None = None
    dates: AnyDays | None = None
    limit_above: int | None = None
    offset_above: int | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    calls: Calls = Calls()
