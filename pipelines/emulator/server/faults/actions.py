"""What happens to a request that a rule hits: its `do`, and the events it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from google.analytics.data_v1beta import types as ga4
from pydantic import AwareDatetime, Field, field_validator, model_validator

from pipelines.config.timezones import TimeZoneName
from pipelines.emulator.server.faults.matching import AnyDays, Part, Texts
from pipelines.emulator.server.faults.realism import Realism
from pipelines.emulator.server.faults.statuses import StatusName

Share = Annotated[float, Field(gt=0, le=1)]


class Rows(Part):
    """Events that a fault is about; `share` of their sessions, chosen by a hash."""

    dates: AnyDays | None = None
    events: Texts | None = None
    where: Mapping[str, Texts] = Field(default_factory=dict)
    share: Share = 1


class Late(Rows):
    """Events that arrive late: until then they are not there."""

    visible_from: AwareDatetime


class Restate(Rows):
    """Numbers that change: sessions and users with all their events, `factor` times."""

    factor: float = Field(ge=0)


class Other(Part):
    """Values rolled into `(other)`: of a dimension all but the `keep` most frequent, or a share of
    sessions; without a dimension all but the `keep` largest rows of every date.
    """

    dimension: str | None = None
    keep: int | None = Field(default=None, ge=0)
    share: Share | None = None

    @model_validator(mode="after")
    def _says_how_many(self) -> Other:
        if (self.keep is None) == (self.share is None):
            raise ValueError("say either keep or share")
        if self.dimension is None and self.keep is None:
            raise ValueError("a share needs a dimension")
        return self


class Rename(Part):
    """A dimension's value becomes another: re-attribution."""

    dimension: str
    old: str = Field(alias="from")
    new: str = Field(alias="to")


class Threshold(Part):
    """Rows of fewer users vanish."""

    min_users: int = Field(ge=1)


class Sampling(Part):
    """Numbers from a share of the users, projected."""

    share: Share


class Restrict(Part):
    """Metrics that come back as zeros."""

    metrics: Texts
    type: Literal["REVENUE_DATA", "COST_DATA"] = "REVENUE_DATA"


class Empty(Part):
    """A report without rows, and why."""

    reason: str = ""


class Truncate(Part):
    """Data before a day is missing, and said to be."""

    before: date | None = None
    type: str = "DATA_TRUNCATION_TYPE_DATE_RANGE"
    message: str = "Data before this date is truncated."

    @field_validator("type")
    @classmethod
    def _is_known(cls, name: str) -> str:
        known = ga4.ResponseMetaData.DataTruncationReason.DataTruncationType.__members__
        if name not in known:
            raise ValueError(f"one of {', '.join(known)}")
        return name


class Do(Part):
    """What happens to a request; several things may at once."""

    realism: Realism | Literal["exact"] | None = None
    status: StatusName | None = None
    message: str | None = None
    delay_ms: int = Field(default=0, ge=0)
    row_count_add: int = 0
    duplicate_rows: int = Field(default=0, ge=0)
    extra_rows: int = Field(default=0, ge=0)
    missing_rows: int = Field(default=0, ge=0)
    other: Other | None = None
    rename: Rename | None = None
    threshold: Threshold | None = None
    sampling: Sampling | None = None
    restrict: Restrict | None = None
    empty: Empty | None = None
    restate: Restate | None = None
    vanish: Rows | None = None
    late: Late | None = None
    truncate: Truncate | None = None
    hide_fields: Texts = ()
    currency: str | None = None
    time_zone: TimeZoneName | None = None
