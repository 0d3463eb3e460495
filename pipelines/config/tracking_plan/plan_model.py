"""The tracking plan as data: what is counted, by which segments, and in which order. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

# The key that stands for all sessions; every other key is a row of micro_conversions.csv.
SESSIONS = "sessions"
Row = dict[str, str]


@dataclass(frozen=True)
class ParameterCondition:
    """One `name=value` or `name>=number` of a parameter filter.

    Where no plan wrote it, the operator may be `~`: the whole value matches a pattern (RE2).
    """

    name: str
    operator: str
    value: str


@dataclass(frozen=True)
class MicroConversion:
    """One row of the tracking plan, as far as Python needs it.

    `parameters`: event parameters whose values are worth reading, beside those of `conditions`.
    `is_applicable`: False where the shop declared that it does not have it.
    """

    key: str
    event_names: tuple[str, ...]
    conditions: tuple[ParameterCondition, ...]
    parameters: tuple[str, ...] = ()
    family: str = ""
    parent_key: str = ""
    is_expected: bool = False
    origin: str = "custom"
    is_applicable: bool = True
    stage: str = ""

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
class PlanOverrides:
    """What the shop's own file changes, as whole rows of the seeds' columns.

    `plan`: rows of micro_conversions that differ from the seed or are new. `not_applicable`:
    declared keys. `benchmarks`: rows that replace the seed's or are new. `figures`: rows beside
    those of benchmark_figures.
    """

    plan: tuple[Row, ...] = ()
    not_applicable: tuple[str, ...] = ()
    benchmarks: tuple[Row, ...] = ()
    figures: tuple[Row, ...] = ()


@dataclass(frozen=True)
class TrackingPlan:
    """What is counted, by which segments, and in which order it should happen.

    `advice`: origin of an event → what makes it come. `shop`: the part that is the shop's own.
    """

    micro_conversions: tuple[MicroConversion, ...]
    segments: tuple[Segment, ...]
    funnels: tuple[Funnel, ...] = ()
    advice: dict[str, str] = field(default_factory=dict)
    shop: PlanOverrides = PlanOverrides()

    @property
    def parameters(self) -> dict[str, tuple[str, ...]]:
        """Event parameter → names of the events that carry it, both in the seed's order."""
        events: dict[str, dict[str, None]] = {}
        for micro in self.micro_conversions:
            for name in (*(one.name for one in micro.conditions), *micro.parameters):
                events.setdefault(name, {}).update(dict.fromkeys(micro.event_names))
        return {name: tuple(names) for name, names in events.items()}
