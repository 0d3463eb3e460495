"""`make bench`: runs every comparison and prints one line each."""

import os
import sys

from tests.perf.compare import Comparison, Measurement
from tests.perf.decode import decode_against_proto_plus
from tests.perf.ingest import ingest_comparisons
from tests.perf.nightly import in_process_against_subprocess


def main() -> None:
    results: list[Comparison | Measurement] = [
        decode_against_proto_plus(),
        *ingest_comparisons(),
        in_process_against_subprocess(),
    ]
    print(f"\n{os.cpu_count()} cores, Python {sys.version.split()[0]}")
    for one in results:
        print(one.line())


if __name__ == "__main__":
    main()
