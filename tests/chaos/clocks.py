"""Nights over the days on which a property's clock is changed, while the home's own clock steps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from datetime import time as of_day
from pathlib import Path
from zoneinfo import ZoneInfo

from pipelines.clock import Clock, PinnedClock, pin_clock
from pipelines.emulator.server import serve
from pipelines.emulator.simulator import simulate
from pipelines.ingest.day_window import DayWindow
from pipelines.publishing.versions import list_versions
from tests.chaos.home import Home
from tests.e2e.shop import PROPERTY, ZONE, Shop
from tests.soak.command import Ended

# 23 and 25 hours long in the property's zone.
CHANGES = {"spring forward": date(2026, 3, 29), "fall back": date(2025, 10, 26)}
DAYS, SESSIONS = 14, 60
# Half an hour after midnight it then shows the day before.
SLOW = timedelta(minutes=-50)
# Pulls are told apart by their stamps: what is pulled after the clock was set right again counts as
# older, and the raw gate blocks it until the clock has caught up.
FAST = timedelta(hours=30)
KILLED_AFTER = 6.0


def stepped(folder: Path) -> Iterator[str]:
    """A line for each change; begins with `WRONG` where something did not hold."""
    for name, change in CHANGES.items():
        wrong = _nights(change, folder / name.replace(" ", "-"))
        yield from (f"WRONG: {name}: {one}" for one in wrong)
        if not wrong:
            yield f"{name}, slow and fast clocks, two kills: all as with a steady clock"


def _nights(change: date, folder: Path) -> list[str]:
    """What differs between a home with a steady clock and one whose clock is set to and fro."""
    days = [change + timedelta(days=offset) for offset in (-1, 0, 1)]
    window = DayWindow(days[-1] - timedelta(days=DAYS - 1), days[-1])
    simulate(
        folder / "events", start=window.start, days=DAYS, sessions_per_day=SESSIONS,
        property_id=PROPERTY,
    )  # fmt: skip
    # For the server every day is final.
    later = PinnedClock(_after(days[-1]) + timedelta(days=31), Clock().now())
    with serve([folder / "events"], now=later.now) as server:
        home = Home(Shop(folder / "events", window, server.endpoint).settings(folder / "stored"))
        _set_clock(home, _after(days[0] - timedelta(days=1)))
        until = str(days[0] - timedelta(days=1))
        first = home.run("backfill", "--start", str(window.start), "--end", until)
        assert first.code == 0, first.err
        steady, wrong = (Home.copy(home.settings, folder / name) for name in ("steady", "wrong"))
        for day in days:
            assert (ended := _night(steady, _after(day))).code == 0, ended.err
        found = list(_by_wrong_clocks(wrong, days))
        for one in (steady, wrong):
            ended = _night(one, _after(days[-1]) + FAST + timedelta(hours=1), days[-1])
            if ended.code:
                found.append(f"in the end: ended with {ended.code}: {ended.err}")
        newest = list_versions(wrong.settings.published_dir)[-1]
        if not newest.is_current:
            found.append(f"version {newest.name} is newer than what was published last")
        return [*found, *wrong.difference(steady.marts()), *wrong.wrong(), *wrong.litter()]


def _by_wrong_clocks(home: Home, days: list[date]) -> Iterator[str]:
    """Nights by a slow clock and the right one, one killed in between; then by a fast one."""
    for day in days[:2]:
        if (ended := _night(home, _after(day) + SLOW)).code:
            yield f"{day}, slow: ended with {ended.code}: {ended.err}"
        with home.start("nightly") as process:
            time.sleep(KILLED_AFTER)
            process.kill()
        if (ended := _night(home, _after(day))).code:
            yield f"{day}: ended with {ended.code}: {ended.err}"
        newest = list_versions(home.settings.published_dir)[-1]
        if not newest.is_current or newest.manifest["window"]["end"] != str(day):
            yield f"{day}: the newest version is {newest.manifest['window']}"
    # The day is given: nobody has data of a day that is to come.
    if (ended := _night(home, _after(days[2]) + FAST, days[2])).code:
        yield f"{days[2]}, fast: ended with {ended.code}: {ended.err}"
    ended = _night(home, _after(days[2]))
    if ended.code not in {0, 2} or home.wrong():
        yield f"{days[2]}, set back: ended with {ended.code}: {ended.err} {home.wrong()}"


def _night(home: Home, moment: datetime, day: date | None = None) -> Ended:
    """A night at `moment` by the home's clock, which finds its day itself unless it is given."""
    _set_clock(home, moment)
    return home.run("nightly", *(("--date", str(day)) if day else ()))


def _after(day: date) -> datetime:
    """Half an hour into the next day, in the property's zone."""
    return datetime.combine(day + timedelta(days=1), of_day(0, 30), ZoneInfo(ZONE))


def _set_clock(home: Home, moment: datetime) -> None:
    pin_clock(home.settings.home, moment, [PROPERTY])
