"""README's walk from a property to its first night, line by line, from an empty folder.

Each command has a process of its own, may not override permissions, and from `init` on has a
checkout that nobody may write to. Only dbt's parsed project is there already: that a night makes
it shows `killed_home`.
"""

import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.clock import pin_clock
from pipelines.config.settings import Settings
from pipelines.emulator.simulator import PROPERTY_ID
from tests.e2e.readme import README
from tests.e2e.test_command_line import SLUICE, sluice
from tests.support.hand_clock import MORNING

_BEGIN = "**The same without Google**"
COMMAND = "../.venv/bin/sluice "


def walk() -> list[list[str]]:
    """The words of each command, without the program's name."""
    block = README.read_text(encoding="utf-8").partition(_BEGIN)[2].split("```")[1]
    lines = [line.removesuffix(" &") for line in block.strip().splitlines()]
    assert (lines.pop(0), lines.pop()) == ("mkdir trial && cd trial", "kill %1; cd ..")
    assert all(line.startswith(COMMAND) for line in lines)
    return [shlex.split(line.removeprefix(COMMAND)) for line in lines]


def free_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


@pytest.fixture
def read_only_checkout(tmp_path: Path) -> Iterator[Path]:
    """The product as an image or a service user has it: nothing can be written beside the code."""
    root, checkout = Path(__file__).parents[2], tmp_path / "checkout"
    for name in ("pipelines", "dbt_project", "data_checks"):
        ignored = shutil.ignore_patterns("target", "logs")
        shutil.copytree(root / name, checkout / name, ignore=ignored)
    for path in (checkout, *checkout.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    yield checkout
    for path in (checkout, *checkout.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)


@contextmanager
def served(folder: Path, words: list[str]) -> Iterator[str]:
    """The emulator in a process of its own; yields what it says when it answers."""
    with subprocess.Popen(
        [SLUICE, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        try:
            assert server.stdout
            yield server.stdout.readline() + server.stdout.readline()
        finally:
            server.terminate()
        # Ended as it said that it would be, it has nothing to say.
        assert (server.stdout.read(), server.wait()) == ("", 0)


def test_readme_s_first_hour(
    killed_home: Settings, read_only_checkout: Path, tmp_path: Path
) -> None:
    """Every command ends well and names the next; the last one costs no token.

    In the checkout's own `data` there is the demo, which README begins with, on a day long past.
    """
    pin_clock(tmp_path / "data", MORNING, [PROPERTY_ID])
    trial = tmp_path / "trial"
    shutil.copytree(killed_home.cache_dir, trial / "data/cache")
    port = free_port()
    simulate, emulate, *rest = ([word.replace("8181", port) for word in words] for words in walk())
    said = {}
    ended = sluice(trial, *simulate)
    assert ended.returncode == 0, ended.stderr
    assert "sluice emulator --events shop --port 8181" in ended.stdout
    with served(trial, emulate) as server:
        assert f"GA4 Data API for 100000001 on 127.0.0.1:{port}" in server
        assert f"sluice init --property 100000001 --endpoint 127.0.0.1:{port}" in server
        for words in rest:
            ended = sluice(trial, *words, PYTHONPATH=str(read_only_checkout))
            assert ended.returncode == 0, (words, ended.stdout, ended.stderr)
            said[words[0]] = ended.stdout + ended.stderr
    assert list(said) == ["init", "doctor", "nightly", "status", "backfill"]
    assert "'sluice doctor'" in said["init"]
    assert "Nothing is wrong. Next: 'sluice nightly'" in said["doctor"]
    assert "– schedule" in said["doctor"]
    page = trial / "data/published/current/report.html"
    assert f"Page: {page}" in said["nightly"]
    assert "Finding (new): Purchased after Checkout started, mobile: " in said["nightly"]
    assert "My shop" in page.read_text(encoding="utf-8")
    fine, found, *_ = said["status"].splitlines()
    assert fine.startswith("Fine: ")
    # In the same words wherever it is told; some days' shop has a smaller finding beside it.
    found = re.sub(r" \d+ more findings?\.$", "", found)
    assert found.startswith("Finding (new): Purchased after Checkout started, mobile: ")
    assert found in said["nightly"]
    assert found.removeprefix("Finding (new): ") in page.read_text(encoding="utf-8")
    assert "pulls to do: about " in said["backfill"]
    assert "not in that" not in said["backfill"]
