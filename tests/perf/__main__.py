"""`make bench`: runs every comparison and prints one line each."""

import os
import sys

from tests.perf.compare import Comparison
from tests.perf.decode import decode_against_proto_plus
from tests.perf.nightly import in_process_against_subprocess


def main() -> None:
    comparisons: list[Comparison] = [decode_against_proto_plus(), in_process_against_subprocess()]
    print(f"\n{os.cpu_count()} cores, Python {sys.version.split()[0]}")
    for one in comparisons:
        print(one.line())


if __name__ == "__main__":
    main()
