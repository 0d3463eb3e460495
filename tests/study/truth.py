"""Every scenario × five seeds: do the marts equal the simulator's truth? `python -m tests.study.truth`.

One night of 25 properties, a few minutes; exit code 1 when a claim fails.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import product
from pathlib import Path

from pipelines.emulator.simulator import SCENARIOS
from tests.e2e.truth_grid import failed_claims, publish_grid
from tests.e2e.truths import CLAIMS

SEEDS = range(1, 6)


def main() -> int:
    """Run the grid and print what differs."""
    with tempfile.TemporaryDirectory() as folder:
        settings, shops = publish_grid(
            Path(folder), product(SCENARIOS, SEEDS), days=40, sessions=200
        )
        failed = failed_claims(settings, shops)
    for name, rows in failed.items():
        print(f"FAILED {name}: {rows}")
    print(f"{len(shops) * len(CLAIMS) - len(failed)} of {len(shops) * len(CLAIMS)} claims hold.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
