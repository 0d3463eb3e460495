"""What the demo prints, as README shows it: cut out of a run, and written there by `make readme`.

README shows the funnel and the finding; the table of benchmarks between them is left out.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
_BEGIN, _END = "and the demo ends with what it found:\n\n```\n", "```\n"
_TABLE, _NEXT_TABLE, _FINDING = "Funnel, last 28 days", "Benchmarks: ", "Finding ("
_WIDTH = 120


def printed(stdout: str) -> str:
    """The part of a demo's output that README shows, as README shows it."""
    lines = [line.rstrip() for line in stdout.splitlines()]
    first = next(number for number, line in enumerate(lines) if line.startswith(_TABLE))
    last = next(number for number, line in enumerate(lines) if line.startswith(_NEXT_TABLE))
    table = [line for line in lines[first:last] if line]
    finding = next(line for line in lines if line.startswith(_FINDING))
    return "\n".join([*table, "", *textwrap.wrap(finding, _WIDTH), ""])


def shown() -> str:
    """README's block."""
    return README.read_text(encoding="utf-8").partition(_BEGIN)[2].partition(_END)[0]


def main() -> None:
    """Run the demo as README says and put what it prints into README."""
    sluice = str(Path(sys.executable).parent / "sluice")
    with tempfile.TemporaryDirectory() as folder:
        command = [sluice, "demo", "--home", str(Path(folder) / "home")]
        ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    before, mark, rest = README.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    README.write_text(before + mark + printed(ended.stdout) + end + after, encoding="utf-8")


if __name__ == "__main__":
    main()
