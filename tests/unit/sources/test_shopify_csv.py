"""CSV drops of Shopify's sessions report: every way one may be written, and what is not one."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.config.second_sources import Shopify
from pipelines.config.settings import Property, Settings
from pipelines.ingest.day_window import DayWindow
from pipelines.sources.contract import SourceError, audit
from pipelines.sources.shopify.csv_drop import join_drops, read_drop
from pipelines.sources.shopify.source import shopify_source
from pipelines.sources.shopify.tables import SHOPIFY_SESSIONS
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.fetches import ensure_source_tables, replace_fetched

HEADING = (
    "Day,Sessions,Online store visitors,Sessions with cart additions,"
    "Sessions that reached checkout,Sessions that completed checkout,Conversion rate"
)
# As its report looks; the last day has a checkout more often than a cart.
REPORT = f"""{HEADING}
2026-09-20,1210,1040,96,61,24,0.019835
2026-09-24,0,0,0,0,0,0.000000
2026-09-25,41,35,3,5,1,0.024390
"""
D20, D24, D25 = (date(2026, 9, day) for day in (20, 24, 25))
COUNTS = {
    (D20, "all"): (1210, 96, 61, 24),
    (D24, "all"): (0, 0, 0, 0),
    (D25, "all"): (41, 3, 5, 1),
}
LACKING = (
    "Day,Sessions,Sessions with cart additions,Sessions that reached checkout,Conversion rate\n"
)


def read(folder: Path, text: str | bytes) -> dict[tuple[date, str], tuple[int, ...]]:
    path = folder / "sessions.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return dict(read_drop(path).rows)


def test_a_report_is_read_however_it_is_written(tmp_path: Path) -> None:
    semicolons = REPORT.replace(",", ";").replace("1210", '"1.210"')
    for text in (
        REPORT,
        "\ufeff" + REPORT,
        REPORT.replace("\n", "\r\n"),
        REPORT.replace(",", "\t"),
        semicolons,
        "\n" + REPORT.upper(),
        REPORT.replace("1210", '"1,210"').replace("0.019835", "1.98%"),
        REPORT.replace("1210", "1210.0"),
        REPORT.replace("41,35,3,5,1,", "41.0,35,3.00,5,1,"),
        REPORT.replace("2026-09-20,", '"2026-09-20T00:00:00+02:00",'),
        REPORT + "Total,1251,1075,99,66,25,0.02\n\n",
        REPORT + ",1251,1075,99,66,25,0.02\n",
        REPORT + "2026-09-25,41,35,3,5,1,0.024390\n",
        REPORT.replace("Sessions with cart additions", "sessions_with_cart_additions"),
    ):
        assert read(tmp_path, text) == COUNTS, text


def test_a_thousand_is_no_one(tmp_path: Path) -> None:
    text = REPORT.replace(",", ";").replace("1210;1040", "12.000;1.040").replace("96", "1.000")
    assert read(tmp_path, text)[D20, "all"] == (12_000, 1_000, 61, 24)


def test_a_report_by_device_keeps_its_devices(tmp_path: Path) -> None:
    text = "Day,Device type,Sessions,Added to cart,Reached checkout,Sessions converted\n"
    rows = "2026-09-20,Desktop,100,9,5,2\n2026-09-20,Mobile,300,20,9,3\n2026-09-20,,7,0,0,0\n"
    assert read(tmp_path, text + rows) == {
        (D20, "desktop"): (100, 9, 5, 2),
        (D20, "mobile"): (300, 20, 9, 3),
        (D20, "unknown"): (7, 0, 0, 0),
    }


def test_a_share_of_the_sessions_is_a_number_of_them_and_said_so(tmp_path: Path) -> None:
    for rate in ("1.98%", "1.98 %", "0.0198", "1.98"):
        path = tmp_path / "sessions.csv"
        path.write_text(f"{LACKING}2026-09-20,1210,96,61,{rate}\n2026-09-24,0,0,0,\n")
        drop = read_drop(path)
        # 1,210 × 1.98 % = 23.96.
        assert drop.rows == {(D20, "all"): (1210, 96, 61, 24), (D24, "all"): (0, 0, 0, 0)}
        assert "rounded to whole sessions" in drop.notes[0]


WRONG = (
    ("", "is empty"),
    ("Tag,Sitzungen\n2026-09-20,4\n", "no column is the day. Its headings are 'Tag', 'Sitzungen'."),
    (HEADING.replace("Day", "Week"), "it is by week: export it by day"),
    (HEADING.replace("Online store visitors", "Sessions"), "two columns are sessions"),
    ("Day,Sessions\n2026-09-20,4\n", "no column is sessions with cart additions"),
    (f"{HEADING}\n2026-09-20,1,1\n", "line 2: 3 cells, and the heading has 7"),
    ("Sessions,Day\n4\n", "no column is sessions with cart additions"),
    (
        "Sessions,Added to cart,Reached checkout,Sessions converted,Day\n4,1\n",
        "line 2: 2 cells, and the heading has 5",
    ),
    (f"{HEADING}\n20.09.2026,9,8,1,1,1,0.1\n", "line 2: the day is '20.09.2026'"),
    (f"{HEADING}\n2026-02-30,9,8,1,1,1,0.1\n", "line 2: the day is '2026-02-30'"),
    (f"{HEADING}\n2026-09-20,many,8,1,1,1,0.1\n", "line 2: sessions is 'many', which is no count"),
    (f"{HEADING}\n2026-09-20,-4,8,1,1,1,0.1\n", "line 2: sessions is '-4', which is no count"),
    (f"{HEADING}\n2026-09-20,,8,1,1,1,0.1\n", "line 2: sessions is '', which is no count"),
    (f"{HEADING}\n2026-09-20,9,8,,1,1,0.1\n", "additions is '', which is no number"),
    (f"{HEADING}\n2026-09-20,9,8,12,1,1,0.1\n", "line 2: a step has 12 of 9 sessions"),
    (f"{LACKING}2026-09-20,100,5,4,45%\n", "would be 45% of the sessions"),
    (f"{LACKING}2026-09-20,100,5,4,\n", "completed checkout is '', which is no number"),
    (
        f"{HEADING},UTM campaign\n2026-09-20,9,8,1,1,1,0.1,a\n2026-09-20,7,8,1,1,1,0.1,b\n",
        "line 3: 2026-09-20 is there twice with other numbers",
    ),
    (f'{HEADING}\n"2026-09-20,9,8,1,1,1,0.1\n', "line 2: a quote opens and never closes."),
    (b"\xff\xfeD\x00a\x00y\x00", "save it as CSV in UTF-8"),
    (f"{HEADING}\n2026-09-20,9,8,1,1,1,{'1' * 200_000}\n", "line 2: it cannot be read (field"),
)


def test_what_cannot_be_read_for_certain_is_refused(tmp_path: Path) -> None:
    for text, words in WRONG:
        with pytest.raises(SourceError) as caught:
            read(tmp_path, text)
        assert words in str(caught.value), text


@given(st.text(alphabet='Day,Sesion;\t"\n0123456789.%- \ufeff', max_size=200))
def test_no_text_is_more_than_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text(HEADING + "\n" + text, encoding="utf-8")
    try:
        rows = read_drop(path).rows
    except SourceError:
        return
    assert all(max(counts) == counts[0] for counts in rows.values())


def test_files_together_are_days_of_a_shop(tmp_path: Path) -> None:
    """The later file counts; devices alone are added up; the day of the file is not over."""
    written = datetime(2026, 9, 25, 10, 0, tzinfo=UTC)
    for name, text, hours in (
        ("a.csv", REPORT, 0),
        ("b.csv", f"{HEADING}\n2026-09-20,1300,1040,96,61,24,0.02\n", 1),
        (
            "c.csv",
            "Day,Device type,Sessions,Added to cart,Reached checkout,Sessions converted\n"
            "2026-09-23,Desktop,100,9,5,2\n2026-09-23,Mobile,300,20,9,3\n",
            2,
        ),
    ):
        (tmp_path / name).write_text(text)
        moment = (written + timedelta(hours=hours)).timestamp()
        os.utime(tmp_path / name, (moment, moment))
    settings = Settings(
        home=tmp_path / "home",
        properties=(Property(id="42", time_zone="Europe/Berlin"),),
        shopify=(Shopify(shop="a.myshopify.com", property="42", csv=tmp_path / "*.csv"),),
    )
    source = shopify_source(settings.shopify[0], settings)
    window = DayWindow(date(2026, 9, 1), date(2026, 9, 30))
    fetched = audit(source.fetch(SHOPIFY_SESSIONS, window))
    found = {
        (row["date"], row["device"]): (row["sessions"], row["is_complete"])
        for row in fetched.rows.to_pylist()
    }
    assert found == {
        (D20, "all"): (1300, True),
        (date(2026, 9, 23), "desktop"): (100, True),
        (date(2026, 9, 23), "mobile"): (300, True),
        (date(2026, 9, 23), "all"): (400, True),
        (D24, "all"): (0, True),
        (D25, "all"): (41, False),
    }
    assert set(fetched.rows["bot_filter"].to_pylist()) == {"as_reported"}
    assert fetched.replaces[0]["date"].to_pylist() == [D20, date(2026, 9, 23), D24, D25]

    nothing = source.fetch(SHOPIFY_SESSIONS, DayWindow(date(2025, 1, 1), date(2025, 1, 2)))
    assert audit(nothing).rows.num_rows == 0
    for path in tmp_path.glob("*.csv"):
        path.unlink()
    with pytest.raises(SourceError, match="No file that matches"):
        source.fetch(SHOPIFY_SESSIONS, window)
    # What is said is published, too, where nobody needs to know the folder.
    (tmp_path / "d.csv").write_text("Tag\n1\n")
    with pytest.raises(SourceError, match=r"^d\.csv is no report that can be read"):
        source.fetch(SHOPIFY_SESSIONS, window)
    folder = settings.shopify[0].model_copy(update={"csv": tmp_path})
    with pytest.raises(SourceError, match=r"is a folder: write its files as '.*/\*\.csv'"):
        shopify_source(folder, settings).fetch(SHOPIFY_SESSIONS, window)


NIGHT = datetime(2026, 9, 21, 4, tzinfo=UTC)
BY_DEVICE = "Day,Device type,Sessions,Added to cart,Reached checkout,Sessions converted\n"
BY_DAY = BY_DEVICE.replace("Device type,", "")
HALF, WHOLE = f"{BY_DAY}2026-09-20,250,20,9,4\n", f"{BY_DAY}2026-09-20,400,30,15,5\n"
DEVICES = f"{BY_DEVICE}2026-09-20,Desktop,100,9,5,2\n2026-09-20,Mobile,300,20,9,3\n"


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        # Nobody's half a day beside whole devices, and the other way round.
        ((HALF, DEVICES), {"desktop": 100, "mobile": 300, "all": 400}),
        ((DEVICES, HALF), {"all": 250}),
        ((WHOLE, DEVICES), {"desktop": 100, "mobile": 300, "all": 400}),
        ((DEVICES, WHOLE), {"desktop": 100, "mobile": 300, "all": 400}),
    ],
)
def test_of_files_that_disagree_the_later_counts(
    tmp_path: Path, texts: tuple[str, ...], told: dict[str, int]
) -> None:
    drops = []
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.csv"
        path.write_text(text)
        drops.append(read_drop(path))
    found = join_drops(drops, lambda path, _: path.name == "1.csv")
    assert {device: counts[0] for (_, device), (counts, _) in found.items()} == told
    assert all(is_over for _, is_over in found.values())


def test_half_a_day_of_an_older_file_replaces_no_whole_one(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path / "home",
        properties=(Property(id="42", time_zone="Europe/Berlin"),),
        shopify=(Shopify(shop="a.myshopify.com", property="42", csv=tmp_path / "a.csv"),),
    )
    window, told = DayWindow(date(2026, 9, 1), date(2026, 9, 30)), []
    with build_database(settings.build_db) as connection:
        ensure_source_tables(connection, (SHOPIFY_SESSIONS,))
        for text, hours in ((HALF, 12), (WHOLE, 25), (HALF, 12)):
            (tmp_path / "a.csv").write_text(text)
            moment = (datetime(2026, 9, 20, tzinfo=UTC) + timedelta(hours=hours)).timestamp()
            os.utime(tmp_path / "a.csv", (moment, moment))
            source = shopify_source(settings.shopify[0], settings)
            fetched = audit(source.fetch(SHOPIFY_SESSIONS, window))
            replace_fetched(connection, source, fetched, window, run_id="r", now=NIGHT)
            told.append(
                connection.execute(
                    "select sessions, is_complete from raw.shopify_sessions"
                ).fetchall()
            )
    assert told == [[(250, False)], [(400, True)], [(400, True)]]
