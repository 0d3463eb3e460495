"""Every scenario × five seeds: does each report say the same by both routes?

`python -m tests.study.routes [days] [sessions a day]`: a few minutes; exit code 1 where one does
not. `make test` has two pairs of them (tests/unit/export/test_both_routes.py).
"""

from __future__ import annotations

import sys
import tempfile
from datetime import timedelta
from itertools import product
from pathlib import Path

from pipelines.emulator.simulator import SCENARIOS
from tests.e2e.shop import LAST_DAY
from tests.support.routes import both_routes, differences, simulated

SEEDS = range(1, 6)


def main(arguments: list[str]) -> int:
    """Run the grid and print what differs."""
    days, sessions = [int(one) for one in arguments] or (35, 100)
    reports = rows = failed = 0
    for scenario, seed in product(SCENARIOS, SEEDS):
        with tempfile.TemporaryDirectory() as folder:
            events = simulated(
                Path(folder, "events"), scenario=scenario, seed=seed, days=days, sessions=sessions
            )
            start = LAST_DAY - timedelta(days=3)
            for told, counted in both_routes(events, Path(folder, "landed"), start):
                found = differences(told, counted)
                reports, rows = reports + 1, rows + told.rows.num_rows
                failed += bool(found)
                for line in found[:5]:
                    print(f"FAILED {scenario}, seed {seed}, {line}", flush=True)
    print(f"{reports - failed} of {reports} reports are equal, {rows:,} rows.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
