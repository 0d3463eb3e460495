"""Files that change, or come late: what is landed again, and what a killed landing leaves."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.export.errors import DayError, ExportError
from pipelines.export.files import find_files
from pipelines.export.landing import Landing
from pipelines.export.source import ExportSource
from tests.unit.export.writing import DAY, Row, event, opened, order, rows_of, write

pytestmark = pytest.mark.slow

DAYS = [DAY + timedelta(days=number) for number in range(5)]
HOUR = 3600.0
AFTER = {"page_location": "https://s.example/after"}


def shop(day: date) -> list[Row]:
    """A day on which order t1 comes once more; two have a session that goes on tomorrow."""
    number = (day - DAY).days
    rows = [
        event("session_start", day=day, session=number, page_location=f"https://s.example/{day}"),
        order("t1", 10.0 + number, day=day, session=number, at=1),
        order(f"own {number}", 1.0, day=day, session=number, at=2),
        # Every third day has the same one.
        order(f"pair {number % 3}", 5.0 + number, day=day, session=number, at=3),
    ]
    night: Row = {"day": day, "user": "night"}
    if number in {1, 2}:
        rows.append(event("view_item", at=-11 * HOUR, session=99 + number, **night, **AFTER))
    if number in {0, 1}:
        page = f"https://s.example/n{number}"
        rows.append(
            event("session_start", at=11 * HOUR, session=100 + number, page_location=page, **night)
        )
    return rows


def put(export: Path, days: Sequence[date] = DAYS) -> Path:
    for day in days:
        write(export / f"events_{day:%Y%m%d}.ndjson", shop(day))
    return export


def land(home: Path, export: Path) -> tuple[ExportSource, list[date]]:
    """Land all there is; and which days were landed anew."""
    source = opened(home, export)
    before = {day: _made(source.landing, day) for day in source.landing.days()}
    try:
        source.land(DAYS[0], DAYS[-1])
    except ExportError:
        assert source.failed or DAYS[-1] not in source.landing.days()
    return source, [
        day for day in source.landing.days() if _made(source.landing, day) != before.get(day)
    ]


def _made(landing: Landing, day: date) -> tuple[int, int]:
    # A day that is landed twice in a row may get the number of the file that went first.
    found = landing.path(day, "day.json").stat()
    return found.st_ino, found.st_mtime_ns


def content(source: ExportSource) -> dict[tuple[date, str], list[Any]]:
    """All rows of all landed files."""
    return {
        (day, path.name): duckdb.sql(f"select * from '{path}' order by all").fetchall()
        for day in source.landing.days()
        for path in sorted(source.landing.path(day, "").glob("*.parquet"))
    }


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> ExportSource:
    folder = tmp_path_factory.mktemp("in_order")
    source, _ = land(folder, put(folder / "export"))
    return source


@pytest.fixture
def copy(in_order: ExportSource, tmp_path: Path) -> Path:
    """The landed home and its export, to be changed."""
    before = Path(in_order.settings.path or "").parent
    shutil.copytree(before, tmp_path / "copy")
    for path in (tmp_path / "copy" / "landed").rglob("day.json"):
        path.write_text(path.read_text().replace(str(before), str(tmp_path / "copy")))
    for path in (tmp_path / "copy" / "export").iterdir():
        facts = (before / "export" / path.name).stat()
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    return tmp_path / "copy"


def test_orders_and_sessions_of_days_in_their_order(in_order: ExportSource) -> None:
    days = rows_of(in_order, "sessions_by_all", DAYS[0], DAYS[-1])
    # Own orders each day, t1 and the pairs where they come first.
    assert [(row["transactions"], row["purchase_revenue"]) for row in days] == [
        (3, 16.0), (2, 7.0), (2, 8.0), (1, 1.0), (1, 1.0),
    ]  # fmt: skip
    pages = rows_of(in_order, "sessions_by_landing_page", DAYS[1], DAYS[1])
    assert {row["landing_page"] for row in pages} == {"/2026-03-11", "/n0", "/n1"}


def test_nothing_new_lands_nothing(copy: Path) -> None:
    assert land(copy, copy / "export")[1] == []


def test_the_same_content_of_another_time_lands_nothing(copy: Path) -> None:
    for path in (copy / "export").iterdir():
        os.utime(path, ns=(1, 1))
    assert land(copy, copy / "export")[1] == []


def path_of(export: Path, day: date) -> Path:
    return export / f"events_{day:%Y%m%d}.ndjson"


CHANGES: dict[str, tuple[Callable[[Path], object], list[date]]] = {
    "one more event": (
        lambda export: write(path_of(export, DAYS[1]), [*shop(DAYS[1]), event("x", day=DAYS[1])]),
        DAYS[1:2],
    ),
    "another content of the same size and another time": (
        lambda export: path_of(export, DAYS[1]).write_bytes(
            path_of(export, DAYS[1]).read_bytes().replace(b"s.example/after", b"s.example/aftwr")
        ),
        DAYS[1:2],
    ),
    "one more file": (
        lambda export: write(
            export / f"events_{DAYS[4]:%Y%m%d}-1.parquet", [event("x", day=DAYS[4])]
        ),
        DAYS[4:],
    ),
    "a session that goes on began elsewhere": (
        lambda export: write(
            path_of(export, DAYS[1]),
            [row for row in shop(DAYS[1]) if row["event_params"][0]["value"]["int_value"] != 101]
            + [event("session_start", day=DAYS[1], at=11 * HOUR, session=101, user="night",
                     page_location="https://s.example/elsewhere")],
        ),
        # The fourth day, too: the third one's sessions are other ones now.
        DAYS[1:4],
    ),
    "an order of a later day": (
        lambda export: write(
            path_of(export, DAYS[0]), [*shop(DAYS[0]), order("own 3", 9.0, at=4, session=0)]
        ),
        [DAYS[0], DAYS[3]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_day_is_landed_again_and_what_follows_from_it(copy: Path, change: str) -> None:
    spoil, expected = CHANGES[change]
    spoil(copy / "export")
    source, landed = land(copy, copy / "export")
    assert landed == expected
    fresh, _ = land(copy / "fresh", copy / "export")
    assert content(source) == content(fresh)
    assert land(copy, copy / "export")[1] == []


def test_an_order_that_a_late_day_brings_is_counted_there(tmp_path: Path) -> None:
    export = put(tmp_path / "export", DAYS[1:])
    source, _ = land(tmp_path, export)
    days = rows_of(source, "sessions_by_all", DAYS[0], DAYS[-1])
    assert [row["transactions"] for row in days] == [3, 2, 2, 1]
    put(export, DAYS[:1])
    source, landed = land(tmp_path, export)
    # The next two days, whose first sessions began before them, and the one whose pair is a repeat.
    assert landed == DAYS[:4]
    days = rows_of(source, "sessions_by_all", DAYS[0], DAYS[-1])
    assert [row["transactions"] for row in days] == [3, 2, 2, 1, 1]


def test_an_order_of_a_later_day_than_the_next_is_counted_once(tmp_path: Path) -> None:
    """Nothing but the order tells that the fifth day has to be landed again."""
    for number, rows in {4: [order("t1", 5.0, day=DAYS[4])], 1: [event("x", day=DAYS[1])]}.items():
        write(path_of(tmp_path / "export", DAYS[number]), rows)
    assert land(tmp_path, tmp_path / "export")[1] == [DAYS[1], DAYS[4]]
    write(path_of(tmp_path / "export", DAYS[0]), [order("t1", 5.0, day=DAYS[0])])
    source, landed = land(tmp_path, tmp_path / "export")
    assert landed == [DAYS[0], DAYS[1], DAYS[4]]
    days = rows_of(source, "sessions_by_all", DAYS[0], DAYS[-1])
    assert [(row["date"], row["transactions"]) for row in days] == [
        (DAYS[0], 1), (DAYS[1], 0), (DAYS[4], 0),
    ]  # fmt: skip


@pytest.mark.parametrize("places", [[1, 2, 3, 4, 0], [4, 2, 0, 3, 1]])
def test_days_that_come_in_any_order_end_equal(
    in_order: ExportSource, tmp_path: Path, places: list[int]
) -> None:
    for place in places:
        source, _ = land(tmp_path, put(tmp_path / "export", [DAYS[place]]))
    assert content(source) == content(in_order)


def test_a_kill_leaves_the_old_day_or_the_new_one(copy: Path, tmp_path: Path) -> None:
    day = DAYS[2]
    landing = opened(copy, copy / "export").landing
    target = landing.path(day, "")
    old, unfinished = target.with_name(f".{day}.old"), target.with_name(f".{day}.unfinished")
    before = content(opened(copy, copy / "export"))
    # While it is decoded.
    unfinished.mkdir()
    (unfinished / "events.parquet").write_bytes(b"PAR1")
    source, landed = land(copy, copy / "export")
    assert (landed, content(source)) == ([], before)
    # Between the two renames; and the day's file cannot be read any more.
    shutil.copytree(target, unfinished)
    target.rename(old)
    path_of(copy / "export", day).write_bytes(b"")
    source, _ = land(copy, copy / "export")
    assert set(source.failed) == {day}
    assert content(source) == before
    # After both.
    shutil.copytree(target, old)
    put(copy / "export", [day])
    source, _ = land(copy, copy / "export")
    assert content(source) == before
    assert not list(target.parent.glob(".*"))


def test_a_landing_that_is_broken_off_changes_nothing(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = opened(copy, copy / "export")
    before = content(source)

    def full(self: Path, *_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    files = [file for file in find_files(str(copy / "export")) if file.day == DAYS[2]]
    with pytest.raises(OSError, match="No space left"):
        source.landing.land(DAYS[2], files)
    assert content(source) == before


def test_damaged_landed_files_are_named(copy: Path) -> None:
    export = copy / "export"
    source, _ = land(copy, export)
    for name in ("events.parquet", "counts.parquet"):
        source.landing.path(DAYS[2], name).write_bytes(b"PAR1")
    folder = copy / "landed" / "42"
    for report in ("sessions_by_all", "funnel"):
        with pytest.raises(ExportError) as found:
            rows_of(source, report, DAYS[0], DAYS[-1])
        assert not isinstance(found.value, DayError)
        assert str(found.value).startswith(f"The landed events in {folder} cannot be read (")
        assert str(found.value).endswith(
            "): delete that folder and run the same command again, which lands its days anew."
        )
    source.landing.path(DAYS[2], "orders.parquet").write_bytes(b"PAR1")
    with pytest.raises(ExportError, match="delete that folder"):
        opened(copy, export).land(DAYS[0], DAYS[-1])
    shutil.rmtree(folder)
    assert land(copy, export)[1] == DAYS


def test_a_damaged_record_is_a_day_that_is_not_landed(copy: Path) -> None:
    opened(copy, copy / "export").landing.path(DAYS[4], "day.json").write_text("{")
    assert land(copy, copy / "export")[1] == [DAYS[4]]


def test_a_landed_day_without_files_stays(copy: Path) -> None:
    path_of(copy / "export", DAYS[1]).unlink()
    source, landed = land(copy, copy / "export")
    assert (source.landing.days(), landed) == (DAYS, [])


def test_days_are_counted_until_they_are_landed_again(copy: Path) -> None:
    source = opened(copy, copy / "export")
    assert source.uncounted(DAYS[1]) == DAYS[1:]
    source.landing.mark_counted([*DAYS, DAY - timedelta(days=1)])
    assert source.uncounted(DAYS[0]) == []
    write(path_of(copy / "export", DAYS[3]), [*shop(DAYS[3]), event("x", day=DAYS[3], session=3)])
    source, _ = land(copy, copy / "export")
    assert source.uncounted(DAYS[0]) == [DAYS[3]]
