"""Runs reading commands as a user does, and publishes what the fixtures built."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli.app import app, main
from pipelines.publishing.publication import Publication
from pipelines.publishing.publish import publish
from tests.support.hand_clock import MORNING


def publish_again(home: Path, end: str = "2026-03-02", code: str = "0.1.0") -> str:
    return publish(
        Publication(
            home / "build.duckdb", home / "published", "r1", code, "2026-03-01", end,
            keep_versions=7, with_parquet=False, now=MORNING,
        )
    )  # fmt: skip


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=text)


def fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str]:
    """Exit code and standard error of the command as the shell sees it."""
    monkeypatch.setattr(sys, "argv", ["sluice", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    captured = capsys.readouterr()
    assert captured.out == ""
    return int(caught.value.code or 0), captured.err
