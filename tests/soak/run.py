"""One seed: a home, its nights one after another, and what was wrong with them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import process_time

from pipelines.emulator.server import serve
from tests.soak.clock import TickingClock, turned
from tests.soak.command import sluice
from tests.soak.conditions import (
    Result,
    ended_well,
    healed,
    numbers_of,
    others_are_published,
)
from tests.soak.draw import Night, Soak, draw_soak
from tests.soak.truth import Bounds

# When cron starts a night: 05:30 in Berlin in summer.
START = time(3, 30, tzinfo=UTC)


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


def run_seed(seed: int, shops: Path, folder: Path) -> Report:
    """A seed in a home of its own, for a process that is told no more."""
    return run_soak(draw_soak(seed), shops, folder / f"seed-{seed}")


def run_soak(soak: Soak, shops: Path, home: Path) -> Report:
    """All nights of a seed in the folder `home`; it is removed unless something was wrong."""
    began, report = process_time(), Report(soak.seed)
    clock = TickingClock(datetime.combine(soak.nights[0].end, START))
    bounds = {shop.property_id: Bounds() for shop in soak.shops}
    home.mkdir(parents=True)
    with (
        serve([shop.folder(shops) for shop in soak.shops], now=clock.now) as emulator,
        turned(clock),
    ):
        config = _write_config(home, soak, emulator.endpoint)
        for number, night in enumerate(soak.nights, start=1):
            clock.sleep_until(datetime.combine(night.end + timedelta(days=1), START))
            emulator.set_faults([soak.server.realism, *night.rules])
            result = _run_night(config, night)
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


def _run_night(config: Path, night: Night) -> Result:
    nightly = sluice(config, "nightly", "--date", str(night.end), "--json")
    current = config.parent / "home" / "published" / "current"
    status = sluice(config, "status", "--json")
    (config.parent / f"nightly-{night.end}.log").write_text(
        json.dumps(night.rules, default=str) + "\n" + nightly.out + nightly.err, encoding="utf-8"
    )
    return Result(nightly, status, current.resolve() if current.exists() else None)


def _judge(
    soak: Soak,
    night: Night,
    result: Result,
    shops: Path,
    bounds: dict[str, Bounds],
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
        own.widen(night.end, night.factors(shop.property_id), is_growing=soak.server.is_growing)
        if is_last and result.is_published:
            own.narrow(date.fromisoformat(result.run["start"]))
        if result.published is None:
            continue
        compared = numbers_of(shop, shop.folder(shops), result.published, own, soak.server.slack)
        report.compared += compared.count
        report.wrong += compared.wrong_count
        yield from compared.wrong
