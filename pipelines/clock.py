"""What time it is: the only place that reads the machine's clock for days and for stamps.

A home is usually on the machine's time. The demo pins its home to the days of its shop, so that
what it prints, and what is said of it months later, is the same on any day.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.errors import ConfigError

# A pinned clock keeps time for half a day, long enough for everything that one tries in a row.
# Then it nearly stands: a year takes it on by less than an hour, and still what happens later has
# the later stamp, whichever process it happens in.
FULL_SPEED = timedelta(hours=12)
SLOWDOWN = 10_000


class Clock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The moment in UTC."""
        return self.at(datetime.now(UTC))

    def at(self, machine: datetime) -> datetime:
        """What this clock shows when the machine's shows `machine` (an aware datetime)."""
        return machine


@dataclass(frozen=True)
class PinnedClock(Clock):
    """A clock that showed `moment` when the machine's showed `pinned_at`, and goes on from there.

    `property_ids`: the properties that live in this time.
    """

    moment: datetime
    pinned_at: datetime
    property_ids: tuple[str, ...] = ()

    def at(self, machine: datetime) -> datetime:
        """Never before `moment`, and never backwards while the machine's clock is not."""
        passed = max(machine - self.pinned_at, timedelta(0))
        beyond = max(passed - FULL_SPEED, timedelta(0))
        return (self.moment + min(passed, FULL_SPEED) + beyond / SLOWDOWN).astimezone(UTC)

    def is_for(self, property_ids: Collection[str]) -> bool:
        """Whether all of these properties live in this time."""
        return set(property_ids) <= set(self.property_ids)


def pin_clock(home: Path, moment: datetime, property_ids: Collection[str]) -> PinnedClock:
    """From now on it is `moment` (aware) in `home`, for these properties."""
    clock = PinnedClock(moment, Clock().now(), tuple(property_ids))
    path = _pin(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "moment": clock.moment.isoformat(),
        "pinned_at": clock.pinned_at.isoformat(),
        "properties": clock.property_ids,
    }
    # Replaced whole: a reader never sees half of it.
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
    return clock


def pinned_clock(home: Path) -> PinnedClock | None:
    """The clock that `home` is pinned to, if it is; raises ConfigError for a broken pin."""
    path = _pin(home)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        moment, pinned_at = (
            datetime.fromisoformat(content[key]) for key in ("moment", "pinned_at")
        )
        return PinnedClock(
            moment.astimezone(UTC), pinned_at.astimezone(UTC), tuple(content["properties"])
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path}, the clock of the demo's home, cannot be read ({type(error).__name__}): "
            "run 'sluice demo' again, or delete the file."
        ) from error


def home_clock(home: Path, property_ids: Collection[str]) -> Clock:
    """The clock of a home in which these properties are configured.

    A property that is not the pin's lives in real time, and so does the home from then on.
    """
    pinned = pinned_clock(home)
    return pinned if pinned and pinned.is_for(property_ids) else Clock()


def leave_pin(home: Path, property_ids: Collection[str]) -> bool:
    """Put a home on the machine's time if a property runs in it that the pin is not for.

    Returns whether it was pinned until now.
    """
    pinned = pinned_clock(home)
    if pinned is None or pinned.is_for(property_ids):
        return False
    _pin(home).unlink(missing_ok=True)
    return True


def _pin(home: Path) -> Path:
    return home / "demo" / "clock.json"
