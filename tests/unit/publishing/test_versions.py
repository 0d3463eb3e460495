"""Which version readers see, and which may go."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines.errors import WarehouseError
from pipelines.publishing.versions import (
    current_name,
    find_versions,
    list_versions,
    point_current_at,
    prune,
    remove_unfinished,
    rollback,
    unfinished_path,
)
from pipelines.warehouse.connect import published_database
from tests.support.published import write_manifest

READER = """
import sys, duckdb
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    print(connection.execute("select name from t").fetchone()[0], flush=True)
    sys.stdin.readline()
    print(connection.execute("select count(*) from t").fetchone()[0], flush=True)
"""


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five versions v1 … v5; v5 is current."""
    home = tmp_path_factory.mktemp("five")
    for name in ("v1", "v2", "v3", "v4", "v5"):
        folder = home / "versions" / name
        folder.mkdir(parents=True)
        with duckdb.connect(str(folder / "sluice.duckdb")) as connection:
            connection.execute(f"create table t as select '{name}' as name")
        write_manifest(folder)
    point_current_at(home, "v5")
    return home


@pytest.fixture
def published(five: Path, tmp_path: Path) -> Path:
    """A copy of them to change."""
    return shutil.copytree(five, tmp_path, symlinks=True, dirs_exist_ok=True)


def names(published: Path) -> list[str]:
    return [version.name for version in list_versions(published)]


def seen(published: Path) -> str:
    with published_database(published) as connection:
        ((name,),) = connection.execute("select name from t").fetchall()
    return name


@contextmanager
def reading(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process has the database open."""
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()  # it has read a row
        yield process
        rest, _ = process.communicate("\n")
        assert rest.strip() == "1"  # and can still read after what the test did


def test_versions_are_listed_oldest_first_with_their_manifest(published):
    found = list_versions(published)
    assert [(version.name, version.is_current) for version in found] == [
        ("v1", False), ("v2", False), ("v3", False), ("v4", False), ("v5", True),
    ]  # fmt: skip
    assert found[0].path == published / "versions" / "v1"
    assert found[0].manifest == json.loads((found[0].path / "manifest.json").read_text())


def test_nothing_published_is_no_error_until_it_is_read(tmp_path):
    assert list_versions(tmp_path) == ()
    assert current_name(tmp_path) is None
    assert prune(tmp_path, 1) == ()
    with pytest.raises(WarehouseError, match="Nothing is published"), published_database(tmp_path):
        pass
    with pytest.raises(WarehouseError, match="Nothing is published"):
        rollback(tmp_path)


def test_unfinished_versions_are_not_listed(published):
    (published / "versions" / ".unfinished-v6").mkdir()
    (published / "versions" / ".unfinished-v6" / "manifest.json").write_text("{}")
    (published / "versions" / "v7").mkdir()  # no manifest
    assert names(published) == ["v1", "v2", "v3", "v4", "v5"]


def test_rollback_goes_one_back_each_time(published):
    assert rollback(published).name == "v4"
    assert seen(published) == "v4"
    assert rollback(published).name == "v3"
    assert current_name(published) == "v3"
    assert len(names(published)) == 5


def test_rollback_to_a_named_version_and_forth(published):
    rollback(published, "v1")
    assert seen(published) == "v1"
    rollback(published, "v5")
    assert seen(published) == "v5"


def test_rollback_to_an_unknown_version_changes_nothing(published):
    with pytest.raises(WarehouseError, match=r"no version 'v9'.*lists 5, the newest is v5"):
        rollback(published, "v9")
    assert seen(published) == "v5"


def test_before_the_first_version_there_is_none(published):
    rollback(published, "v1")
    with pytest.raises(WarehouseError, match="no version before v1"):
        rollback(published)
    assert seen(published) == "v1"


@pytest.mark.parametrize("name", ["../v1", "", ".", "v1/..", "/etc"])
def test_rollback_takes_names_not_paths(published, name):
    with pytest.raises(WarehouseError, match="no version"):
        rollback(published, name)
    assert seen(published) == "v5"


def test_the_link_is_replaced_not_removed(published, monkeypatch):
    """A reader between the two versions would find nothing."""
    real = Path.replace

    def checked(self: Path, target: Path) -> Path:
        assert seen(published) == "v5"
        result = real(self, target)
        assert seen(published) == "v2"
        return result

    monkeypatch.setattr(Path, "replace", checked)
    point_current_at(published, "v2")
    assert not list(published.glob(".current.new*"))


def test_a_link_that_a_killed_run_left_is_no_obstacle(published):
    for left in (os.getpid(), 1):
        (published / f".current.new-{left}").symlink_to("versions/gone")
    point_current_at(published, "v2")
    assert seen(published) == "v2"
    prune(published, 9)
    assert not list(published.glob(".current.new*"))


def test_a_folder_in_place_of_the_link_is_named(published):
    (published / "current").unlink()
    (published / "current").mkdir()
    with pytest.raises(WarehouseError, match=r"is a folder, where a link .*: move it away"):
        rollback(published, "v2")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def change_a_byte(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"?")


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"files": {}}', "\ud800", "\x00"])
def test_a_broken_manifest_is_named_and_in_nobodys_way(published, text):
    path = published / "versions" / "v4" / "manifest.json"
    if text is None:
        path.unlink()
    else:
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert names(published) == ["v1", "v2", "v3", "v5"]
    assert find_versions(published).damaged == {"v4": "it has no manifest.json that can be read"}
    with pytest.raises(WarehouseError, match=r"Version v4 is damaged .*: choose another one"):
        rollback(published, "v4")
    assert seen(published) == "v5"
    assert rollback(published).name == "v3"
    assert prune(published, 1) == ("v1", "v2", "v4")


@pytest.mark.parametrize("damage", [Path.unlink, cut])
def test_a_version_without_its_whole_database_is_damaged(published, damage):
    damage(published / "versions" / "v4" / "sluice.duckdb")
    assert find_versions(published).damaged == {
        "v4": "its sluice.duckdb is not as it was published"
    }
    with pytest.raises(WarehouseError, match=r"Version v4 is damaged \(its sluice.duckdb"):
        rollback(published, "v4")
    assert rollback(published).name == "v3"


def test_a_changed_byte_stops_the_way_back(published):
    """Only a checksum tells; readers stay where they are."""
    change_a_byte(published / "versions" / "v4" / "sluice.duckdb")
    for name in (None, "v4"):
        with pytest.raises(WarehouseError, match=r"Version v4 is damaged \(its sluice.duckdb"):
            rollback(published, name)
    assert current_name(published) == "v5"


def test_readers_of_a_version_without_a_database_are_told(published):
    (published / "versions" / "v5" / "sluice.duckdb").unlink()
    with (
        pytest.raises(WarehouseError, match=r"that readers see, v5, has no .*'sluice rollback'"),
        published_database(published),
    ):
        pass


DYING = """
import os, shutil, sys
from pathlib import Path
from pipelines.publishing.versions import prune
def dying(path, **named):
    (path / sys.argv[2]).unlink()
    os._exit(9)
shutil.rmtree = dying
prune(Path(sys.argv[1]), 2)
"""


@pytest.mark.parametrize("first", ["manifest.json", "sluice.duckdb"])
def test_a_kill_while_versions_are_deleted_leaves_no_half_version(published, first):
    killed = subprocess.run([sys.executable, "-c", DYING, str(published), first], check=False)
    assert killed.returncode == 9
    assert names(published) == ["v4", "v5"]
    assert not find_versions(published).damaged
    remove_unfinished(published)
    assert sorted(path.name for path in (published / "versions").iterdir()) == ["v4", "v5"]


SWITCHING = """
import sys
from pathlib import Path
from pipelines.publishing.versions import point_current_at
for number in range(500):
    point_current_at(Path(sys.argv[1]), f"v{1 + number % 5}")
"""


def test_two_processes_may_switch_at_once(published):
    command = [sys.executable, "-c", SWITCHING, str(published)]
    with subprocess.Popen(command) as one, subprocess.Popen(command) as other:
        pass
    assert (one.returncode, other.returncode) == (0, 0)
    assert seen(published) == current_name(published)


@pytest.mark.parametrize(("keep", "left"), [(1, 1), (2, 2), (4, 4), (5, 5), (9, 5)])
def test_the_newest_are_kept(published, keep, left):
    before = names(published)
    assert list(prune(published, keep)) == before[: 5 - left]
    assert names(published) == before[5 - left :]


def test_the_current_version_is_never_pruned(published):
    rollback(published, "v2")
    assert prune(published, 1) == ("v1", "v3", "v4")
    assert names(published) == ["v2", "v5"]
    assert seen(published) == "v2"


def test_a_version_that_another_process_reads_is_not_pruned(published):
    with reading(published / "versions" / "v2" / "sluice.duckdb"):
        assert prune(published, 1) == ("v1", "v3", "v4")
        assert names(published) == ["v2", "v5"]
    assert prune(published, 1) == ("v2",)


def test_what_a_killed_run_left_is_removed(published):
    unfinished, final = unfinished_path(published, datetime(2026, 3, 2, 4, 30, 5, 7, UTC))
    assert final.name == "20260302T043005.000007Z"
    unfinished.mkdir()
    (unfinished / "half").write_text("x")
    assert prune(published, 9) == ()
    assert not unfinished.exists()


@pytest.mark.parametrize("days", [-30, 0])
def test_a_clock_that_was_set_back_names_no_version_before_the_newest(published, days):
    newest = published / "versions" / "20260302T043005.000007Z"
    newest.mkdir()
    (published / "versions" / "somebody's folder").mkdir()
    moment = datetime(2026, 3, 2, 4, 30, 5, 7, UTC) + timedelta(days=days)
    assert unfinished_path(published, moment)[1].name == "20260302T043005.000008Z"
    later = moment + timedelta(days=31)
    assert unfinished_path(published, later)[1].name == later.strftime("%Y%m%dT043005.000007Z")


def test_names_sort_by_time():
    moments = [datetime(2026, 3, 2, 4, 30, 5, micro, UTC) for micro in (0, 7, 999_999)]
    found = [unfinished_path(Path("x"), moment)[1].name for moment in moments]
    assert found == sorted(found)
    assert len(set(found)) == 3
