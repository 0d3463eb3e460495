"""Heatmap downloads: what is read of them, and the sentence for each that is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.clock import PinnedClock
from pipelines.config.second_sources import Heatmaps
from pipelines.config.settings import Property, Settings
from pipelines.errors import SluiceError
from pipelines.ingest.day_window import DayWindow
from pipelines.sources.contract import SourceError, audit
from pipelines.sources.heatmaps.column_map import ColumnMaps
from pipelines.sources.heatmaps.reading import HeatmapFile, read_heatmap
from pipelines.sources.heatmaps.source import HeatmapSource
from pipelines.sources.heatmaps.tables import HEATMAP_CLICK, HEATMAP_SCROLL
from pipelines.sources.night import fetch_all
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.fetches import ensure_source_tables
from tests.unit.config.test_fuzzed_files import TEXTS, fuzzed

TODAY = date(2026, 6, 30)
NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
CLOCK = PinnedClock(NOON, NOON)
MAPS = """
maps:
  clicks: {kind: clicks, tool: Hotjar, columns: {element: Selector, text: Text, clicks: Clicks}}
  komma:
    kind: clicks
    tool: clarity
    decimal: ","
    columns: {page: URL, device: Gerät, start: Von, end: Bis, element: Element, clicks: Klicks}
  depths: {kind: scroll, tool: hotjar, columns: {depth: Depth, visitors: Reached}}
  shares: {kind: scroll, tool: clarity, columns: {depth: Scroll depth, share: "% of visitors"}}
  begun: {kind: clicks, tool: hotjar, columns: {start: From, element: "{css}.[a]!b", clicks: "n: all"}}
files:
  "clicks*.csv": {map: clicks, page: "https://shop.example/products/a?x=1", start: 2026-06-01, end: 2026-06-28}
  "komma*.csv": {map: komma}
  "depth*.csv": {map: depths, page: /, device: Phone, end: 2026-06-28}
  "share*.csv": {map: shares, page: /, start: 2026-06-01, end: 2026-06-28, all_visitors: 1200}
  "bare*.csv": {map: clicks}
  "paged*.csv": {map: clicks, page: /cart}
  "unsized*.csv": {map: shares, page: /, end: 2026-06-28}
  "begun*.csv": {map: begun, page: /, end: 2026-06-28}
"""  # noqa: E501


def maps_of(folder: Path, text: str = MAPS) -> ColumnMaps:
    path = folder / "heatmap_columns.yml"
    path.write_text(text, encoding="utf-8")
    return ColumnMaps(path)


def read(folder: Path, name: str, text: str, maps: str = MAPS) -> list[dict[str, Any]]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    found = read_heatmap(path, *maps_of(folder, maps).of(path), TODAY)
    return found.rows.to_dict("records")


def test_a_click_map_with_a_title_above_its_heading(tmp_path: Path) -> None:
    text = (
        "\ufeffClick map\r\nPages,1\r\n\r\nSelector,Text,Clicks,% of all\r\n"
        '"button[name=""add""]",Add to cart,"1 204",60%\r\n#menu,,80,4%\r\n'
    )
    about = {
        "tool": "hotjar", "page_path": "/products/a", "device": "all",
        "period_start": date(2026, 6, 1), "period_end": date(2026, 6, 28), "file": "clicks.csv",
        "file_digest": sha256(text.removeprefix("\ufeff").encode()).hexdigest(),
    }  # fmt: skip
    assert read(tmp_path, "clicks.csv", text) == [
        {**about, "element": 'button[name="add"]', "element_text": "Add to cart", "clicks": 1204},
        {**about, "element": "#menu", "element_text": "", "clicks": 80},
    ]


def test_page_device_and_period_of_each_row(tmp_path: Path) -> None:
    text = (
        "URL;Gerät;Von;Bis;Element;Klicks\n"
        "https://shop.example/a?gclid=x;PC;2026-06-01;2026-06-30;#x;7,0\n"
        "/b;Mobile;2026-06-02T00:00;2026-06-30;#x;3\n"
    )
    rows = read(tmp_path, "komma.csv", text)
    told = [
        (one["page_path"], one["device"], str(one["period_start"]), one["clicks"]) for one in rows
    ]
    assert told == [("/a", "desktop", "2026-06-01", 7), ("/b", "mobile", "2026-06-02", 3)]


def test_depths_are_shares_of_who_was_at_the_top_or_of_a_number_that_is_said(
    tmp_path: Path,
) -> None:
    rows = read(tmp_path, "depth.csv", "Depth,Reached\n0%,200\n50%,150\n100%,20\n")
    told = [
        (one["depth_percent"], one["visitors"], one["all_visitors"], one["share"]) for one in rows
    ]
    assert told == [(0, 200, 200, 1), (50, 150, 200, 0.75), (100, 20, 200, 0.1)]
    assert {one["device"] for one in rows} == {"mobile"}
    assert {one["period_start"] for one in rows} == {date(2026, 6, 28)}
    rows = read(tmp_path, "share.csv", "Scroll depth,% of visitors\n25,80.5%\n75,12%\n")
    told = [(one["visitors"], one["all_visitors"], round(one["share"], 9)) for one in rows]
    assert told == [(None, 1200, 0.805), (None, 1200, 0.12)]


def test_a_period_is_said_half_by_a_column_and_half_by_the_line(tmp_path: Path) -> None:
    (row,) = read(tmp_path, "begun.csv", "From,{css}.[a]!b,n: all\n2026-06-01,#a,3\n")
    assert (str(row["period_start"]), str(row["period_end"])) == ("2026-06-01", "2026-06-28")


def test_what_sums_up_the_others_is_no_element_and_no_depth(tmp_path: Path) -> None:
    rows = read(tmp_path, "clicks.csv", "Selector,Text,Clicks\n#a,,3\n#b,,4\nTotal,,7\n")
    assert [one["element"] for one in rows] == ["#a", "#b"]
    rows = read(tmp_path, "depth.csv", "Depth,Reached\n0%,200\n50%,150\nTOTAL,200\n")
    assert [one["depth_percent"] for one in rows] == [0, 50]


CLICKS, SCROLLS = "Selector,Text,Clicks\n", "Depth,Reached\n"
REFUSED = [
    (
        "bare.csv", CLICKS + "#a,,1",
        "bare.csv does not say of which page it is: add 'page: /products/a' to its line under "
        "'files' in the column map, or map a column that has it.",
    ),
    (
        "paged.csv", CLICKS + "#a,,1",
        "paged.csv does not say of which days it is: add 'start: 2026-06-01, end: 2026-06-30' to "
        "its line under 'files' in the column map, or map a column that has it.",
    ),
    (
        "unsized.csv", "Scroll depth,% of visitors\n25,80%",
        "unsized.csv does not say how many visitors its shares are of: add 'all_visitors: 1200' to "
        "its line under 'files' in the column map, or map a column that has it.",
    ),
    (
        "depth.csv", SCROLLS + "50%,150",
        "depth.csv does not say how many visitors its shares are of: add 'all_visitors: 1200' to "
        "its line under 'files' in the column map, or map a column that has it.",
    ),
    (
        "other.csv", CLICKS + "#a,,1",
        "other.csv fits no pattern under 'files' in heatmap_columns.yml: add a line such as "
        "'\"other.csv\": {map: clicks, page: /, start: 2026-06-01, end: 2026-06-30}'.",
    ),
    (
        "clicks.csv", "Selektor,Text,Klicks\n#a,,1",
        "{file}, line 1: there is no column 'Selector', which its map has for 'element' (is it "
        "'selektor'?): is it another report, or in another language? Correct the map ('sluice "
        "doctor' prints the headings).",
    ),
    ("clicks.csv", "", "{file} is empty: its first line has to name the columns."),
    ("clicks.csv", CLICKS, "{file} has no row below its heading."),
    ("clicks.csv", CLICKS + ",Buy,1", "{file}, line 2: a row has no element."),
    (
        "clicks.csv", CLICKS + '#a,,1\n#b,,"1,204.5"',
        "{file}, line 3: '1,204.5' has a point and a comma: export it again without signs between "
        "thousands, or take them out.",
    ),
    # The line where the row begins, also below a text of several lines.
    (
        "clicks.csv", CLICKS + '#a,"Add\nto cart",1\n#b,,x', "{file}, line 4: 'x' is no number.",
    ),
    (
        "clicks.csv", CLICKS + '#a,,"1,204"',
        "{file}, line 2: '1,204' has ',', and the map says \"decimal: '.'\": change it there if it "
        "stands before decimals, or take it out of the file.",
    ),
    (
        "clicks.csv", CLICKS + "#a,,80\n#b,,1.000",
        "{file}, line 3: '1.000' may be thousands or may have decimals: take the sign out of the "
        "file.",
    ),
    (
        "komma.csv", "URL;Gerät;Von;Bis;Element;Klicks\n/;PC;2026-06-01;2026-06-02;#x;12,000",
        "{file}, line 2: '12,000' may be thousands or may have decimals: take the sign out of the "
        "file.",
    ),
    (
        "share.csv", "Scroll depth,% of visitors\n0,1\n50,0.61\n",
        "{file}, line 1: '% of visitors' has no number above 1, so these seem to be fractions: "
        "write percent, from 0 to 100.",
    ),
    (
        "depth.csv", SCROLLS + "0,9\n0.5,3",
        "{file}, line 1: 'Depth' has no number above 1, so these seem to be fractions: write "
        "percent, from 0 to 100.",
    ),
    ("begun.csv", "From,{css}.[a]!b,n: all\n2026-06-01,#a,x", "{file}, line 2: 'x' is no number."),
    (
        "begun.csv", "From,{css}.[a]!b,n: all\n2026-06-01,#a,1\n2026-06-01,#a,2",
        "{file}, line 3: the element '#a' is there twice for the same page, device and period: is "
        "another column missing in the map?",
    ),
    ("clicks.csv", CLICKS + "#a,,many", "{file}, line 2: 'many' is no number."),
    ("clicks.csv", CLICKS + "#a,,-1", "{file}, line 2: '-1' is no number."),
    ("clicks.csv", CLICKS + "#a,,1.5", "{file}, line 2: '1.5' is no whole number."),
    (
        "clicks.csv", CLICKS + "#a,,1\n#a,,2",
        "{file}, line 3: the element '#a' is there twice for the same page, device and period: is "
        "another column missing in the map?",
    ),
    (
        "komma.csv", "URL;Gerät;Von;Bis;Element;Klicks\nStart;PC;2026-06-01;2026-06-02;#x;1",
        "{file}, line 2: 'Start' is no page.",
    ),
    (
        "komma.csv", "URL;Gerät;Von;Bis;Element;Klicks\n/;PC;01.06.2026;2026-06-02;#x;1",
        "{file}, line 2: '01.06.2026' is no date: it has to be as 2026-06-30.",
    ),
    (
        "komma.csv", "URL;Gerät;Von;Bis;Element;Klicks\n/;PC;2026-06-03;2026-06-02;#x;1",
        "{file}, line 2: the period ends before it begins.",
    ),
    (
        "komma.csv", "URL;Gerät;Von;Bis;Element;Klicks\n/;PC;2026-06-03;2026-07-02;#x;1",
        "{file}, line 2: the period ends after today (2026-06-30): is it right?",
    ),
    ("depth.csv", SCROLLS + "0,9\n150,1", "{file}, line 3: '150' is no depth from 0 to 100 %."),
    (
        "depth.csv", SCROLLS + "0,9\n50,3\n75,4",
        "{file}, line 4: more visitors came to a greater depth: is it another column?",
    ),
    (
        "depth.csv", SCROLLS + "0,0\n50,0",
        "{file}, line 2: more than all visitors came so deep, or there were none: is it another "
        "column?",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "said"), REFUSED)
def test_a_file_that_is_refused(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, name, text)
    assert str(caught.value).replace(str(tmp_path / name), "{file}") == said


BAD_MAPS = [
    ("map: {}", "{file} has the key 'map': did you mean 'maps'?"),
    ("[]", "{file} has no lines 'name: {…}' under 'maps': add one (docs/heatmaps.md)."),
    (
        "maps: {a: {kind: click, tool: x, columns: {element: E, clicks: C}}}",
        "The kind 'click' of the map 'a' in {file} cannot be read: write clicks or scroll.",
    ),
    (
        "maps: {a: {kind: clicks, tool: x, columns: {element: E}}}\nfiles: {a: {map: a}}",
        "{file} has no column 'clicks' in the map 'a': add it under columns (docs/heatmaps.md).",
    ),
    (
        "maps: {a: {kind: scroll, tool: x, columns: {depth: E}}}\nfiles: {a: {map: a}}",
        "{file} has no column 'visitors' in the map 'a': add it under columns (docs/heatmaps.md).",
    ),
    (
        "maps: {a: {kind: clicks, tool: x, columns: {element: E, click: C}}}\nfiles: {a: {map: a}}",
        "{file} has the column 'click' in the map 'a'; did you mean 'clicks'?",
    ),
    (
        "maps: {a: {kind: clicks, tool: x, columns: {element: E, clicks: C}}}\n"
        "files: {a.csv: {map: b}}",
        "{file} names the map 'b' for the files 'a.csv', which is not there; did you mean 'a'?",
    ),
    (
        "maps: {a: {kind: clicks, tool: x, columns: {element: E, clicks: C}}}\n"
        "files: {a.csv: {map: a, page: Start}}",
        "The page 'Start' of the files 'a.csv' in {file} is no page: write such as /products/a.",
    ),
    (
        "maps: {a: {kind: clicks, tool: x, decimal: ';', columns: {element: E, clicks: C}}}",
        "The decimal ';' of the map 'a' in {file} is not known: write '.' or ','.",
    ),
]


@pytest.mark.parametrize(("text", "said"), BAD_MAPS)
def test_a_column_map_that_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        maps_of(tmp_path, text)
    assert str(caught.value).replace(str(tmp_path / "heatmap_columns.yml"), "{file}") == said
    assert caught.value.is_general


def source(folder: Path, **files: str) -> HeatmapSource:
    maps_of(folder)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    entry = Heatmaps(property="42", path=folder / "*.csv", columns=folder / "heatmap_columns.yml")
    settings = Settings.model_construct(
        home=folder / "home", properties=(Property(id="42"),), heatmaps=(entry,)
    )
    return HeatmapSource(entry, settings)


ANY_WINDOW = DayWindow(TODAY, TODAY)


def test_a_file_that_is_refused_stops_itself_alone(tmp_path: Path) -> None:
    found = source(
        tmp_path, clicks=CLICKS + "#a,,3", clicks_b=CLICKS + "#a,,x", depth=SCROLLS + "0,5"
    )
    clicks = audit(found.fetch(HEATMAP_CLICK, ANY_WINDOW))
    assert [row["clicks"] for row in clicks.rows.to_pylist()] == [3]
    assert clicks.notes == ("clicks_b.csv, line 2: 'x' is no number.",)
    assert clicks.replaces[0].to_pylist() == [
        {"tool": "hotjar", "page_path": "/products/a", "device": "all",
         "period_start": date(2026, 6, 1), "period_end": date(2026, 6, 28)}
    ]  # fmt: skip
    assert audit(found.fetch(HEATMAP_SCROLL, ANY_WINDOW)).rows["all_visitors"].to_pylist() == [5]


def test_what_a_corrected_column_map_says_of_a_file_replaces_what_it_said(tmp_path: Path) -> None:
    wrong = MAPS.replace("map: clicks, page: /cart", "map: clicks, page: /card, end: 2026-06-28")

    def stored(maps: str, **files: str) -> list[tuple[Any, ...]]:
        heatmaps = source(tmp_path, **files)
        maps_of(tmp_path, maps)
        assert fetch_all(connection, [heatmaps], ANY_WINDOW, run_id="r", clock=CLOCK) == {}
        return connection.execute(
            "select 'clicks', page_path, period_end::varchar, clicks from raw.heatmap_click "
            "union all select 'scroll', page_path, period_end::varchar, visitors "
            "from raw.heatmap_scroll order by all"
        ).fetchall()

    with build_database(tmp_path / "build.duckdb") as connection:
        ensure_source_tables(connection, (HEATMAP_CLICK, HEATMAP_SCROLL))
        assert stored(wrong, paged=CLICKS + "#a,,3", depth=SCROLLS + "0,5") == [
            ("clicks", "/card", "2026-06-28", 3),
            ("scroll", "/", "2026-06-28", 5),
        ]
        right = wrong.replace("/card", "/cart")
        assert stored(right) == [
            ("clicks", "/cart", "2026-06-28", 3),
            ("scroll", "/", "2026-06-28", 5),
        ]
        # Another download under the same name is another map, which takes nothing away.
        later = right.replace("page: /cart, end: 2026-06-28", "page: /cart, end: 2026-06-29")
        assert stored(later, paged=CLICKS + "#a,,4")[:2] == [
            ("clicks", "/cart", "2026-06-28", 3),
            ("clicks", "/cart", "2026-06-29", 4),
        ]


def test_of_two_files_of_the_same_map_none_is_read(tmp_path: Path) -> None:
    found = source(tmp_path, clicks=CLICKS + "#a,,3", clicks_2=CLICKS + "#a,,4")
    with pytest.raises(SourceError) as caught:
        found.fetch(HEATMAP_CLICK, ANY_WINDOW)
    assert str(caught.value) == (
        "clicks.csv and clicks_2.csv are of the same page, device and days, so none of them is "
        "read: remove one."
    )


def test_folders_may_have_a_pattern_and_files_of_one_name(tmp_path: Path) -> None:
    maps_of(tmp_path)
    for number, folder in enumerate(("june [1]", "july [2]")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "clicks.csv").write_text(f"{CLICKS}#a,,{number}")
    entry = Heatmaps(
        property="42", path=tmp_path / "ju*" / "*.csv", columns=tmp_path / "heatmap_columns.yml"
    )
    settings = Settings.model_construct(home=tmp_path / "home")
    assert HeatmapSource(entry, settings).problems == [
        "july [2]/clicks.csv and june [1]/clicks.csv are of the same page, device and days, so "
        "none of them is read: remove one."
    ]
    only = entry.model_copy(update={"path": tmp_path / "june [1]" / "clicks.csv"})
    assert len(HeatmapSource(only, settings).files) == 1
    shut = entry.model_copy(update={"path": tmp_path / "june [1]"})
    with pytest.raises(SourceError, match=r"june \[1\] is a folder: write its files as 'june \["):
        HeatmapSource(shut, settings).fetch(HEATMAP_CLICK, ANY_WINDOW)


def test_a_fault_of_ours_at_a_file_stops_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path, *others: Any) -> HeatmapFile:
        if path.name == "clicks_b.csv":
            raise KeyError("b")
        return read_heatmap(path, *others)

    monkeypatch.setattr("pipelines.sources.heatmaps.source.read_heatmap", broken)
    found = source(tmp_path, clicks=CLICKS + "#a,,3", clicks_b=CLICKS + "#b,,4")
    assert audit(found.fetch(HEATMAP_CLICK, ANY_WINDOW)).rows["clicks"].to_pylist() == [3]
    (problem,) = found.problems
    assert problem.startswith("What clicks_b.csv holds could not be fetched (KeyError): ")


def test_no_file_and_no_map(tmp_path: Path) -> None:
    found = source(tmp_path)
    with pytest.raises(
        SourceError, match=r"There is no file .*/\*\.csv: put a heatmap download there"
    ):
        found.fetch(HEATMAP_CLICK, ANY_WINDOW)
    (tmp_path / "heatmap_columns.yml").unlink()
    with pytest.raises(SourceError, match=r"is missing, .*'sluice doctor' prints one") as caught:
        found.fetch(HEATMAP_CLICK, ANY_WINDOW)
    assert caught.value.is_general


CELLS = st.sampled_from(["#a", "#b", "0", "7", "1,5", "1.5", "100%", "/cart", "2026-06-01", ""])


@fuzzed(20)
@given(
    name=st.sampled_from(["clicks.csv", "komma.csv", "depth.csv", "share.csv"]),
    lines=st.lists(st.lists(CELLS | TEXTS, max_size=6), max_size=6),
    separator=st.sampled_from(",;\t"),
)
def test_any_file(name: str, lines: list[list[str]], separator: str, tmp_path: Path) -> None:
    """It is read, or refused in one sentence."""
    heading = {
        "clicks.csv": ["Selector", "Text", "Clicks"],
        "komma.csv": ["URL", "Gerät", "Von", "Bis", "Element", "Klicks"],
        "depth.csv": ["Depth", "Reached"],
        "share.csv": ["Scroll depth", "% of visitors"],
    }[name]
    text = "\n".join(separator.join(cells) for cells in [heading, *lines])
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        found = read_heatmap(path, *maps_of(tmp_path).of(path), TODAY)
    except SluiceError as error:
        assert "\n" not in str(error)
    else:
        assert len(found.rows) <= len(lines)
        assert found.rows["page_path"].str.startswith("/").all()
