"""Attack homes: `make chaos`. Prints what was done; ends with 1 if anything was wrong."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.emulator.server import serve
from tests.chaos.clocks import stepped
from tests.chaos.home import Home, stored_home
from tests.chaos.kills import attack, measured
from tests.chaos.limits import limited
from tests.chaos.readers import PUBLISHES, READERS, ROLLBACKS, read_while_publishing
from tests.e2e.shop import open_shop, running_now

DAYS, SESSIONS = 21, 80


def chaos(folder: Path, kills: int, seed: int) -> Iterator[str]:
    """A line for everything that was tried; what did not hold begins with `WRONG`."""
    with open_shop(folder / "events", days=DAYS, sessions=SESSIONS) as shop:
        stored = stored_home(shop, folder)
        never = Home.copy(stored, folder / "never-attacked")
        assert never.night().code == 0
        expected = never.marts()
        loops, wrong = read_while_publishing(stored, folder / "readers")
        yield f"{READERS} readers, {PUBLISHES} publishes, {ROLLBACKS} rollbacks: {loops:,} loops"
        yield from (f"WRONG: reader: {one}" for one in wrong)
        yield from limited(stored, expected, folder / "limits")
        lengths = measured(stored, folder / "measured")

        @contextmanager
        def server() -> Iterator[str]:
            with serve([shop.events], now=running_now()) as opened:
                yield opened.endpoint

        yield from stepped(folder / "clocks")
        attacks = attack(
            stored, expected, lengths, folder / "kills", kills=kills, seed=seed, server=server
        )
        done, where, *wrong = attacks.lines()
        yield from (done, where, *(f"WRONG: {one}" for one in wrong))


def main() -> int:
    """0 when everything held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    is_fine = True
    with tempfile.TemporaryDirectory() as folder:
        for line in chaos(Path(folder), options.kills, options.seed):
            print(line, flush=True)
            is_fine &= not line.startswith("WRONG")
    print("Everything held." if is_fine else "Not everything held.")
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
