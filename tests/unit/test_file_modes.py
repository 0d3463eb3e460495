"""Who may read a home: its owner, and what is published the group that the settings name."""

import grp
import os
from pathlib import Path

import pytest

from pipelines import file_modes
from pipelines.config.settings import Property, Publish, Settings
from pipelines.errors import ConfigError
from pipelines.file_modes import group_id, share
from pipelines.ingest.property_access import check_properties
from pipelines.monitoring.run_logs import prune_logs, write_fault
from pipelines.publishing.publication import Publication
from pipelines.publishing.publish import publish
from pipelines.publishing.versions import SWITCH_LOCK
from pipelines.warehouse.connect import build_database
from tests.support.hand_clock import MORNING
from tests.support.reading import fail

OWN_GROUP = grp.getgrgid(os.getegid()).gr_name


def modes(folder: Path) -> dict[str, int]:
    """Permissions of the folder and everything in it but links, and the lock of one."""
    paths = (folder, *sorted(folder.rglob("*")))
    return {
        str(path.relative_to(folder)): path.stat().st_mode & 0o777
        for path in paths
        if not path.is_symlink() and "current" not in path.parts and path.name != SWITCH_LOCK
    }


@pytest.fixture
def loose(tmp_path: Path) -> Path:
    """A home as versions before made it: anybody may read everything."""
    home = tmp_path / "home"
    with build_database(home / "build.duckdb") as build:
        build.execute("create schema marts; create table marts.fct as select 1 as one")
    for name in ("logs/r1/run.log", "published/versions/v1/manifest.json"):
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text("{}")
    for path in (home, *home.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return home


def publication(home: Path, group: str | None = None) -> Publication:
    return Publication(
        home / "build.duckdb", home / "published", "r1", "0.1.0", "2026-03-01", "2026-03-02",
        keep_versions=7, with_parquet=True, group=group, now=MORNING,
    )  # fmt: skip


def test_a_home_of_an_older_version_is_tightened_by_the_first_who_writes(loose: Path) -> None:
    outside = loose.parent / "outside"
    outside.write_text("of somebody else")
    outside.chmod(0o644)
    (loose / "logs" / "link").symlink_to(outside)
    with build_database(loose / "build.duckdb"):
        pass
    found = modes(loose)
    assert found["."] == found["logs/r1"] == 0o700
    assert found["logs/r1/run.log"] == 0o600
    assert outside.stat().st_mode & 0o777 == 0o644


def test_what_else_is_in_a_folder_that_is_a_home_stays_as_it_is(loose: Path) -> None:
    """A project's folder, say, or one that everybody writes to."""
    script = loose / "demo.d" / "script"
    script.parent.mkdir()
    script.touch()
    # Whatever the umask is that a command before has left.
    for path in (script.parent, script):
        path.chmod(0o755)
    loose.chmod(0o1777)
    for group in (None, OWN_GROUP):
        with build_database(loose / "build.duckdb"):
            pass
        publish(publication(loose, group))
        assert loose.stat().st_mode & 0o7777 == 0o1777
        found = modes(loose)
        assert found["demo.d"] == found["demo.d/script"] == 0o755
        assert (found["build.duckdb"], found["logs/r1/run.log"]) == (0o600, 0o600)
        assert found["published"] == (0o700 if group is None else 0o750)


def test_what_is_published_is_the_owners_without_a_group(loose: Path) -> None:
    publish(publication(loose))
    found = modes(loose)
    assert found["."] == 0o700
    published = {name: mode for name, mode in found.items() if name.startswith("published")}
    assert {mode for name, mode in published.items() if (loose / name).is_dir()} == {0o700}
    assert {mode for name, mode in published.items() if (loose / name).is_file()} == {0o600}


def test_a_group_reads_what_is_published_and_nothing_else(loose: Path) -> None:
    publish(publication(loose, OWN_GROUP))
    found = modes(loose)
    assert found["."] == 0o710
    assert found["logs"] == 0o700
    published = {name: mode for name, mode in found.items() if name.startswith("published")}
    assert {mode for name, mode in published.items() if (loose / name).is_dir()} == {0o750}
    assert {mode for name, mode in published.items() if (loose / name).is_file()} == {0o640}
    assert {path.stat().st_gid for path in (loose / "published").rglob("*")} == {os.getegid()}
    # A home that its group may pass through is not tightened again, and another thing in it is in
    # nobody's way.
    (loose / "outcomes.csv").touch(0o600)
    with build_database(loose / "build.duckdb"):
        pass
    publish(publication(loose, OWN_GROUP))
    assert modes(loose)["."] == 0o710
    assert modes(loose)["logs"] == 0o700


def test_a_group_that_is_named_no_more_reads_no_more(loose: Path) -> None:
    publish(publication(loose, OWN_GROUP))
    share(loose / "published", None)
    assert set(modes(loose / "published").values()) == {0o700, 0o600}
    assert modes(loose)["."] == 0o700


def test_an_unknown_group_is_a_sentence_before_anything_is_asked(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path, properties=(Property(id="42"),), publish=Publish(group="no-such-group")
    )
    with pytest.raises(ConfigError, match=r"publish\.group .* 'no-such-group', which this machine"):
        check_properties(settings)


def test_a_group_of_others_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    other = next(one for one in grp.getgrall() if one.gr_gid not in {0, os.getegid()})
    monkeypatch.setattr(file_modes.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(file_modes.os, "getegid", lambda: 0)
    monkeypatch.setattr(file_modes.os, "getgroups", lambda: [0])
    with pytest.raises(ConfigError, match=f"'{other.gr_name}', which this user is no member of"):
        group_id(other.gr_name)
    monkeypatch.setattr(file_modes.os, "getgroups", lambda: [0, other.gr_gid])
    assert group_id(other.gr_name) == other.gr_gid


def test_a_fault_is_told_in_the_home_for_its_owner(home: Path, monkeypatch, capsys) -> None:
    home.mkdir()
    code, words = broken(monkeypatch, capsys)
    (log,) = (home / "logs").iterdir()
    assert code == 1
    assert str(log) in words
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.name.startswith("error-")
    told = log.read_text()
    assert "RuntimeError" in told
    for text in (words, told):
        assert "Bearer [redacted]" in text
        assert "s3cr3t-t0ken" not in text


def test_a_fault_without_a_home_is_told_under_a_name_that_nobody_guesses(
    home: Path, monkeypatch, capsys, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    broken(monkeypatch, capsys)
    (log,) = tmp_path.glob("*.log")
    assert log.name.startswith("sluice-error-")
    assert log.stat().st_mode & 0o777 == 0o600
    assert not home.exists()


def broken(monkeypatch, capsys) -> tuple[int, str]:
    """A reading command that meets something which nobody thought of."""

    def break_down(*_: object) -> None:
        raise RuntimeError("no idea: Bearer s3cr3t-t0ken")

    monkeypatch.setattr("pipelines.cli.versions.find_versions", break_down)
    return fail(monkeypatch, capsys, "versions")


def test_files_of_faults_do_not_heap_up(home: Path) -> None:
    home.mkdir()
    for number in range(16):
        os.utime(write_fault(f"fault {number}"), (number, number))
    (home / "logs" / "kept.txt").write_text("not ours")
    prune_logs(home / "logs")
    left = sorted(path.read_text() for path in (home / "logs").iterdir())
    assert left == sorted([*(f"fault {number}" for number in range(2, 16)), "not ours"])
