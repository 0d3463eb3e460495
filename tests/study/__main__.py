"""`make study`: runs every part and writes docs/study.md; fails where a target is missed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.study.coverage import coverage_section
from tests.study.experiments import experiments_section
from tests.study.families import families_section
from tests.study.findings import findings_section
from tests.study.ladder import ladder_section
from tests.study.nights import nights_section
from tests.study.results import SEED, Section
from tests.study.shops import shops_section
from tests.study.sources import sources_section

OUTPUT = Path(__file__).parents[2] / "docs" / "study.md"

HEAD = f"""# Simulation study of the statistics

Made by `make study` (`python -m tests.study`), seed {SEED}: the same table each time. Not edited.
The functions simulated are those of `pipelines/analysis` that the dbt models and the commands
call. "95 % error" is the Monte Carlo error of the figure. A target is met where
the figure itself lies in it; "within error" is outside of it by less than that error, "no" by more.

"""

PARTS = (
    ladder_section,
    coverage_section,
    families_section,
    nights_section,
    sources_section,
    shops_section,
    findings_section,
    experiments_section,
)


def main() -> int:
    """Exit code 1 where a target is missed; the table is written in any case."""
    sections: list[Section] = []
    for part in PARTS:
        start = time.perf_counter()
        section = part()
        sections.append(section)
        print(section.markdown())
        print(f"({time.perf_counter() - start:.0f} s)\n", flush=True)
    OUTPUT.write_text(HEAD + "\n".join(section.markdown() for section in sections))
    missed = [one for section in sections for one in section.figures if one.verdict == "no"]
    print(f"{OUTPUT.name} written; {len(missed)} targets missed.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
