"""Clarity by the real client, against its emulator: what is taken, counted, and never kept."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from pipelines.clock import pin_clock
from pipelines.config.second_sources import Clarity
from pipelines.config.settings import Property, Settings
from pipelines.emulator.clarity import ClarityEmulator, serve_clarity
from pipelines.errors import SluiceError
from pipelines.ingest.day_window import DayWindow
from pipelines.monitoring.doctor.clarity_steps import clarity_steps
from pipelines.monitoring.doctor.step_model import Mark, Step
from pipelines.sources.clarity.answer import read_answer
from pipelines.sources.clarity.source import ClaritySource, days_since
from pipelines.sources.clarity.tables import CLARITY_PAGE, CLARITY_TABLES
from pipelines.sources.contract import SourceError, audit
from pipelines.sources.night import fetch_all
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.fetches import ensure_source_tables
from pipelines.warehouse.source_calls import CallLedger
from tests.support.clarity_shop import MORNING, write_shop
from tests.support.hand_clock import HandClock
from tests.unit.config.test_fuzzed_files import TEXTS, fuzzed

WINDOW = DayWindow(date(2026, 6, 30), date(2026, 6, 30))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClarityEmulator]:
    with serve_clarity(
        write_shop(tmp_path_factory.mktemp("shop")), now=lambda: MORNING
    ) as emulator:
        yield emulator


class Home:
    """A home whose clock shows what the test says, and its nights."""

    def __init__(self, folder: Path, server: ClarityEmulator) -> None:
        self.folder, self.server, self.now = folder, server, MORNING
        server._days.clear()
        server.requests.clear()
        server.set_faults([])

    def settings(self) -> Settings:
        pin_clock(self.folder, self.now, ["42"])
        entry = Clarity(
            property="42", token=SecretStr(self.server.token), endpoint=self.server.endpoint
        )
        return Settings.model_construct(
            home=self.folder, properties=(Property(id="42"),), clarity=(entry,)
        )

    def night(self, token: str | None = None) -> str:
        """What went wrong in a night, or nothing."""
        settings = self.settings()
        entry = settings.clarity[0]
        if token is not None:
            entry = entry.model_copy(update={"token": SecretStr(token)})
        with build_database(settings.build_db) as connection:
            ensure_source_tables(connection, CLARITY_TABLES)
            source = ClaritySource(entry, settings, HandClock())
            problems = fetch_all(connection, [source], WINDOW, run_id="r", clock=settings.clock)
        return problems.get(CLARITY_PAGE.name, "")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.folder / "build.duckdb")) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()


@pytest.fixture
def home(tmp_path: Path, served: ClarityEmulator) -> Home:
    return Home(tmp_path / "home", served)


def test_a_page_is_its_path_with_all_its_addresses_together(home: Home) -> None:
    """The first night: 72 hours. A day of the payment: 120 sessions on phones, 80 on computers.
    Dead clicks in 6 %: 7 (7.2), and with what is left over 5 (4.8 + 0.2). Rage clicks in 1 %: 1
    and 1; on phones on the day of the leak in 30 %: 36, and nothing is left over for the others.
    """
    assert home.night() == ""
    found = home.rows(
        "select device, signal, window_hours, sessions, sessions_with_signal, occurrences "
        "from raw.clarity_page where page_path = '/checkout/payment' "
        "and signal in ('rage_click', 'dead_click') order by all"
    )
    assert found == [
        ("desktop", "dead_click", 72, 240, 15, 30),
        ("desktop", "rage_click", 72, 240, 2, 4),
        ("mobile", "dead_click", 72, 360, 21, 42),
        ("mobile", "rage_click", 72, 360, 38, 76),
    ]
    traffic = home.rows(
        "select page_path, device, sessions, bot_sessions, round(scroll_depth, 6), is_complete "
        "from raw.clarity_page where signal = 'traffic' order by all"
    )
    assert traffic == [
        ("(all)", "all", 3000, 300, 41.5, True),
        ("/checkout/payment", "desktop", 240, 23, 41.5, True),
        ("/checkout/payment", "mobile", 360, 35, 41.5, True),
        ("/products/a", "desktop", 600, 60, 41.5, True),
        ("/products/a", "mobile", 900, 90, 41.5, True),
    ]
    assert home.server.requests == [
        {"numOfDays": "3"},
        {"numOfDays": "3", "dimension1": "URL", "dimension2": "Device"},
    ]


@pytest.mark.parametrize(
    ("hours", "days"),
    [(None, 3), (20, 1), (24, 1), (30, 1), (30.1, 2), (54, 2), (55, 3), (72, 3), (500, 3)],
)
def test_a_missed_night_asks_for_more_hours(hours: float | None, days: int) -> None:
    assert days_since(hours) == days


def test_a_night_later_a_snapshot_of_its_own_and_on_the_same_day_none(home: Home) -> None:
    assert home.night() == ""
    home.now += timedelta(hours=19)
    assert home.night() == ""
    assert len(home.server.requests) == 2
    home.now = MORNING + timedelta(days=1, minutes=20)
    assert home.night() == ""
    home.now += timedelta(days=5)
    assert home.night() == ""
    assert home.rows(
        "select distinct window_end::varchar, window_hours from raw.clarity_page order by all"
    ) == [
        ("2026-07-01 03:30:00+00", 72),
        ("2026-07-02 03:50:00+00", 24),
        ("2026-07-07 03:50:00+00", 72),
    ]
    messages = home.rows("select message from ops.fetches order by fetched_at")
    assert messages == [
        ("",),
        ("The snapshot of 2026-07-01 03:30 UTC is of the same day: no call is made.",),
        ("",),
        ("48 hours before it cannot be had any more.",),
    ]


def test_ten_calls_a_day_whatever_is_tried(home: Home) -> None:
    """Each try of a server that fails is a call; another process counts on, and so does a day
    later by the hours.
    """
    home.server.set_faults([{"do": {"status": 500}}])
    for _ in range(3):
        assert "it answered 500" in home.night()
        home.now += timedelta(hours=1)
    assert home.night() == (
        "Clarity answers 10 calls a day, and all of the last 24 hours are used: the next night "
        "calls again."
    )
    assert len(home.server.requests) == 10
    home.now = MORNING + timedelta(hours=23, minutes=59)
    assert "10 calls a day" in home.night()
    assert len(home.server.requests) == 10
    home.server.set_faults([])
    home.server._days.clear()
    home.now = MORNING + timedelta(hours=24, minutes=1)
    assert home.night() == ""


def test_a_call_counts_before_it_is_made(home: Home) -> None:
    """A run that is killed while it waits for an answer has made the call."""
    settings = home.settings()
    seen: list[int] = []
    home.server.set_faults([{"do": {"disconnect": True}}])
    ledger = CallLedger(settings.build_db, "clarity", "42", settings.clock.now)
    respond = home.server.respond

    def watched(*asked: Any) -> Any:
        seen.append(ledger.used())
        return respond(*asked)

    home.server.respond = watched  # type: ignore[method-assign]
    try:
        assert "did not answer" in home.night()
    finally:
        home.server.respond = respond  # type: ignore[method-assign]
    assert seen == [1, 2, 3]


SPELLED = [
    {"lower_keys": True},
    {"spaced_names": True},
    {"set_values": {"sessionsCount": 5, "subTotal": 3}},
    {"drop_metrics": ["ScrollDepth", "ErrorClickCount"]},
]


@pytest.mark.parametrize("do", SPELLED)
def test_other_spellings(home: Home, do: dict[str, Any]) -> None:
    home.server.set_faults([{"do": do}])
    assert home.night() == ""
    assert len(home.rows("select distinct page_path from raw.clarity_page")) == 3


REFUSED = [
    (
        {"body": ""},
        "Clarity's answer cannot be used (it was empty, as for a dimension that there is not): "
        "what was fetched before stays; the next night calls again.",
    ),
    ({"body": "<html>"}, "Clarity's answer cannot be used (it is no JSON): "),
    ({"body": "{}"}, "Clarity's answer cannot be used (it is no list of metrics): "),
    (
        {"body": '[{"metricName": "Traffic", "information": {}}]'},
        "Clarity's answer cannot be used (a metric has no name or no list of rows): ",
    ),
    (
        {"set_values": {"subTotal": "many"}},
        "Clarity's answer cannot be used (subtotal of deadclickcount is no number): ",
    ),
    (
        {"set_values": {"totalSessionCount": None}},
        "Clarity's answer cannot be used (totalsessioncount of traffic is missing): ",
    ),
    (
        {"set_values": {"sessionsCount": "1.5"}},
        "Clarity's answer cannot be used (sessionscount of deadclickcount is no whole number): ",
    ),
    (
        {"set_values": {"sessionsWithMetricPercentage": 101}},
        "Clarity's answer cannot be used (sessionswithmetricpercentage of deadclickcount is above "
        "100): ",
    ),
    (
        {"set_values": {"averageScrollDepth": 101}},
        "Clarity's answer cannot be used (averagescrolldepth of scrolldepth is above 100): ",
    ),
    ({"no_rows": True}, "Clarity has no visit of these hours: see in Clarity that its tag"),
    ({"status": 401}, "Clarity refused the token (401): make a new one in the project's Settings"),
    ({"status": 403}, "Clarity refused the token (403): make a new one in the project's Settings"),
    ({"status": 429}, "Clarity has answered its ten calls of the day (429): the next night calls"),
    ({"status": 400}, "Clarity refused the call (400): check the endpoint, then run the same"),
    ({"status": 302}, "Clarity refused the call (302): check the endpoint, then run the same"),
]


@pytest.mark.parametrize(("do", "said"), REFUSED)
def test_what_is_refused_leaves_what_is_stored(home: Home, do: dict[str, Any], said: str) -> None:
    assert home.night() == ""
    before = home.rows("from raw.clarity_page order by all")
    home.now += timedelta(days=1)
    home.server._days.clear()
    home.server.set_faults([{"do": do}])
    assert home.night().startswith(said)
    assert home.rows("from raw.clarity_page order by all") == before


def test_neither_the_token_nor_a_query_is_kept(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a file of the home, a log or an error; also where the server repeats the token."""
    caplog.set_level(logging.DEBUG)
    token = home.server.token
    assert home.night() == ""
    home.now += timedelta(days=1)
    home.server.set_faults([{"do": {"status": 400, "body": f"no {token}"}}])
    said = [home.night(), home.night(token="$NO_SUCH"), home.night(token=f"{token} {token}")]
    assert all(said)
    kept = b"".join(one.read_bytes() for one in home.folder.rglob("*") if one.is_file())
    texts = " ".join([*said, caplog.text]).encode() + kept
    for secret in (token, "jane", "utm_source", "fbclid"):
        assert secret.encode() not in texts
    assert b"/checkout/payment" in kept


def test_a_thousand_rows_may_not_be_all() -> None:
    row = {
        "totalSessionCount": "1", "totalBotSessionCount": "0", "Device": "PC",
    }  # fmt: skip
    rows = [{**row, "Url": f"https://shop.example/{number}"} for number in range(1000)]
    answered = read_answer(
        json.dumps([{"metricName": "Traffic", "information": rows}]).encode(), by_page=True
    )
    assert (len(answered.rows), answered.is_complete) == (1000, False)
    rows[0]["Url"] = "about:blank"
    answered = read_answer(
        json.dumps([{"metricName": "Traffic", "information": rows[:999]}]).encode(), by_page=True
    )
    assert (len(answered.rows), answered.is_complete, answered.without_page) == (998, True, 1)


def test_recorded_shapes_are_read() -> None:
    """Keys and types as in recorded answers, numbers of our own."""
    body = json.dumps(
        [
            {
                "metricName": "RageClickCount",
                "information": [
                    {
                        "sessionsCount": "410", "sessionsWithMetricPercentage": 0.73,
                        "sessionsWithoutMetricPercentage": 99.27, "pagesViews": "3",
                        "subTotal": "4",
                    }
                ],
            },
            {"metricName": "Quickback Click", "information": []},
            {"metricName": "Browser", "information": [{"name": None, "sessionsCount": "250"}]},
            {
                "metricName": "Traffic",
                "information": [
                    {
                        "totalSessionCount": "410", "totalBotSessionCount": "57",
                        "distantUserCount": "189733", "PagesPerSessionPercentage": 2.41,
                    }
                ],
            },
        ]
    ).encode()  # fmt: skip
    rows = read_answer(body, by_page=False).rows
    told = [(row["signal"], row["sessions"], row["sessions_with_signal"]) for row in rows]
    assert told == [("rage_click", 410, 3), ("traffic", 410, None)]
    with pytest.raises(SourceError, match="a key is there in two spellings"):
        read_answer(body.replace(b'"subTotal"', b'"PagesViews": 1, "subTotal"'), by_page=False)


def test_the_rows_hold_together(home: Home) -> None:
    settings = home.settings()
    with build_database(settings.build_db) as connection:
        ensure_source_tables(connection, CLARITY_TABLES)
    fetched = ClaritySource(settings.clarity[0], settings, HandClock()).fetch(CLARITY_PAGE, WINDOW)
    assert audit(fetched).replaces[0].to_pylist() == [{"window_end": MORNING.astimezone(UTC)}]
    assert isinstance(fetched.rows["window_end"][0].as_py(), datetime)
    assert fetched.requests == 2


def test_what_the_doctor_says_without_a_call(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def step() -> Step:
        settings = home.settings()
        (found,) = clarity_steps(settings, "42", settings.clock.now())
        return found

    assert clarity_steps(home.settings(), "43", MORNING) == ()
    assert (step().mark, step().message[:23]) == (Mark.NOT_CHECKED, "The next night takes th")
    assert home.night() == ""
    assert step().message == "snapshot of 2026-07-01 03:30 UTC, 2 of 10 calls in 24 hours"
    home.now += timedelta(hours=80)
    assert step().message == (
        "The newest snapshot of 2026-07-01 03:30 UTC, 0 of 10 calls in 24 hours: 8 hours are lost "
        "by now; see that 'sluice nightly' runs every night."
    )
    home.server.set_faults([{"do": {"status": 401}}])
    said = home.night()
    assert (step().mark, step().message) == (Mark.WRONG, said)
    assert len(home.server.requests) == 3
    monkeypatch.setattr(home.server, "token", "$NO_SUCH_VARIABLE")
    assert "NO_SUCH_VARIABLE" in step().message


def test_a_clock_that_was_ahead_stops_no_later_night(home: Home) -> None:
    home.now += timedelta(days=3650)
    home.server.set_faults([{"calls": {"first": 9}, "do": {"status": 500}}])
    for _ in range(3):
        assert home.night() != ""
    assert (
        home.night() == "Clarity answers 10 calls a day, and all of the last 24 hours are used: "
        "the next night calls again."
    )
    home.now = MORNING
    home.server._days.clear()
    home.server.set_faults([])
    assert home.night() == ""


def test_a_snapshot_of_a_clock_that_was_ahead_does_not_stay_the_newest(home: Home) -> None:
    assert home.night() == ""
    home.now += timedelta(days=3650)
    home.server._days.clear()
    assert home.night() == ""
    home.now = MORNING + timedelta(days=1)
    home.server._days.clear()
    assert home.night() == ""
    ends = home.rows("select distinct window_end, window_hours from raw.clarity_page order by all")
    assert ends == [(MORNING, 72), (MORNING + timedelta(days=1), 24)]
    (said,) = home.rows("select arg_max(message, rowid) from ops.fetches")
    assert "not come yet are taken out." in said[0]


def test_a_device_without_a_name_is_not_all_devices() -> None:
    seen = {"totalSessionCount": "10", "totalBotSessionCount": "0", "Url": "https://a.example/x"}
    rows = [{**seen, "Device": name} for name in ("", "\ud800", "PC")]
    rows.append({**seen, "Url": ["https://a.example/x"], "Device": "PC"})
    body = json.dumps([{"metricName": "Traffic", "information": rows}]).encode()
    told = [(one["device"], one["sessions"]) for one in read_answer(body, by_page=True).rows]
    assert told == [("desktop", 10), ("unknown", 20)]


KEYS = st.sampled_from(
    ["metricName", "information", "MetricName", "sessionsCount", "subTotal", "pagesViews",
     "sessionsWithMetricPercentage", "totalSessionCount", "totalBotSessionCount", "Url", "Device",
     "averageScrollDepth"]
)  # fmt: skip
VALUES = st.sampled_from(
    ["Traffic", "RageClickCount", "Scroll Depth", "7", "1e3", "-1", "nan", "https://a.example/x?y",
     "Mobile", "9" * 400]
)  # fmt: skip
ATOMS = VALUES | TEXTS | st.none() | st.booleans() | st.integers() | st.floats()
CELLS = ATOMS | st.lists(ATOMS, max_size=1)
ROWS = st.lists(st.dictionaries(KEYS | TEXTS, CELLS, max_size=8), max_size=3)
METRICS = st.fixed_dictionaries({"metricName": VALUES, "information": ROWS | ATOMS})
ANSWERS = st.lists(METRICS | st.dictionaries(KEYS, ATOMS | ROWS, max_size=3), max_size=4) | ATOMS


@fuzzed(20)
@given(content=ANSWERS, by_page=st.booleans())
def test_any_answer(content: Any, by_page: bool) -> None:
    """It is read, or refused in one sentence that repeats nothing of it."""
    try:
        found = read_answer(json.dumps(content).encode(), by_page=by_page)
    except SluiceError as error:
        assert "\n" not in str(error)
        assert "example" not in str(error)
    else:
        assert all("?" not in row["page_path"] for row in found.rows)
