"""Every scenario × five seeds: do the marts equal the simulator's truth?

Besides, a large shop of each seed behind a realistic server: are they within its errors?
`python -m tests.study.truth`: one night of 35 properties, a few minutes; exit code 1 when a claim
fails. `make test` has one pair for each scenario and each seed (tests/e2e/test_scenarios.py).
"""

from __future__ import annotations

import sys
import tempfile
from itertools import product
from pathlib import Path

from pipelines.emulator.simulator import SCENARIOS
from tests.e2e.scenarios import SimulatedShop, large_shop, run_shops
from tests.e2e.shop import published
from tests.e2e.truths import CLAIMS, differences

SEEDS = range(1, 6)


def main() -> int:
    """Run the grid and print what differs."""
    pairs = product(SCENARIOS, SEEDS)
    made = [SimulatedShop(*pair) for pair in pairs] + [large_shop(seed) for seed in SEEDS]
    shops = {str(100000011 + place): shop for place, shop in enumerate(made)}
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        grid = run_shops(Path(folder), shops)
        with published(grid.settings) as connection:
            for property_id, shop in shops.items():
                for name, claim in CLAIMS.items():
                    events = grid.folder / property_id
                    count, rows = differences(
                        connection, events, claim, property_id, is_exact=shop.is_exact
                    )
                    if rows or not count:
                        failed += 1
                        print(f"FAILED {shop}, {name}: {rows or 'no rows'}")
    total = len(shops) * len(CLAIMS)
    print(f"{total - failed} of {total} claims hold.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
