"""What all commands share: help, version, JSON, completion, and how errors look."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import __version__
from pipelines.cli.app import app
from tests.support.reading import fail, run

SLUICE = str(Path(sys.executable).parent / "sluice")
COMMANDS = {command.name: command for command in app.registered_commands}
# `init` writes a file and talks; its result is the file.
WITHOUT_JSON = {"init", "report"}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_a_group_help_and_json(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert COMMANDS[name].rich_help_panel
    result = run(name, "-h")
    assert result.exit_code == 0
    assert f"Usage: sluice {name}" in " ".join(result.stdout.split()).replace(" root ", " sluice ")
    assert ("--json" in result.stdout) is (name not in WITHOUT_JSON)


GROUPS = {group.name: group for group in app.registered_groups}
IN_GROUPS = [
    (name, command.name)
    for name, group in GROUPS.items()
    for command in group.typer_instance.registered_commands
]


@pytest.mark.parametrize(("group", "name"), IN_GROUPS)
def test_so_has_every_command_of_a_group(group, name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert GROUPS[group].rich_help_panel
    result = run(group, name, "-h")
    assert result.exit_code == 0
    assert "--json" in result.stdout


def test_the_version():
    assert run("--version").stdout == f"sluice {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nightly", "--dat"], "Error: No such option: --dat"),
        (["nihgtly"], "Error: No such command 'nihgtly'"),
        (["experiment", "plna"], "Error: No such command 'plna'"),
        (["sql", "--format", "xml"], "See 'sluice sql --help'."),
        (["emulator"], "Error: Missing option '--events'. See 'sluice emulator --help'."),
    ],
)
def test_a_usage_error_is_one_line_with_the_help_to_read(monkeypatch, capsys, arguments, words):
    code, text = fail(monkeypatch, capsys, *arguments)
    assert code == 64
    assert words in text
    assert text.count("\n") == 1


def complete(line: str, **environment: str) -> list[str]:
    words = line.split(" ")
    ended = subprocess.run(
        [SLUICE],
        env={
            **os.environ,
            **environment,
            "_SLUICE_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.split()


def test_the_shell_completes_commands_and_versions(published):
    assert complete("sluice ni") == ["nightly"]
    (name,) = [one.name for one in (published / "published" / "versions").iterdir()]
    assert complete("sluice rollback 2", SLUICE_HOME=str(published)) == [name]
