"""One seed: a home, its nights one after another, and what was wrong with them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import process_time

from pipelines.emulator.server import Emulator, serve
from tests.soak.behaviours import Factor
from tests.soak.clock import TickingClock, turned
from tests.soak.command import sluice
from tests.soak.conditions import (
    Result,
    ended_well,
    healed,
    numbers_of,
    others_are_published,
)
from tests.soak.draw import Night, Soak

# When cron starts a night: 05:30 in Berlin in summer.
START = time(3, 30, tzinfo=UTC)
RELATIVE_ERROR = 0.0


@dataclass
class Report:
    """What came of a seed: exit codes, numbers, and the sentences of broken conditions."""

    seed: int
    codes: list[int] = field(default_factory=list)
    compared: int = 0
    wrong: int = 0
    blocked: int = 0
    problems: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0


def run_soak(soak: Soak, shops: Path, home: Path) -> Report:
    """All nights of a seed in the folder `home`; it is removed unless something was wrong."""
    began, report = process_time(), Report(soak.seed)
    clock = TickingClock(datetime.combine(soak.nights[0].end, START))
    bounds: dict[str, dict[date, Factor]] = {shop.property_id: {} for shop in soak.shops}
    home.mkdir(parents=True)
    with (
        serve([shop.folder(shops) for shop in soak.shops], now=clock.now) as emulator,
        turned(clock),
    ):
        config = _write_config(home, soak, emulator.endpoint)
        for number, night in enumerate(soak.nights, start=1):
            clock.sleep_until(datetime.combine(night.end + timedelta(days=1), START))
            result = _run_night(config, night, emulator)
            report.codes.append(result.nightly.code)
            found = list(_judge(soak, night, result, shops, bounds, report))
            report.problems += [f"seed {soak.seed}, night {number}: {words}" for words in found]
    report.cpu_seconds = process_time() - began
    if not report.problems:
        shutil.rmtree(home)
    return report


def _write_config(home: Path, soak: Soak, endpoint: str) -> Path:
    zone = {"time_zone": "Europe/Berlin"} if soak.has_zones else {}
    properties = [{"id": shop.property_id, **zone} for shop in soak.shops]
    path = home / "sluice.yml"
    content = {"home": "./home", "ga4": {"endpoint": endpoint}, "properties": properties}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _run_night(config: Path, night: Night, emulator: Emulator) -> Result:
    emulator.set_faults(night.plan)
    nightly = sluice(config, "nightly", "--date", str(night.end), "--json")
    current = config.parent / "home" / "published" / "current"
    status = sluice(config, "status", "--json")
    (config.parent / f"nightly-{night.end}.log").write_text(
        json.dumps(night.plan, default=str) + "\n" + nightly.out + nightly.err, encoding="utf-8"
    )
    return Result(nightly, status, current.resolve() if current.exists() else None)


def _judge(
    soak: Soak,
    night: Night,
    result: Result,
    shops: Path,
    bounds: dict[str, dict[date, Factor]],
    report: Report,
) -> Iterator[str]:
    """The sentences of all that does not hold after a night."""
    yield from ended_well(result)
    blocked = list(others_are_published(night, soak.shops, result))
    report.blocked += len(blocked)
    yield from blocked
    is_last = night is soak.nights[-1]
    if is_last:
        yield from healed(soak.shops, result, night.end)
    for shop in soak.shops:
        own = bounds[shop.property_id]
        _widen(own, night.factors(shop.property_id))
        if is_last and result.is_published:
            _pulled_again(own, date.fromisoformat(result.run["start"]), night.end)
        if result.published is None:
            continue
        compared = numbers_of(shop, shop.folder(shops), result.published, own, RELATIVE_ERROR)
        report.compared += compared.count
        report.wrong += compared.wrong_count
        yield from compared.wrong


def _widen(own: dict[date, Factor], factors: dict[date, Factor]) -> None:
    """A day that was counted otherwise keeps both values: not every report was pulled."""
    for day, (low, high) in factors.items():
        before = own.get(day, (1.0, 1.0))
        own[day] = (min(before[0], low), max(before[1], high))


def _pulled_again(own: dict[date, Factor], start: date, end: date) -> None:
    """Without faults the days of the night's window count once again."""
    if end.isoweekday() == 7:
        own.clear()
    for day in [day for day in own if day >= start]:
        del own[day]
