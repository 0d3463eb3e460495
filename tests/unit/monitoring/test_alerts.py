"""Alerts over a real connection: what is sent, once, in which order, and what is never shown."""

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines import __version__
from pipelines.clock import pin_clock
from pipelines.config.settings import Alerts, Property, Settings, load_settings
from pipelines.errors import ConfigError
from pipelines.monitoring.alerts import tell
from pipelines.warehouse.connect import build_database, kept_open
from pipelines.warehouse.ops import insert_rows
from pipelines.warehouse.property_records import remember_held_back
from pipelines.warehouse.runs import start_run
from pipelines.warehouse.statuses import RunStatus
from tests.support.hand_clock import MORNING
from tests.support.webhook_server import PATH, WebhookServer

NIGHT = date(2026, 6, 30)
NO_WAITS = (0.0, 0.0)
ANOMALIES = """
    create or replace table marts.fct_anomaly (
        property_id varchar, date date, segment_name varchar, segment_value varchar,
        metric varchar, alert_class varchar, observed double, expected double, lower double,
        upper double, p_value double, q_value double, relative_change double, is_news boolean,
        message varchar, window_days integer
    )
"""
ROW = "insert into marts.fct_anomaly values (?, ?, 'device', 'mobile', ?, ?, 0.02, 0.06, 0.05, "
ROW += "0.07, 0.001, ?, ?, ?, ?, 3)"
FINDINGS = """
    create or replace table marts.fct_finding as
    select '1' as property_id, 'a1b2c3d4' as finding_id, 1 as finding_rank,
        '{state}' as state, 'Worth about 12,304 EUR in these 28 days.' as worth_sentence,
        'Mobile lacks 130 sessions.' as surplus_sentence,
        'Purchased after Checkout started, mobile: 7.0 % of 302 sessions since 8 November 2026, '
        '58.0 % before.' as headline
"""


@pytest.fixture
def home(alerted: WebhookServer, tmp_path: Path) -> Iterator[Settings]:
    """After a night; its build database stays open, as a run keeps it."""
    settings = Settings(
        home=tmp_path / "home",
        properties=(Property(id="1"), Property(id="2")),
        alerts=Alerts(webhook=alerted.address),
    )
    pin_clock(settings.home, MORNING, ["1", "2"])
    with kept_open(settings.build_db), build_database(settings.build_db) as connection:
        connection.execute("create schema marts")
        begin(settings, "run1")
        yield settings


def begin(
    settings: Settings,
    run_id: str,
    night: date = NIGHT,
    *,
    command: str = "nightly",
    ends: bool = True,
) -> None:
    """A run begins, an hour after the one before, which has ended unless it never `ends`."""
    with build_database(settings.build_db) as connection:
        if ends:
            connection.execute("update ops.runs set status = 'published'")
        (runs,) = connection.execute("select count(*) from ops.runs").fetchone() or (0,)
        began = MORNING + timedelta(hours=runs)
        start_run(connection, run_id, command, night, night, "0", began)


def find(settings: Settings, *rows: tuple[Any, ...]) -> None:
    """Rows of fct_anomaly: property, date, metric, class, q, change, is_news, message."""
    with build_database(settings.build_db) as connection:
        connection.execute(ANOMALIES)
        for row in rows:
            connection.execute(ROW, list(row))


def query(settings: Settings, text: str) -> list[tuple]:
    with build_database(settings.build_db, read_only=True) as connection:
        return connection.execute(text).fetchall()


def anomaly(metric: str, kind: str, day: int = 27, **other: Any) -> tuple[Any, ...]:
    row = {
        "q": 0.01, "change": -0.6667, "is_news": True, "message": f"{metric} fell.",
        "property_id": "1", **other,
    }  # fmt: skip
    return (
        row["property_id"], date(2026, 6, day), metric, kind, row["q"], row["change"],
        row["is_news"], row["message"],
    )  # fmt: skip


def test_the_whole_message(home: Settings, alerted: WebhookServer) -> None:
    find(
        home,
        anomaly("add_to_cart", "behaviour"),
        anomaly("purchase", "tracking_lost", q=float("nan")),
    )
    tell(home, "run1", RunStatus.PUBLISHED, "", NO_WAITS)
    common = {
        "night": "2026-06-30", "property_id": "1", "date": "2026-06-27",
        "segment_name": "device", "segment_value": "mobile", "observed": 0.02, "expected": 0.06,
        "lower": 0.05, "upper": 0.07, "p_value": 0.001, "relative_change": -0.6667,
        "report": None, "window_days": 3, "finding_id": None,
    }  # fmt: skip
    assert alerted.messages == [
        {
            "source": "sluice",
            "version": __version__,
            "night": "2026-06-30",
            "run_id": "run1",
            "status": "published",
            "text": "Sluice, night of 2026-06-30: purchase fell. (and 1 more)",
            "alerts": [
                {
                    **common, "alert_class": "tracking_lost", "metric": "purchase",
                    "q_value": None, "message": "purchase fell.",
                },
                {
                    **common, "alert_class": "behaviour", "metric": "add_to_cart",
                    "q_value": 0.01, "message": "add_to_cart fell.",
                },
            ],
        }
    ]  # fmt: skip


def test_tracking_lost_comes_first_and_the_smallest_q_within(
    home: Settings, alerted: WebhookServer
) -> None:
    find(
        home,
        anomaly("a", "behaviour", q=0.04),
        anomaly("b", "data_quality"),
        anomaly("c", "behaviour", q=0.001),
        anomaly("d", "tracking_lost"),
    )
    tell(home, "run1", RunStatus.PUBLISHED, "", NO_WAITS)
    assert [one["metric"] for one in alerted.messages[0]["alerts"]] == ["d", "b", "c", "a"]


@pytest.mark.parametrize("rows", [None, [], [anomaly("a", "behaviour", is_news=False)]])
def test_nothing_to_tell_is_no_message(
    home: Settings, alerted: WebhookServer, rows: list[Any] | None
) -> None:
    if rows is not None:
        find(home, *rows)
    tell(home, "run1", RunStatus.PUBLISHED, "version x", NO_WAITS)
    assert alerted.asked == 0
    assert query(home, "select * from ops.alerts") == []


def test_what_was_judged_long_ago_is_not_told(home: Settings, alerted: WebhookServer) -> None:
    # The newest judged day of the property is the 27th: the 21st is within seven days of it.
    find(
        home,
        anomaly("newest", "behaviour", day=27, is_news=False),
        anomaly("recent", "behaviour", day=21),
        anomaly("old", "behaviour", day=20),
    )
    tell(home, "run1", RunStatus.PUBLISHED, "", NO_WAITS)
    assert [one["metric"] for one in alerted.messages[0]["alerts"]] == ["recent"]


def test_a_second_run_tells_only_what_is_new(home: Settings, alerted: WebhookServer) -> None:
    find(home, anomaly("a", "behaviour"))
    tell(home, "run1", RunStatus.PUBLISHED, "", NO_WAITS)
    begin(home, "run2")
    tell(home, "run2", RunStatus.PUBLISHED, "", NO_WAITS)
    assert len(alerted.messages) == 1
    find(home, anomaly("a", "behaviour", q=0.02), anomaly("b", "behaviour"))
    begin(home, "run3")
    tell(home, "run3", RunStatus.PUBLISHED, "", NO_WAITS)
    assert [one["metric"] for one in alerted.messages[1]["alerts"]] == ["b"]


@pytest.mark.parametrize("first", [[], [500, 500, 500]])
def test_a_rate_that_was_told_of_this_week_is_no_news(
    home: Settings, alerted: WebhookServer, first: list[int]
) -> None:
    # With later days known, the same fall may begin a day earlier or end a day later; what did not
    # arrive counts as told, for it goes out with the next message.
    find(home, anomaly("a", "behaviour", day=20))
    alerted.answers = first
    tell(home, "run1", RunStatus.PUBLISHED, "", NO_WAITS)
    find(
        home,
        anomaly("a", "behaviour", day=19),
        anomaly("a", "behaviour", day=24, message="a rose.", change=0.5),
        anomaly("a", "tracking_lost", day=24, message="a is lost."),
        anomaly("a", "behaviour", day=24, property_id="2", message="a of 2 fell."),
    )
    begin(home, "run2")
    tell(home, "run2", RunStatus.PUBLISHED, "", NO_WAITS)
    find(home, anomaly("a", "behaviour", day=26), anomaly("a", "behaviour", day=27))
    begin(home, "run3")
    tell(home, "run3", RunStatus.PUBLISHED, "", NO_WAITS)
    told = [(one["date"], one["message"]) for sent in alerted.messages for one in sent["alerts"]]
    assert sorted(told) == [
        ("2026-06-20", "a fell."),
        ("2026-06-24", "a is lost."),
        ("2026-06-24", "a of 2 fell."),
        ("2026-06-24", "a rose."),
        ("2026-06-27", "a fell."),
    ]


def find_finding(settings: Settings, state: str) -> None:
    with build_database(settings.build_db) as connection:
        connection.execute(FINDINGS.format(state=state))


def test_a_finding_is_told_once_a_state(home: Settings, alerted: WebhookServer) -> None:
    for night, state in enumerate(["new", "new", "ongoing", "worse", "improving", "healed"]):
        begin(home, f"run{night}")
        find_finding(home, state)
        tell(home, f"run{night}", RunStatus.PUBLISHED, "", NO_WAITS)
    told = [one for sent in alerted.messages for one in sent["alerts"]]
    assert [one["alert_class"] for one in told] == [
        "finding_new", "finding_worse", "finding_healed",
    ]  # fmt: skip
    assert {(one["finding_id"], one["property_id"]) for one in told} == {("a1b2c3d4", "1")}
    assert told[0]["message"] == (
        "Finding (new): Purchased after Checkout started, mobile: 7.0 % of 302 sessions since "
        "8 November 2026, 58.0 % before. Worth about 12,304 EUR in these 28 days. "
        "Mobile lacks 130 sessions."
    )
    assert told[2]["message"].endswith("58.0 % before.")


def test_findings_come_before_unusual_days_and_what_healed_last(
    home: Settings, alerted: WebhookServer
) -> None:
    find(home, anomaly("a", "behaviour"), anomaly("b", "data_quality"))
    find_finding(home, "new")
    with build_database(home.build_db) as connection:
        connection.execute(
            "insert into marts.fct_finding by name "
            "(select * replace ('e5' as finding_id, 'healed' as state) from marts.fct_finding "
            "union all by name "
            "select * replace ('f6' as finding_id, '2' as property_id) from marts.fct_finding)"
        )
        remember_held_back(connection, "run1", "2", "marts", "No rates.", now=MORNING)
    tell(home, "run1", RunStatus.PARTLY_PUBLISHED, "", NO_WAITS)
    told = [(one["alert_class"], one["finding_id"]) for one in alerted.messages[0]["alerts"]]
    # Property 2 was held back: its marts are those of an earlier night.
    assert told == [
        ("gate_failed", None), ("data_quality", None), ("finding_new", "a1b2c3d4"),
        ("behaviour", None), ("finding_healed", "e5"),
    ]  # fmt: skip


@pytest.mark.parametrize("passing", [500, 503, 429])
def test_it_is_tried_again(home: Settings, alerted: WebhookServer, passing: int) -> None:
    find(home, anomaly("a", "behaviour"))
    alerted.answers = [passing, passing]
    tell(home, "run1", RunStatus.PUBLISHED, "", NO_WAITS)
    assert (alerted.asked, len(alerted.messages)) == (3, 1)
    assert query(home, "select status, reason from ops.alerts") == [("sent", None)]


@pytest.mark.parametrize("final", [400, 404, 302])
def test_it_is_not_tried_again_in_vain(
    home: Settings, alerted: WebhookServer, final: int, caplog: pytest.LogCaptureFixture
) -> None:
    find(home, anomaly("a", "behaviour"))
    alerted.answers = [final]
    tell(home, "run1", RunStatus.PUBLISHED, "", NO_WAITS)
    assert (alerted.asked, alerted.messages) == (1, [])
    assert query(home, "select status, reason from ops.alerts") == [
        ("undelivered", f"it answered {final}")
    ]
    assert caplog.messages == [
        f"The alert webhook did not take the message (it answered {final}): it goes out with the "
        "next one."
    ]


def test_what_did_not_arrive_goes_out_with_the_next_message(
    home: Settings, alerted: WebhookServer
) -> None:
    find(home, anomaly("a", "behaviour"))
    alerted.answers = [500, 500, 500]
    tell(home, "run1", RunStatus.PUBLISHED, "", NO_WAITS)
    assert alerted.messages == []
    begin(home, "run2", date(2026, 7, 1))
    find(home, anomaly("b", "tracking_lost", day=28))
    tell(home, "run2", RunStatus.PUBLISHED, "", NO_WAITS)
    assert [(one["metric"], one["night"]) for one in alerted.messages[0]["alerts"]] == [
        ("b", "2026-07-01"),
        ("a", "2026-06-30"),
    ]
    assert query(home, "select distinct status from ops.alerts") == [("sent",)]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (RunStatus.FAILED, "run_failed"),
        (RunStatus.OUTDATED, "run_failed"),
        (RunStatus.HELD_BACK, "gate_failed"),
        (RunStatus.PAUSED, "quota_paused"),
    ],
)
def test_a_run_that_ended_badly(
    home: Settings, alerted: WebhookServer, status: RunStatus, kind: str
) -> None:
    # What was found by a run that was held back may be wrong: it is not told.
    find(home, anomaly("a", "behaviour"))
    for run_id in ("run1", "run2"):
        begin(home, run_id)
        tell(home, run_id, status, "The tokens are used up.", NO_WAITS)
    (message,) = alerted.messages
    assert message["status"] == status
    (alert,) = message["alerts"]
    words = "The tokens are used up. Readers still have the version before."
    assert (alert["alert_class"], alert["message"]) == (kind, words)
    assert (alert["night"], alert["property_id"], alert["metric"]) == ("2026-06-30", None, None)


@pytest.mark.parametrize("status", [RunStatus.PUBLISHED, RunStatus.FAILED])
def test_a_run_that_was_killed_is_told_by_the_next_one_once(
    home: Settings, alerted: WebhookServer, status: RunStatus
) -> None:
    begin(home, "killed", date(2026, 7, 1))
    begin(home, "run3", date(2026, 7, 2), ends=False)
    for run_id in ("run3", "run4"):
        tell(home, run_id, status, "No.", NO_WAITS)
        begin(home, "run4", date(2026, 7, 3))
    told = [
        (one["night"], one["message"])
        for sent in alerted.messages
        for one in sent["alerts"]
        if one["alert_class"] == "run_stopped"
    ]
    assert told == [
        ("2026-07-01",
         f"The run that began on {MORNING + timedelta(hours=1):%Y-%m-%d %H:%M} UTC was stopped or "
         "killed (a limit, a restart, memory): what it loaded stays, and the next run goes on."),
    ]  # fmt: skip


def test_a_backfill_that_was_stopped_tells_nobody(home: Settings, alerted: WebhookServer) -> None:
    begin(home, "stopped", command="backfill")
    begin(home, "run3", ends=False)
    tell(home, "run3", RunStatus.PUBLISHED, "", NO_WAITS)
    assert alerted.messages == []


def test_properties_that_were_held_back(home: Settings, alerted: WebhookServer) -> None:
    with build_database(home.build_db) as connection:
        connection.execute(
            "insert into ops.held_back values ('run1', '2', 'marts', 'No rates.', null), "
            "('run1', '3', 'pull', 'No permission.', null), ('run0', '1', 'raw', 'Old.', null)"
        )
    find(home, anomaly("a", "behaviour"), anomaly("b", "tracking_lost", property_id="2"))
    tell(home, "run1", RunStatus.PARTLY_PUBLISHED, "", NO_WAITS)
    told = [(one["alert_class"], one["property_id"]) for one in alerted.messages[0]["alerts"]]
    assert told == [("gate_failed", "2"), ("pull_failed", "3"), ("behaviour", "1")]


def fetch(settings: Settings, run_id: str, day: int, problem: str | None) -> None:
    """Two tables of a second source, fetched on a day of July."""
    begin(settings, run_id)
    with build_database(settings.build_db) as connection:
        for table in ("shopify_sales", "shopify_sessions"):
            insert_rows(connection, "fetches", [{
                "fetch_id": f"{run_id} {table}", "run_id": run_id, "source": "shopify",
                "property_id": "1", "account": "a shop", "table_name": table,
                "window_start": NIGHT, "window_end": NIGHT,
                "fetched_at": MORNING.replace(month=7, day=day), "row_count": 0,
                "status": "failed" if problem else "loaded", "message": problem,
            }])  # fmt: skip
    tell(settings, run_id, RunStatus.PUBLISHED, "", NO_WAITS)


def test_a_second_source_that_fails_is_told_once_until_it_heals(
    home: Settings, alerted: WebhookServer
) -> None:
    fetch(home, "run1", 1, None)
    assert alerted.messages == []
    refused = "Shopify refuses the token: make a new one."
    for run_id, day, problem in (
        ("run2", 2, refused), ("run3", 3, "It does not answer."), ("run4", 4, None),
        ("run5", 5, refused),
    ):  # fmt: skip
        fetch(home, run_id, day, problem)
    # Its rows stay, and say nothing of a run that does not ask it any more.
    begin(home, "run6")
    tell(home, "run6", RunStatus.PUBLISHED, "", NO_WAITS)
    names = ("alert_class", "property_id", "report", "date", "message")
    told = [
        tuple(one[name] for name in names) for sent in alerted.messages for one in sent["alerts"]
    ]
    assert told == [
        ("source_failed", "1", "shopify", day, f"Property 1: {refused}")
        for day in ("2026-07-01", "2026-07-04")
    ]


def test_a_failure_is_told_where_there_is_no_warehouse_yet(
    alerted: WebhookServer, tmp_path: Path
) -> None:
    # 02:30 in Auckland on the 5th: the night is that of the 4th.
    pin_clock(tmp_path, datetime(2026, 3, 4, 13, 30, tzinfo=UTC), ["1"])
    one = Property(id="1", time_zone="Pacific/Auckland")
    settings = Settings(home=tmp_path, properties=(one,), alerts=Alerts(webhook=alerted.address))
    tell(settings, "", RunStatus.FAILED, "The key file is missing.", NO_WAITS)
    assert alerted.messages[0]["night"] == "2026-03-04"
    assert alerted.messages[0]["alerts"][0]["message"] == "The key file is missing."
    assert not settings.build_db.exists()


def test_a_name_that_a_visitor_chose_commands_no_chat(
    home: Settings, alerted: WebhookServer
) -> None:
    begin(home, "run1")
    name = "<!channel> <https://x.example|Login> @all & co"
    with build_database(home.build_db) as connection:
        remember_held_back(connection, "run1", "42", "raw", f"the row {name} is twice", now=MORNING)
    tell(home, "run1", RunStatus.PARTLY_PUBLISHED, "", NO_WAITS)
    (message,) = alerted.messages
    assert "‹!channel› ‹https://x.example|Login› @\u200ball & co" in message["text"]
    assert name in message["alerts"][0]["message"]


def test_the_address_is_never_shown(
    home: Settings, alerted: WebhookServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    find(home, anomaly("a", "behaviour"))
    alerted.shutdown()
    alerted.server_close()
    tell(home, "run1", RunStatus.PUBLISHED, "", NO_WAITS)
    assert query(home, "select status, reason from ops.alerts") == [
        ("undelivered", "it did not answer: ConnectionRefusedError")
    ]
    stored = [
        str(query(home, f"select * from ops.{name}"))
        for (name,) in query(
            home, "select table_name from duckdb_tables() where schema_name = 'ops'"
        )
    ]
    shown = [caplog.text, repr(home), str(home.alerts), home.model_dump_json(), *stored]
    secret = PATH.rsplit("/", 1)[1]
    assert [text for text in shown if secret in text] == []


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.example.com/S3CR3T", "ftp://127.0.0.1/S3CR3T", "S3CR3T", "https:///S3CR3T",
        "https://user:S3CR3T@example.com/", "https://example.com:S3CR3T/", "https://[S3CR3T/",
        "https://example.com/S3CR3T and more", "http://127.0.0.1.example.com/S3CR3T", "https://ß/S3CR3T",
    ],
)  # fmt: skip
def test_an_address_that_is_not_safe_is_refused_without_repeating_it(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "sluice.yml"
    config.write_text("engine: duckdb\n")
    monkeypatch.setenv("SLUICE_ALERTS_WEBHOOK", address)
    with pytest.raises(ConfigError) as caught:
        load_settings(config)
    assert "alerts.webhook" in str(caught.value)
    assert "https://" in str(caught.value)
    assert "S3CR3T" not in f"{caught.value} {caught.value.__cause__} {caught.value.__cause__!r}"


@pytest.mark.parametrize("address", ["https://hooks.example.com/x", "http://[::1]:8080/x"])
def test_safe_addresses(address: str, tmp_path: Path) -> None:
    config = tmp_path / "sluice.yml"
    config.write_text(f"alerts: {{webhook: '{address}'}}\n")
    webhook_setting = load_settings(config).alerts.webhook
    assert webhook_setting is not None
    assert webhook_setting.get_secret_value() == address


def test_without_a_webhook_nothing_is_read(tmp_path: Path) -> None:
    tell(Settings(home=tmp_path / "none"), "run1", RunStatus.FAILED, "x")
    assert not (tmp_path / "none").exists()
