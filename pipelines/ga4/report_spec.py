"""What a report is: its fields, its requests, and the columns of its raw table.

Which reports there are stands in `report_catalog`; how they are asked and read, in the module of
their kind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from pipelines.config.tracking_plan import Funnel, MicroConversion
from pipelines.ga4.exactness import MADE, Made

DATE = "date"
# GA4 adds this dimension by itself when a request has several date ranges.
DATE_RANGE = "dateRange"
# Stands for the one custom dimension of a part; its column is `parameter_value`.
PARAMETER_VALUE = "parameterValue"
# The value of a dimension column where the row is about all of its values together. Visitors can
# send events of any name: `report_answer.apart_from` keeps what was sent apart from it.
ALL = "(all)"
# The same in the devices of a funnel, where it is the published segment value.
ALL_DEVICES = "all"


class ReportKind(StrEnum):
    """How a report is requested and stored; `RANKING` only chooses values of a dimension."""

    DAILY = "daily"
    USERS_WINDOW = "users_window"
    FUNNEL = "funnel"
    NEXT_ACTION = "next_action"
    METADATA = "metadata"
    RANKING = "ranking"

    @property
    def is_daily(self) -> bool:
        """Rows by date in one answer: GA4 can say whether its fields go together."""
        return self is ReportKind.DAILY

    @property
    def is_ranking(self) -> bool:
        """Only the largest values, in their order, and none of them is stored."""
        return self is ReportKind.RANKING

    @property
    def has_single_days(self) -> bool:
        """Whether each day has numbers of its own, else the whole window has."""
        return self in {ReportKind.DAILY, ReportKind.FUNNEL}

    @property
    def shares_core_quota(self) -> bool:
        """Whether RunReport answers it; other methods have a quota and a circuit of their own."""
        return self in {ReportKind.DAILY, ReportKind.USERS_WINDOW, ReportKind.RANKING}


_WINDOW = {"window_name": "VARCHAR NOT NULL", "window_start": "DATE NOT NULL"}
_FUNNEL = {
    **_WINDOW,
    "funnel": "VARCHAR NOT NULL",
    "device_category": "VARCHAR NOT NULL",
    "step_number": "INTEGER NOT NULL",
    "step_key": "VARCHAR NOT NULL",
}
# What only ordered events tell of a step (the event export): sessions that came to it, and the
# seconds they took from the step before, as percentiles.
ORDERED = {
    "sessions": "BIGINT",
    **{f"seconds_p{share}": "DOUBLE" for share in (25, 50, 75, 90)},
}
# Columns that a kind has beside its dimensions and metrics.
_KIND_COLUMNS: dict[ReportKind, dict[str, str]] = {
    ReportKind.DAILY: {},
    ReportKind.USERS_WINDOW: _WINDOW,
    ReportKind.FUNNEL: {**_FUNNEL, **ORDERED},
    ReportKind.NEXT_ACTION: {**_FUNNEL, "next_action": "VARCHAR NOT NULL"},
    ReportKind.METADATA: {
        "kind": "VARCHAR NOT NULL",
        "api_name": "VARCHAR NOT NULL",
        "is_custom": "BOOLEAN",
    },
    ReportKind.RANKING: {},
}
_TIME: dict[ReportKind, dict[str, str]] = {
    ReportKind.DAILY: {DATE: DATE},
    ReportKind.USERS_WINDOW: {DATE_RANGE: "window_name"},
}


@dataclass(frozen=True)
class Metric:
    """A metric of the API."""

    api_name: str

    @property
    def made(self) -> Made:
        """How GA4 comes to its number, which says what a total can prove about its rows."""
        return MADE.get(self.api_name, Made.ESTIMATED)

    @property
    def is_integer(self) -> bool:
        """Whether the answer is a whole number (BIGINT), else DOUBLE."""
        return self.made in {Made.COUNTED, Made.ESTIMATED}

    @property
    def column(self) -> str:
        """The API's name in snake_case."""
        return snake_case(self.api_name)


@dataclass(frozen=True)
class Part:
    """One request of a report: what it filters by, and what stands beside its rows.

    `parameter`: the event parameter that takes the place of `parameterValue`. `event_names`:
    only these events. `without`: dimensions of the spec that are not asked for; they are `(all)`.
    `key`: the name of what is counted, which a micro-conversion has itself.
    """

    micro_conversion: MicroConversion | None = None
    parameter: str = ""
    event_names: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    key: str = ""

    @property
    def constants(self) -> dict[str, str]:
        """Columns that the answer does not carry itself."""
        key = self.key or (self.micro_conversion.key if self.micro_conversion else "")
        named = {"micro_key": key, "parameter": self.parameter}
        return {column: value for column, value in named.items() if value}

    @property
    def name(self) -> str:
        """The key or the event parameter that it is about; '' where it is about no single one."""
        return next(iter(self.constants.values()), "")

    @property
    def meaning(self) -> tuple[object, ...]:
        """What counts as it: days that were counted by another meaning are not those of now."""
        if micro := self.micro_conversion:
            return (micro.key, micro.event_names, micro.conditions)
        return (self.parameter, self.event_names) if self.parameter else ()

    @property
    def parameters(self) -> frozenset[str]:
        """Event parameters that must be registered as custom dimensions for this request."""
        conditions = self.micro_conversion.conditions if self.micro_conversion else ()
        names = {condition.name for condition in conditions}
        return frozenset(names | {self.parameter} - {""})


@dataclass(frozen=True)
class ReportSpec:
    """A report: grain = property × date × columns of its kind × constants × dimensions.

    `is_required`: without it nothing is published. `is_attributed`: its numbers move for as long
    as attribution does (about 14 days). `top`: only so many values of the last dimension, those
    with most sessions. `version` changes when the meaning of stored rows changes and a backfill
    is needed.
    """

    name: str
    dimensions: tuple[str, ...]
    metrics: tuple[Metric, ...]
    parts: tuple[Part, ...] = field(default=(Part(),))
    is_required: bool = True
    version: int = 1
    kind: ReportKind = ReportKind.DAILY
    is_attributed: bool = False
    top: int | None = None
    funnels: tuple[Funnel, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it is about the whole property: no dimension of it can be left out."""
        return self.is_required and self.name.endswith("_by_all")

    @property
    def table(self) -> str:
        """Name of the table in the schema `raw`."""
        return f"ga4_{self.name}"

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Columns that name a row within one property and date."""
        facts = {"window_start", "is_custom", *ORDERED}
        own = (name for name in _KIND_COLUMNS[self.kind] if name not in facts)
        return (*own, *self._named_columns)

    @property
    def _named_columns(self) -> tuple[str, ...]:
        constants = self.parts[0].constants if self.parts else {}
        return (*constants, *(snake_case(name) for name in self.dimensions))

    @property
    def columns(self) -> dict[str, str]:
        """Column → DuckDB type of the raw table, in order."""
        return {
            "property_id": "VARCHAR NOT NULL",
            "date": "DATE NOT NULL",
            **_KIND_COLUMNS[self.kind],
            **dict.fromkeys(self._named_columns, "VARCHAR NOT NULL"),
            **{m.column: "BIGINT" if m.is_integer else "DOUBLE" for m in self.metrics},
            "pulled_at": "TIMESTAMPTZ NOT NULL",
            "pull_id": "VARCHAR NOT NULL",
        }

    @property
    def own_columns(self) -> tuple[str, ...]:
        """The columns without property and stamps: what an answer is about."""
        stamps = {"property_id", "pulled_at", "pull_id"}
        return tuple(name for name in self.columns if name not in stamps)

    def fields(self, part: Part) -> dict[str, str]:
        """API dimension in the answer to `part` → its column, time first."""
        own = {name: snake_case(name) for name in self.dimensions if name not in part.without}
        if PARAMETER_VALUE in own:
            own[f"customEvent:{part.parameter}"] = own.pop(PARAMETER_VALUE)
        return {**_TIME.get(self.kind, {}), **own}

    def value_columns(self, part: Part) -> tuple[str, ...]:
        """Columns of the answer to `part` that hold what a visitor may have written."""
        times = _TIME.get(self.kind, {})
        return tuple(name for api, name in self.fields(part).items() if api not in times)


def snake_case(api_name: str) -> str:
    """`deviceCategory` → `device_category`; `customEvent:size` → `custom_event_size`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", api_name).replace(":", "_").lower()
