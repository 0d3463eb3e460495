"""Whole partitions are replaced, in one transaction, and `ops` remembers it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.config.tracking_plan import MicroConversion
from pipelines.ga4.date_windows import days_between
from pipelines.ga4.decode.report_answer import Flags
from pipelines.ga4.extract.pull import Pull
from pipelines.ga4.report_catalog import Metric, Part, ReportKind, ReportSpec
from pipelines.warehouse import load
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.load import (
    discard_empty_nights,
    ensure_tables,
    record_failure,
    replace_partitions,
)
from pipelines.warehouse.ops import insert_rows
from pipelines.warehouse.schema import OPS_TABLES

D1, D2, D3, D4 = (date(2026, 3, day) for day in (1, 2, 3, 4))
STAMP = datetime(2026, 3, 5, 4, 30, tzinfo=UTC)
SPEC = ReportSpec(
    "by_device",
    ("deviceCategory",),
    (Metric("sessions"), Metric("purchaseRevenue")),
)


@pytest.fixture
def build(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with build_database(tmp_path / "build.duckdb") as connection:
        ensure_tables(connection, (SPEC,))
        yield connection


def pulled(rows, start=D1, end=D3, *, property_id="42", pull_id="p1", **changes) -> Pull:
    """A pull of `rows`: (day, device, sessions, revenue)."""
    table = pa.table(
        {
            "property_id": pa.array([property_id] * len(rows), pa.string()),
            "date": pa.array([row[0] for row in rows], pa.date32()),
            "device_category": pa.array([row[1] for row in rows], pa.string()),
            "sessions": pa.array([row[2] for row in rows], pa.int64()),
            "purchase_revenue": pa.array([row[3] for row in rows], pa.float64()),
            "pulled_at": pa.array([STAMP] * len(rows), pa.timestamp("us", tz="UTC")),
            "pull_id": pa.array([pull_id] * len(rows), pa.string()),
        }
    )
    values = {
        "property_id": property_id, "spec": SPEC, "start": start, "end": end, "rows": table,
        "partitions": pa.table({"date": pa.array(days_between(start, end), pa.date32())}),
        "quarantined": pa.table({"date": pa.array([], pa.string())}), "flags": Flags(),
        "other_share": 0.0, "pages": 1, "tokens": 4, "quota": {}, "request_hash": "abc",
        "pull_id": pull_id, "pulled_at": STAMP,
    }  # fmt: skip
    return Pull(**{**values, **changes})


def stored(build, property_id="42") -> list[tuple]:
    return build.execute(
        "select date, device_category, sessions, purchase_revenue from raw.ga4_by_device "
        "where property_id = ? order by all",
        [property_id],
    ).fetchall()


def test_vanished_keys_are_gone_and_other_days_stay(build):
    first = [(D1, "mobile", 10, 1.5), (D2, "mobile", 20, 0.0), (D2, "tablet", 3, 0.0)]
    assert replace_partitions(build, pulled(first), run_id="r1") == 3
    # The second pull covers D2 and D3 only; `tablet` was re-attributed to `desktop`.
    second = pulled([(D2, "mobile", 21, 0.0), (D2, "desktop", 2, 0.0)], D2, D3, pull_id="p2")
    assert replace_partitions(build, second, run_id="r2") == 2
    assert stored(build) == [
        (D1, "mobile", 10, 1.5), (D2, "desktop", 2, 0.0), (D2, "mobile", 21, 0.0),
    ]  # fmt: skip


def test_another_property_is_not_touched(build):
    replace_partitions(build, pulled([(D1, "mobile", 1, 0.0)], property_id="43"), run_id="r1")
    replace_partitions(build, pulled([(D1, "mobile", 2, 0.0)]), run_id="r1")
    replace_partitions(build, pulled([], pull_id="p2"), run_id="r2")
    assert stored(build) == []
    assert stored(build, "43") == [(D1, "mobile", 1, 0.0)]


def test_an_empty_answer_empties_its_days_and_says_so(build):
    replace_partitions(build, pulled([(D1, "mobile", 1, 0.0), (D3, "tablet", 2, 0.0)]), run_id="r1")
    empty = pulled([], D1, D2, pull_id="p2", flags=Flags(empty_reason="NO_DATA"))
    assert replace_partitions(build, empty, run_id="r2") == 0
    assert stored(build) == [(D3, "tablet", 2, 0.0)]
    assert build.execute(
        "select date, status, row_count, totals, empty_reason from ops.pulls "
        "where pull_id = 'p2' order by date"
    ).fetchall() == [
        (day, "loaded", 0, '{"sessions": 0, "purchase_revenue": 0}', "NO_DATA") for day in (D1, D2)
    ]


@pytest.mark.parametrize(
    ("run_id", "sessions", "status"),
    [
        ("r1", [0, 0], "failed"),
        ("r1", [0, 1], "loaded"),
        # The report of sessions was held back: nobody knows that there were none.
        ("r1", [], "loaded"),
        # It may reach back to before the property's first day.
        ("backfill-1", [0, 0], "loaded"),
    ],
)
def test_a_night_without_a_session_of_a_property_loaded_no_empty_day(
    build, run_id, sessions, status
):
    insert_rows(build, "backfills", [{"backfill_id": "backfill-1"}])
    night = {"property_id": "42", "run_id": run_id, "status": "loaded", "empty_reason": None}
    pulls = [
        {**night, "report": "sessions_by_all", "row_count": count, "empty_reason": "NO_DATA"}
        for count in sessions
    ]
    pulls += [{**night, "report": "items", "row_count": 0}]
    # What has rows, another night and another property keep what they have.
    kept = [
        {**night, "report": "metadata", "row_count": 90},
        {**night, "report": "items", "row_count": 0, "run_id": "r0"},
        {**night, "report": "items", "row_count": 0, "property_id": "43"},
    ]
    insert_rows(build, "pulls", [*pulls, *kept])
    discard_empty_nights(build)
    assert build.execute(
        "select status, count(*) from ops.pulls group by all order by all"
    ).fetchall() == (
        [("failed", len(pulls)), ("loaded", len(kept))]
        if status == "failed"
        else [("loaded", len(pulls) + len(kept))]
    )


def test_the_same_pull_twice_changes_no_row(build):
    rows = [(D1, "mobile", 10, 1.5), (D2, "", 20, 0.25)]
    replace_partitions(build, pulled(rows), run_id="r1")
    before = stored(build)
    replace_partitions(build, pulled(rows, pull_id="p2"), run_id="r2")
    assert stored(build) == before


content = st.dictionaries(
    st.tuples(st.sampled_from([D1, D2, D3]), st.sampled_from(["mobile", "desktop", "", "(other)"])),
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**6).map(float)),
    max_size=8,
)


@settings(max_examples=40)
@given(content, content)
def test_only_the_last_pull_of_a_window_is_left(first, second):
    build = _emptied()
    replace_partitions(build, pulled([(*k, *v) for k, v in first.items()]), run_id="r1")
    replace_partitions(build, pulled([(*k, *v) for k, v in second.items()]), run_id="r2")
    assert stored(build) == sorted((*k, *v) for k, v in second.items())


def _emptied() -> duckdb.DuckDBPyConnection:
    build = _made_once()
    build.execute(f"delete from raw.{SPEC.table}; delete from ops.pulls")
    return build


@cache
def _made_once() -> duckdb.DuckDBPyConnection:
    build = duckdb.connect()
    build.execute("create schema raw; create schema ops")
    for table, columns in OPS_TABLES.items():
        body = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        build.execute(f"create table ops.{table} ({body})")
    ensure_tables(build, (SPEC,))
    return build


def test_pulls_remember_counts_totals_and_flags_of_each_day(build):
    rows = [(D1, "mobile", 10, 1.5), (D1, "desktop", 5, 2.25), (D3, "mobile", 7, 0.0)]
    flags = Flags(
        True, False, True, "", "EUR", "Europe/Berlin", ("transactions", "x"), "LATE 20260301"
    )
    replace_partitions(
        build, pulled(rows, flags=flags, other_share=0.125, pages=3, tokens=12), run_id="r1"
    )
    # Pages and tokens stand once, so that they may be added up.
    days = build.execute(
        "select date, row_count, totals, pages, tokens from ops.pulls order by date"
    ).fetchall()
    assert [(day, count, json.loads(totals), *rest) for day, count, totals, *rest in days] == [
        (D1, 2, {"sessions": 15, "purchase_revenue": 3.75}, 3, 12),
        (D2, 0, {"sessions": 0, "purchase_revenue": 0}, 0, 0),
        (D3, 1, {"sessions": 7, "purchase_revenue": 0}, 0, 0),
    ]
    assert build.execute(
        "select distinct pull_id, run_id, property_id, report, report_version, request_hash, "
        "status, is_sampled, is_thresholded, has_other_row, other_share, currency, time_zone, "
        "restricted_metrics, truncation, window_name, message, pulled_at from ops.pulls"
    ).fetchall() == [
        ("p1", "r1", "42", "by_device", 1, "abc", "loaded", True, False, True, 0.125, "EUR",
         "Europe/Berlin", "transactions,x", "LATE 20260301", None, "", STAMP),
    ]  # fmt: skip


def test_quarantine_is_remembered(build):
    bad = pa.table({"date": ["(other)"], "device_category": ['"mobile"'], "sessions": [4]})
    replace_partitions(build, pulled([], quarantined=bad), run_id="r1")
    ((*rest, row_json),) = build.execute(
        "select pull_id, property_id, report, date_text, reason, row_json from ops.quarantine"
    ).fetchall()
    assert rest == ["p1", "42", "by_device", "(other)", "the date cannot be read"]
    assert json.loads(row_json) == {
        "date": "(other)", "device_category": '"mobile"', "sessions": 4,
    }  # fmt: skip


def test_skipped_keys_are_told_with_the_next_step(build):
    replace_partitions(build, pulled([], skipped=("scroll_50", "video")), run_id="r1")
    ((message,),) = build.execute("select distinct message from ops.pulls").fetchall()
    assert "scroll_50, video" in message
    assert "custom dimensions" in message


def test_notes_are_told_too(build):
    replace_partitions(build, pulled([], notes=("The 28 days are not complete.",)), run_id="r1")
    assert build.execute("select distinct message from ops.pulls").fetchall() == [
        ("The 28 days are not complete.",)
    ]


WINDOWS = ReportSpec("users", (), (Metric("totalUsers"),), kind=ReportKind.USERS_WINDOW)


def windows(values, *, pull_id="p1", partitions=None) -> Pull:
    """A pull of windows: (end, name, users); by default it replaces what it holds."""
    days, names = [row[0] for row in values], [row[1] for row in values]
    keys = [(row[0], row[1]) for row in values] if partitions is None else partitions
    rows = pa.table(
        {
            "property_id": pa.array(["42"] * len(values), pa.string()),
            "date": pa.array(days, pa.date32()),
            "window_name": pa.array(names, pa.string()),
            "window_start": pa.array(days, pa.date32()),
            "total_users": pa.array([row[2] for row in values], pa.int64()),
            "pulled_at": pa.array([STAMP] * len(values), pa.timestamp("us", tz="UTC")),
            "pull_id": pa.array([pull_id] * len(values), pa.string()),
        }
    )
    parts = pa.table(
        {
            "date": pa.array([key[0] for key in keys], pa.date32()),
            "window_name": pa.array([key[1] for key in keys], pa.string()),
        }
    )
    return replace(pulled([], pull_id=pull_id), spec=WINDOWS, rows=rows, partitions=parts)


def test_windows_that_end_on_one_day_are_replaced_apart(build):
    ensure_tables(build, (WINDOWS,))
    replace_partitions(
        build, windows([(D1, "7d", 5), (D1, "month", 50), (D2, "7d", 6)]), run_id="r"
    )
    second = windows([(D1, "7d", 7)], pull_id="p2", partitions=[(D1, "7d"), (D2, "7d")])
    replace_partitions(build, second, run_id="r")
    assert build.execute(
        "select date, window_name, total_users from raw.ga4_users order by all"
    ).fetchall() == [(D1, "7d", 7), (D1, "month", 50)]
    assert build.execute(
        "select date, window_name, row_count, totals from ops.pulls where pull_id = 'p2' "
        "order by all"
    ).fetchall() == [(D1, "7d", 1, '{"total_users": 7}'), (D2, "7d", 0, '{"total_users": 0}')]


def test_restricted_metrics_stay_null_in_the_totals(build):
    """Nothing is known of them: that is no zero."""
    rows = pulled([(D1, "mobile", 10, None), (D2, "mobile", 3, 0.5)])
    replace_partitions(build, rows, run_id="r1")
    assert stored(build) == [(D1, "mobile", 10, None), (D2, "mobile", 3, 0.5)]
    totals = build.execute("select totals from ops.pulls order by date").fetchall()
    assert [json.loads(text)["purchase_revenue"] for (text,) in totals] == [None, 0.5, 0]


@pytest.mark.parametrize("step", ["_pull_rows", "_quarantine_rows"])
def test_a_failure_midway_leaves_everything_as_it_was(build, monkeypatch, step):
    replace_partitions(build, pulled([(D1, "mobile", 10, 1.5)]), run_id="r1")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(load, step, fail)
        replace_partitions(build, pulled([(D1, "tablet", 1, 0.0)], pull_id="p2"), run_id="r2")
    assert stored(build) == [(D1, "mobile", 10, 1.5)]
    assert build.execute("select distinct pull_id from ops.pulls").fetchall() == [("p1",)]
    # And the connection works on.
    replace_partitions(build, pulled([(D1, "tablet", 1, 0.0)], pull_id="p3"), run_id="r3")
    assert stored(build) == [(D1, "tablet", 1, 0.0)]


def test_a_row_that_does_not_fit_leaves_everything_as_it_was(build):
    replace_partitions(build, pulled([(D1, "mobile", 10, 1.5)]), run_id="r1")
    with pytest.raises(duckdb.ConstraintException):
        replace_partitions(build, pulled([(D2, "m", 1, 0.0), (D1, None, 1, 0.0)]), run_id="r2")
    assert stored(build) == [(D1, "mobile", 10, 1.5)]
    replace_partitions(build, pulled([(D2, "m", 1, 0.0)]), run_id="r3")
    assert stored(build) == [(D2, "m", 1, 0.0)]


def fail(build, days, status="failed", message="no", spec=SPEC) -> None:
    record_failure(build, "42", spec, days, run_id="r1", status=status, message=message, now=STAMP)


def test_a_failed_pull_is_remembered_for_every_day(build):
    fail(build, (D2, D4), "held_back", "it's 100% wrong")
    assert build.execute(
        "select date, property_id, report, report_version, status, message, row_count "
        "from ops.pulls order by date"
    ).fetchall() == [
        (day, "42", "by_device", 1, "held_back", "it's 100% wrong", None) for day in (D2, D3, D4)
    ]


GRAIN = "pull_id, property_id, report, date, coalesce(window_name, '1d')"


def attempts_per_key(build) -> list[tuple]:
    return build.execute(
        f"select distinct count(*) filter (where pull_id is not null) from ops.pulls "
        f"group by {GRAIN}"
    ).fetchall()


def test_every_attempt_has_an_id_of_its_own(build):
    """Also the second failure of one report in one run, and the same one told twice."""
    replace_partitions(build, pulled([(D1, "mobile", 10, 1.5)]), run_id="r1")
    for status, days in (("failed", (D1, D3)), ("failed", (D1, D3)), ("refused", (D2, D4))):
        fail(build, days, status)
    assert attempts_per_key(build) == [(1,)]
    assert build.execute("select count(distinct pull_id) from ops.pulls").fetchall() == [(4,)]


# What a pull of 2 to 4 March (a Wednesday) replaces; a report by day has no window's name.
D28, WEEK_END, MONTH_END = date(2026, 3, 4), date(2026, 3, 1), date(2026, 2, 28)
PARTITIONS = {
    "daily": [(day, None) for day in (D2, D3, D4)],
    "metadata": [(D4, None)],
    "next_action": [(D28, "28d")],
    "funnel": [(D2, "1d"), (D3, "1d"), (D4, "1d"), (D28, "28d")],
    "users_window": [(MONTH_END, "month"), (WEEK_END, "week"), (D28, "28d"), (D28, "7d")],
}


@pytest.mark.parametrize("kind", PARTITIONS)
def test_a_failure_stands_with_the_partitions_that_it_should_have_brought(build, kind):
    """A window that failed is no missing day: nobody waits for a day of a report of windows."""
    spec = ReportSpec("r", (), (), kind=kind)
    fail(build, (D2, D4), spec=spec)
    assert (
        build.execute(
            "select date, window_name from ops.pulls order by date, window_name"
        ).fetchall()
        == PARTITIONS[kind]
    )


def test_failures_of_an_older_version_get_their_ids(build):
    for message in ("first", "second"):
        fail(build, (D1, D2), message=message)
    replace_partitions(build, pulled([]), run_id="r1")
    build.execute("update ops.pulls set pull_id = null where status = 'failed'")
    ensure_tables(build, (SPEC,))
    assert attempts_per_key(build) == [(1,)]
    assert build.execute("select count(*) from ops.pulls where pull_id = 'p1'").fetchall() == [(3,)]


def test_a_message_that_is_no_text_is_kept_as_far_as_it_is(build):
    fail(build, (D1, D1), message="odd \ud800 \x00 end")
    assert build.execute("select message from ops.pulls").fetchall() == [("odd ? \x00 end",)]


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.25, "lack 25.0 % of"), (0.0004, "lack < 0.1 % of"), (0.0, None), (None, None)],
)
def test_the_share_that_is_missing_stands_with_every_day_of_the_pull(build, share, words):
    replace_partitions(build, pulled([], missing_share=share), run_id="r1")
    ((stored_share, message, days),) = build.execute(
        "select missing_share, message, count(*) from ops.pulls group by all"
    ).fetchall()
    assert (stored_share, days) == (share, 3)
    assert (words in message) if words else message == ""


def test_a_newer_spec_adds_its_columns(build):
    replace_partitions(build, pulled([(D1, "mobile", 10, 1.5)]), run_id="r1")
    newer = ReportSpec("by_device", SPEC.dimensions, (*SPEC.metrics, Metric("transactions")))
    ensure_tables(build, (newer,))
    ensure_tables(build, (newer,))
    assert build.execute("select sessions, transactions from raw.ga4_by_device").fetchall() == [
        (10, None)
    ]


def test_raw_tables_have_the_types_of_their_spec(build):
    micro = ReportSpec(
        "micro_by_all", (), (Metric("eventCount"),), (Part(MicroConversion("k", ("a", "b"), ())),)
    )
    ensure_tables(build, (micro,))
    assert build.execute(
        "select column_name, data_type, is_nullable = 'YES' from information_schema.columns "
        "where table_name = 'ga4_micro_by_all' order by ordinal_position"
    ).fetchall() == [
        ("property_id", "VARCHAR", False),
        ("date", "DATE", False),
        ("micro_key", "VARCHAR", False),
        ("event_count", "BIGINT", True),
        ("pulled_at", "TIMESTAMP WITH TIME ZONE", False),
        ("pull_id", "VARCHAR", False),
    ]
