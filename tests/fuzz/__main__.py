"""Runs libFuzzer from a real answer on; its own options follow the name (`-max_total_time=60`)."""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pipelines.ga4.decode"]):
    from tests.unit.ga4 import test_fuzzed_answers as answers

CHECKS = {
    "report": (answers.check_report, answers.report),
    "funnel": (answers.check_funnel, answers.funnel),
}


def main() -> None:
    """Until libFuzzer ends: by its options, by Ctrl-C, or by bytes that a check fails on."""
    check, example = CHECKS[sys.argv.pop(1)]
    with tempfile.TemporaryDirectory() as corpus:
        (Path(corpus) / "answer").write_bytes(example())
        atheris.Setup([*sys.argv, corpus], check)
        atheris.Fuzz()


main()
