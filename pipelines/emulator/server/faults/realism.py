"""How a server answers when nothing is wrong: estimated and rounded numbers, days that grow.

The emulator's default. It is a part of a rule's `do` all the same, so that one property or report
can be made exact, or less exact than usual.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import Field

from pipelines.emulator.server.dates import local_today
from pipelines.emulator.server.faults.matching import Part
from pipelines.emulator.server.making import Making

# Until so long after its end a day is incomplete: late events come to 72 hours.
GROWING_DAYS = 3
_MINUTES = GROWING_DAYS * 24 * 60
_MANY = 10_000
# The largest seed; a property's number and a seed make one salt.
_SEEDS = 1_000


class Realism(Part):
    """GA4's own precision (`Making`), and how its newest days grow.

    `late_share` of a day's sessions arrive within 72 hours after its end, evenly; the channel of
    `unassigned_share` is not known until then.
    """

    sessions_error: float = Field(default=0.023, ge=0, lt=1)
    users_error: float = Field(default=0.0115, ge=0, lt=1)
    exact_up_to: int = Field(default=3000, ge=0)
    is_rounded: bool = True
    late_share: float = Field(default=0.04, ge=0, le=1)
    unassigned_share: float = Field(default=0.01, ge=0, le=1)
    seed: int = Field(default=0, ge=0, lt=_SEEDS)

    def making(self, property_id: str, factor: float) -> Making:
        """How a property's numbers are made; sampled counts are multiplied by `factor`."""
        return Making(
            sessions_error=self.sessions_error,
            users_error=self.users_error,
            exact_up_to=self.exact_up_to,
            is_rounded=self.is_rounded,
            factor=factor,
            salt=self.salt(property_id),
        )

    def salt(self, property_id: str) -> int:
        """What makes draws differ between properties and seeds."""
        return int(property_id) * _SEEDS + self.seed


@dataclass(frozen=True)
class Growth:
    """The newest days of a property as they are now. `session` is SQL that tells a session."""

    realism: Realism
    property_id: str
    now: datetime
    zone: ZoneInfo
    session: str

    def reaches(self, day: date) -> bool:
        """Whether a day may still grow; a fault's time zone moves `today` by one at most."""
        return day >= local_today(self.now, self.zone) - timedelta(days=GROWING_DAYS + 1)

    def arrived(self) -> str:
        """SQL: the event happened before now, and has come in."""
        moment = int(self.now.timestamp() * 1_000_000)
        return f"moment <= {moment} AND NOT {self._waiting(self.realism.late_share, 1)}"

    def unassigned(self) -> str:
        """SQL: the session's channel is not known yet."""
        return self._waiting(self.realism.unassigned_share, 2)

    def _waiting(self, share: float, kind: int) -> str:
        """SQL: a share of the newest days' sessions, ever smaller. Of older days nothing is drawn:
        CASE leaves the rest of its condition out, NOT and AND do not.
        """
        draw = f"hash({self.session}, {self.realism.salt(self.property_id)}, {kind})"
        since = dict(self._days())
        ages = " ".join(f"WHEN '{day}' THEN {minutes}" for day, minutes in since.items())
        return (
            f"CASE WHEN event_date >= '{min(since)}' AND {draw} % {_MANY} < {round(share * _MANY)} "
            f"AND ({draw} // {_MANY}) % {_MINUTES} >= CASE event_date {ages} END "
            "THEN true ELSE false END"
        )

    def _days(self) -> Iterator[tuple[date, int]]:
        """The newest days, today first, with the whole minutes since their end."""
        today = local_today(self.now, self.zone)
        for age in range(GROWING_DAYS + 1):
            end = datetime.combine(today - timedelta(days=age - 1), time(), self.zone)
            yield (
                today - timedelta(days=age),
                max(0, int(self.now.timestamp() - end.timestamp()) // 60),
            )
