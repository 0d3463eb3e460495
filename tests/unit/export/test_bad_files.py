"""A catalogue of what can be wrong with an export's files: each with its exact sentence.

Whatever it is, the day stays as it was, and the other days go on.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.export.errors import ExportError, NewestDayError
from pipelines.export.files import find_files
from tests.support.emulated_shop import SCHEMA
from tests.unit.export.writing import DAY, Row, event, opened, order, rows_of, write

BEFORE = DAY - timedelta(days=1)
ROWS = [event("session_start"), event("view_item", at=1), order("t1", 10.0, at=2)]
MANY = [event(f"event_{number}", at=number) for number in range(2000)]
GOOD = "events_20260309.parquet"
PARQUET, JSON, GZIP = (f"events_20260310.{end}" for end in ("parquet", "ndjson", "json.gz"))
ANEW = "write it anew from BigQuery, or correct its permissions"
NO_EXPORT = "it is not a GA4 export in BigQuery's schema; correct 'path', or export the table again"
NOT_THAT_DAY = (
    "none of 2026-03-10 with a time, an event name and a user: it is not that day's export; "
    "write it anew"
)


def cut(name: str, least: float) -> Callable[[Path], object]:
    """A file that ends after a share of its bytes."""

    def made(folder: Path) -> None:
        path = write(folder / name, MANY)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * least)])

    return made


def without_its_end(folder: Path) -> None:
    """All lines are there, but not the sum that says so."""
    path = write(folder / GZIP, MANY)
    path.write_bytes(path.read_bytes()[:-8])


def with_bytes(name: str) -> Callable[[Path], object]:
    """An event name that is no UTF-8."""

    def made(folder: Path) -> None:
        path = write(folder / name, ROWS)
        path.write_bytes(path.read_bytes().replace(b"view_item", b"view_\xff\xfeem"))

    return made


def typed(
    column: str, kind: pa.DataType, change: Callable[[Row], object]
) -> Callable[[Path], object]:
    schema = SCHEMA.set(SCHEMA.get_field_index(column), pa.field(column, kind))
    return lambda folder: write(
        folder / PARQUET, [row | {column: change(row)} for row in ROWS], schema
    )


def text(content: str) -> Callable[[Path], object]:
    return lambda folder: (folder / JSON).write_text(content)


def in_json(change: Row) -> Callable[[Path], object]:
    return lambda folder: write(folder / JSON, [ROWS[0], ROWS[1] | change])


# The file that is named → what is said of it → how the folder is spoilt.
FILES: dict[str, list[tuple[str, Callable[[Path], object]]]] = {
    "is empty: write it anew from BigQuery.": [
        (PARQUET, lambda folder: (folder / PARQUET).touch()),
        (GZIP, lambda folder: (folder / GZIP).touch()),
        (JSON, lambda folder: [(folder / JSON).touch(), write(folder / PARQUET, ROWS)]),
    ],
    f"cannot be read (No magic bytes found at end of file): {ANEW}.": [
        (PARQUET, cut(PARQUET, 0.9)),
        (PARQUET, lambda folder: (folder / PARQUET).write_text("<html>Log in</html>")),
    ],
    "cannot be read (Compressed file ended before the end-of-stream marker was reached): "
    f"{ANEW}.": [
        (GZIP, cut(GZIP, 0.5)),
        (GZIP, without_its_end),
    ],
    f"cannot be read (Not a gzipped file (b'ev')): {ANEW}.": [
        (GZIP, lambda folder: (folder / GZIP).write_text("event_date,event_name\n")),
    ],
    f"cannot be read (Malformed JSON: unexpected end of data): {ANEW}.": [
        (JSON, lambda folder: (folder / JSON).write_text(
            "".join(json.dumps(row) + "\n" for row in MANY[:1000]) + json.dumps(MANY[0])[:33]
        )),
    ],
    f"cannot be read (Malformed JSON: unexpected character): {ANEW}.": [
        (JSON, text("<html>Log in</html>\n")),
    ],
    f"cannot be read (JSON transform error: Expected OBJECT, but got ARRAY): {ANEW}.": [
        (JSON, text(json.dumps(ROWS))),
    ],
    f"cannot be read (JSON transform error: Expected ARRAY, but got VARCHAR): {ANEW}.": [
        (JSON, in_json({"event_params": "token=secret"})),
        (JSON, in_json({"items": "[]"})),
    ],
    f"cannot be read (Malformed JSON: invalid UTF-8 encoding in string): {ANEW}.": [
        (JSON, with_bytes(JSON)),
    ],
    "cannot be read (Invalid string encoding found in Parquet file: a value is not valid UTF8): "
    f"{ANEW}.": [
        (PARQUET, with_bytes(PARQUET)),
    ],
    f"has event_params of type varchar, which is no list of records: {NO_EXPORT}.": [
        (PARQUET, typed("event_params", pa.string(), lambda row: "[]")),
    ],
    f"has items of type list, which is no list of records: {NO_EXPORT}.": [
        (PARQUET, typed("items", pa.list_(pa.string()), lambda row: ["boot"])),
    ],
    "has no column event_date, event_timestamp, event_name, event_params, user_pseudo_id: "
    f"{NO_EXPORT}.": [
        (PARQUET, lambda folder: write(folder / PARQUET, [{"a": 1}], None)),
    ],
    f"has 0 rows and {NOT_THAT_DAY}.": [
        (JSON, text("\n\n")),
        (PARQUET, lambda folder: write(folder / PARQUET, [])),
    ],
    f"has 1 row and {NOT_THAT_DAY}.": [
        (PARQUET, lambda folder: write(folder / PARQUET, [event("view_item", day=BEFORE)])),
        (JSON, lambda folder: write(folder / JSON, [event("view_item", day=date(2099, 1, 1))])),
        (JSON, lambda folder: write(folder / JSON, [event("view_item", user=None)])),
        (JSON, lambda folder: write(folder / JSON, [event("")])),
        (JSON, lambda folder: write(folder / JSON, [event("x") | {"event_timestamp": "noon"}])),
        (JSON, lambda folder: write(folder / JSON, [{}])),
    ],
    f"has 3 rows and {NOT_THAT_DAY}.": [
        (PARQUET, typed("event_timestamp", pa.timestamp("us"), lambda row: row["event_timestamp"])),
    ],
    f"cannot be read (Too many levels of symbolic links): {ANEW}.": [
        (PARQUET, lambda folder: (folder / PARQUET).symlink_to(folder / PARQUET)),
    ],
    f"cannot be read (No such file or directory): {ANEW}.": [
        (PARQUET, lambda folder: (folder / PARQUET).symlink_to(folder / "nowhere")),
    ],
}  # fmt: skip
CASES = [
    pytest.param(name, words, spoil, id=f"{words[:40]}-{place}")
    for words, cases in FILES.items()
    for place, (name, spoil) in enumerate(cases)
]


@pytest.mark.parametrize(("name", "words", "spoil"), CASES)
def test_one_sentence_and_the_other_days_go_on(
    tmp_path: Path, name: str, words: str, spoil: Callable[[Path], object]
) -> None:
    export = tmp_path / "export"
    write(export / GOOD, [event("view_item", day=BEFORE)])
    spoil(export)
    source = opened(tmp_path, export)
    with pytest.raises(ExportError) as found:
        source.land(DAY, DAY)
    sentence = f"The export file {export / name} {words}"
    assert str(found.value) == f"Property 42 waits for 2026-03-10: {sentence}"
    assert {day: str(error) for day, error in source.failed.items()} == {DAY: sentence}
    assert source.landing.days() == [BEFORE]
    assert not list((tmp_path / "landed" / "42").glob(".*"))


@pytest.mark.parametrize(("name", "spoil"), [
    (PARQUET, lambda folder: (folder / PARQUET).write_bytes(b"PAR1")),
    (JSON, text("{")),
    (JSON, lambda folder: write(folder / JSON, [event("view_item", day=BEFORE)])),
])  # fmt: skip
def test_a_day_stays_as_it_was(tmp_path: Path, name: str, spoil: Callable[[Path], object]) -> None:
    export = tmp_path / "export"
    write(export / name, ROWS)
    source = opened(tmp_path, export)
    source.land(DAY, DAY)
    landed = {path.name: path.read_bytes() for path in source.landing.path(DAY, "").iterdir()}
    spoil(export)
    again = opened(tmp_path, export)
    again.land(DAY, DAY)
    assert set(again.failed) == {DAY}
    assert {
        path.name: path.read_bytes() for path in again.landing.path(DAY, "").iterdir()
    } == landed
    (day,) = rows_of(again, "sessions_by_all")
    assert day["transactions"] == 1


def test_a_file_that_vanishes_after_it_was_listed(tmp_path: Path) -> None:
    path = write(tmp_path / PARQUET, ROWS)
    source, files = opened(tmp_path, tmp_path), find_files(str(tmp_path))
    path.unlink()
    with pytest.raises(ExportError) as found:
        source.landing.land(DAY, files)
    assert str(found.value) == (
        f"The export file {path} cannot be read (No such file or directory): {ANEW}."
    )


@contextmanager
def as_somebody_else(*readable: Path) -> Iterator[None]:
    """Root may read everything, so it is another user for a while, who may read only this."""
    if os.geteuid() != 0:
        yield
        return
    for path in readable:
        path.chmod(0o755)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_no_permission() -> None:
    # Not below pytest's own folder, which no other user may enter.
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder, "export", PARQUET), ROWS)
        path.chmod(0)
        source = opened(Path(folder), path.parent)
        home = source.landing.folder
        home.mkdir(parents=True)
        home.chmod(0o777)
        with (
            as_somebody_else(Path(folder), home.parent, path.parent),
            pytest.raises(ExportError) as found,
        ):
            source.land(DAY, DAY)
        assert str(found.value) == (
            f"Property 42 waits for 2026-03-10: The export file {path} cannot be read (Permission "
            f"denied): {ANEW}."
        )
        path.parent.chmod(0)
        try:
            with as_somebody_else(Path(folder)), pytest.raises(ExportError) as found:
                source.land(DAY, DAY)
        finally:
            path.parent.chmod(0o700)
        assert str(found.value) == (
            f"The folder {path.parent} cannot be read (Permission denied): correct its "
            "permissions, or 'path'."
        )


@pytest.mark.parametrize("pattern", ["nowhere", "*.parquet", "a/**/b*", "empty", "notes.txt"])
def test_a_path_that_matches_nothing(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ExportError) as found:
        opened(tmp_path, tmp_path / pattern).land(DAY, DAY)
    assert str(found.value) == (
        f"The path {tmp_path / pattern} matches no file of an event export: correct 'path' (a "
        "folder or a glob of events_YYYYMMDD.parquet, .ndjson or .json.gz)."
    )


@pytest.mark.parametrize(("days", "words"), [
    ([BEFORE], "its newest is of 2026-03-09"),
    ([BEFORE, date(2099, 1, 1)], "its newest is of 2026-03-09"),
    ([date(2099, 1, 1)], "nor of any day before"),
])  # fmt: skip
def test_no_file_of_the_newest_day(tmp_path: Path, days: list[date], words: str) -> None:
    for day in days:
        write(tmp_path / "export" / f"events_{day:%Y%m%d}.parquet", [event("view_item", day=day)])
    source = opened(tmp_path, tmp_path / "export")
    with pytest.raises(NewestDayError) as found:
        source.land(DAY, DAY)
    assert str(found.value) == (
        f"The export of property 42 has no file of 2026-03-10 yet ({words}): run the same command "
        "again when BigQuery has written it, or set nightly.at later."
    )
    assert source.landing.days() == [day for day in days if day < DAY]


@pytest.mark.parametrize("name", [
    "it's \"quoted\" events_20260310.parquet", "events_20260310\nnew.ndjson",
    "events_20260310 [1]*?.parquet", "$HOME {x} %s; drop events_20260310.json.gz",
    "Größe 20260310.jsonl", "date=2026-03-10/a'b\"c\nd.parquet",
])  # fmt: skip
def test_names_of_any_kind_are_read(tmp_path: Path, name: str) -> None:
    export = tmp_path / "it's an [export] *"
    write(export / name, ROWS)
    source = opened(tmp_path / "a [home]'s", export)
    source.land(DAY, DAY)
    (day,) = rows_of(source, "sessions_by_all")
    assert (day["sessions"], day["transactions"]) == (1, 1)


def test_a_sentence_about_a_name_of_any_bytes_has_one_line(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/events_20260310\n\xff.parquet")
    write(tmp_path / "a", ROWS).rename(path)
    with pytest.raises(ExportError) as found:
        opened(tmp_path, tmp_path).land(DAY, DAY)
    assert "events_20260310\\n\\udcff.parquet cannot be read (" in str(found.value)
    assert len(str(found.value).splitlines()) == 1


def test_links_that_go_round_in_circles_count_a_file_once(tmp_path: Path) -> None:
    write(tmp_path / "export" / PARQUET, ROWS)
    for name in ("a", "b"):
        (tmp_path / "export" / name).symlink_to(tmp_path / "export")
    (tmp_path / "export" / "events_20260310-copy.parquet").symlink_to(tmp_path / "export" / PARQUET)
    for pattern in ("export", "export/**/*.parquet", "export/*/*/*.parquet", "*"):
        (file,) = find_files(str(tmp_path / pattern))
        assert file.day == DAY


def test_what_is_no_file_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / PARQUET)
    with pytest.raises(ExportError, match="matches no file of an event export"):
        find_files(str(tmp_path))


def test_revenue_that_is_no_number_is_none_and_one_below_zero_stays(tmp_path: Path) -> None:
    values = [-5.0, float("nan"), float("inf"), float("-inf"), 1e300, 7.25]
    rows = [order(f"t{place}", value, at=place) for place, value in enumerate(values)]
    texts = [order(f"u{place}", str(value), at=place) for place, value in enumerate(values)]
    items = [{"item_id": "boot", "price": value, "quantity": 1} for value in values]
    write(tmp_path / PARQUET, [*rows, event("view_item") | {"items": items}])
    write(tmp_path / JSON, texts)
    source = opened(tmp_path, tmp_path)
    source.land(DAY, DAY)
    (day,) = rows_of(source, "sessions_by_all")
    assert (day["transactions"], day["purchase_revenue"]) == (12, 4.5)
    (item,) = rows_of(source, "items")
    assert item["items_viewed"] == 6


def test_a_name_of_ten_megabytes_is_cut_and_counted(tmp_path: Path) -> None:
    long = "x" * 10_000_000
    write(tmp_path / JSON, [event(long), event(f"{long}y"), event("view_item", user=long)])
    source = opened(tmp_path, tmp_path)
    source.land(DAY, DAY)
    names = [row["event_name"] for row in rows_of(source, "events_by_all")]
    assert len(set(names)) == 3
    assert max(map(len, names)) < 1100


def test_users_who_do_nothing_else_have_no_next_action(tmp_path: Path) -> None:
    source = opened(tmp_path, write(tmp_path / PARQUET, [event("session_start")]))
    source.land(DAY, DAY)
    assert {
        (row["step_key"], row["next_action"], row["active_users"])
        for row in rows_of(source, "funnel_next_action")
    } == {("sessions", "(all)", 1)}
