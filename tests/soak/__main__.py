"""`python -m tests.soak [--seeds 60 | --seed 17]`: nights at random, in as many processes as asked.

One line a seed, one sentence a broken condition; ends with 1 if there was any. A seed that failed
leaves its home behind, with what the commands said, and says where.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from tests.soak.draw import draw_soak
from tests.soak.run import Report, run_seed
from tests.soak.shops import simulate_all

HEAD = "seed  properties  codes      numbers  wrong blocked  CPU s  behaviours"


def main(arguments: Sequence[str]) -> int:
    """Run the seeds; 1 if a condition does not hold."""
    wish = _parse(arguments)
    first, count = (wish.first, wish.seeds) if wish.seed is None else (wish.seed, 1)
    seeds = list(range(first, first + count))
    folder = wish.folder or Path(tempfile.mkdtemp(prefix="sluice-soak-"))
    shops = folder / "shops"
    simulate_all(shops)
    print(HEAD)
    reports = []
    for report in _run_all(seeds, shops, folder, min(wish.workers, len(seeds))):
        reports.append(report)
        print(_line(report), *report.problems, sep="\n      ", flush=True)
    failed = sorted(one.seed for one in reports if one.problems)
    print(_summary(reports, failed, folder))
    return 1 if failed else 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=60, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--folder", type=Path, help="where homes go (default: a temporary folder)")
    return parser.parse_args(arguments)


def _run_all(seeds: list[int], shops: Path, folder: Path, workers: int) -> Iterator[Report]:
    """Reports as they come. Processes are started afresh: gRPC cannot be forked."""
    context = multiprocessing.get_context("spawn")
    # Not concurrent.futures, whose pool stands still in 3.11 once every process is at its end.
    with context.Pool(workers, maxtasksperchild=10) as pool:
        yield from pool.imap_unordered(partial(run_seed, shops=shops, folder=folder), seeds)
        # The pool's own end would stop the processes with a signal, of which each tells.
        pool.close()
        pool.join()


def _line(report: Report) -> str:
    soak = draw_soak(report.seed)
    properties = ",".join(shop.property_id[-1] for shop in soak.shops)
    codes = " ".join(map(str, report.codes))
    names = ", ".join(sorted(soak.behaviours)) or "none"
    return (
        f"{report.seed:>4}  {properties:<11} {codes:<9} {report.compared:>8} {report.wrong:>6} "
        f"{report.blocked:>7} {report.cpu_seconds:>6.0f}  {names}"
    )


def _summary(reports: list[Report], failed: list[int], folder: Path) -> str:
    nights = sum(len(one.codes) for one in reports)
    codes = {code: sum(one.codes.count(code) for one in reports) for code in (0, 2, 75)}
    ended = ", ".join(f"{count} with {code}" for code, count in codes.items())
    told = (
        f"{len(reports)} seeds, {nights} nights: {ended}; "
        f"{sum(one.compared for one in reports):,} numbers compared, "
        f"{sum(one.wrong for one in reports):,} wrong; "
        f"{sum(one.blocked for one in reports)} properties blocked that should not be."
    )
    if not failed:
        return told
    return (
        f"{told}\n{len(failed)} seeds broke a condition: {', '.join(map(str, failed))}. Their "
        f"homes are in {folder}; `python -m tests.soak --seed {failed[0]}` runs one again."
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
