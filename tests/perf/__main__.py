"""`make bench`: runs every comparison and prints one line each; with names, only those.

`python -m tests.perf history`
"""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from tests.perf.decode import decode_against_proto_plus
from tests.perf.history import history
from tests.perf.ingest import ingest_comparisons
from tests.perf.nightly import in_process_against_subprocess


class Result(Protocol):
    """What a comparison found."""

    def line(self) -> str:
        """For people."""


COMPARISONS: dict[str, Callable[[], Sequence[Result]]] = {
    "decode": lambda: [decode_against_proto_plus()],
    "ingest": ingest_comparisons,
    "nightly": lambda: [in_process_against_subprocess()],
    "history": lambda: [history()],
}


def main() -> None:
    results = [one for name in sys.argv[1:] or COMPARISONS for one in COMPARISONS[name]()]
    print(f"\n{os.cpu_count()} cores, Python {sys.version.split()[0]}")
    for one in results:
        print(one.line())


if __name__ == "__main__":
    main()
