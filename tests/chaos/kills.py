"""Kills, and signals that ask to stop, at random moments of every phase of a run."""

from __future__ import annotations

import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from pipelines.config.settings import Settings
from tests.chaos.home import NIGHTLY, TRACES, Home, Marts
from tests.e2e.shop import LAST_DAY

# After the end of which step (as the command says it) the moment is counted; '' is the start.
PHASES = (
    "", "pull GA4", "gate: raw", "build staging", "gate: staging", "build intermediate",
    "gate: intermediate", "build marts", "gate: marts", "make the page",
)  # fmt: skip
# Of ten attacks three aim at publishing and what follows.
WEIGHTS = (1, 1, 1, 1, 1, 1.5, 0.5, 1.5, 0.5, 4)
COMMANDS = {
    "nightly": NIGHTLY,
    "backfill": ("backfill", "--start", "2026-06-20", "--end", str(LAST_DAY)),
}
ENDS = {signal.SIGKILL: (-9,), signal.SIGTERM: (143,), signal.SIGINT: (130,)}
GROUP = 8
# A step takes a second or two.
HANGS = 300.0
# A process may be over before its signal comes, and may not have been able to hear of it yet.
TOO_LATE, TOO_EARLY = 0, {signal.SIGTERM: -15, signal.SIGINT: -2}


@dataclass
class Attacks:
    """What was done, where, and what was wrong."""

    done: Counter[str] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """For people."""
        yield "kills: " + ", ".join(f"{count} {name}" for name, count in sorted(self.done.items()))
        yield "in: " + ", ".join(f"{name} {count}" for name, count in self.phases.items())
        yield from self.wrong


def attack(
    stored: Settings,
    expected: Marts,
    lengths: dict[str, float],
    folder: Path,
    *,
    kills: int,
    seed: int,
    server: Callable[[], AbstractContextManager[str]],
) -> Attacks:
    """`kills` attacks in groups on one home each; after each group a clean night must heal all.

    `expected`: the marts of a home that was never attacked; `lengths`: as of `measured`;
    `server`: opens the server of a group, each of which uses up the quota of an hour.
    """
    dice, attacks = random.Random(seed), Attacks()
    for start in range(0, kills, GROUP):
        with server() as endpoint:
            home = Home.copy(stored, folder / f"group-{start}", endpoint)
            for number in range(start, min(start + GROUP, kills)):
                _one(home, dice, lengths, attacks, number)
            ended = home.night()
        after = f"after attack {number} and a night"
        if ended.code != 0:
            attacks.wrong.append(f"{after}, which ended with {ended.code}: {ended.err}")
        wrong = (*home.difference(expected), *home.wrong(), *home.litter())
        attacks.wrong += [f"{after}: {one}" for one in wrong]
    return attacks


def measured(stored: Settings, folder: Path) -> dict[str, float]:
    """Seconds from the end of each step to the next, of a night that nobody disturbs."""
    home, seen = Home.copy(stored, folder), {"": time.monotonic()}
    with home.start(*COMMANDS["nightly"]) as process:
        for step in _steps(process):
            seen[step] = time.monotonic()
    moments = [*(seen[name] for name in PHASES), time.monotonic()]
    spans = (after - at for at, after in pairwise(moments))
    return dict(zip(PHASES, spans, strict=True))


def _steps(process: subprocess.Popen[str]) -> Iterator[str]:
    """Steps as they end."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.lstrip().startswith("✔"):
            yield next(name for name in (*PHASES[1:], "publish") if name in line)


def _one(
    home: Home, dice: random.Random, lengths: dict[str, float], attacks: Attacks, number: int
) -> None:
    name = dice.choices(("nightly", "backfill"), (2, 1))[0]
    sent = dice.choices((signal.SIGKILL, signal.SIGTERM, signal.SIGINT), (8, 1, 1))[0]
    phase = dice.choices(PHASES, WEIGHTS)[0]
    process = home.start(*COMMANDS[name])
    said: list[str] = []
    reached = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if phase and f"✔ {phase}" in line:
                reached.set()
        reached.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    if phase and not reached.wait(HANGS):
        attacks.wrong.append(f"attack {number}: {name} hangs: {said}")
    time.sleep(dice.uniform(0, lengths[phase]))
    process.send_signal(sent)
    process.wait()
    reader.join()
    err = "".join(said)
    attacks.done[f"{sent.name} of {name}"] += 1
    attacks.phases[f"after {phase or 'start'}"] += 1
    allowed = {*ENDS[sent], TOO_LATE}
    if not phase and sent in TOO_EARLY:
        allowed.add(TOO_EARLY[sent])
    where = f"attack {number}: {sent.name} of {name} after {phase or 'start'}"
    if process.returncode not in allowed:
        attacks.wrong.append(f"{where} ended with {process.returncode}: {err}")
    attacks.wrong += [f"{where} said {one!r}: {err}" for one in TRACES if one in err]
    attacks.wrong += [f"{where}: {one}" for one in home.wrong()]
