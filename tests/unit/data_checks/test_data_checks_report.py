"""What a gate says and remembers: requests it refuses, its sentence, `ops.gate_results`."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from data_checks import GateRequestError, Window, record, run_gate
from data_checks.__main__ import BLOCKED, main
from data_checks.model import CRITICAL, WARNING, Bound, GateReport, GateResult, Slice, Suite
from data_checks.registry import SUITES
from tests.support.checked_warehouse import WINDOW, build_warehouse, check
from tests.support.hand_clock import MORNING

pytestmark = pytest.mark.slow


def test_requests_that_make_no_sense_are_refused_in_a_sentence() -> None:
    connection = duckdb.connect()
    with pytest.raises(GateRequestError, match="no gate 'mart': choose one of raw, staging"):
        run_gate("mart", connection, window=WINDOW, run_id="r", properties=["100"], now=MORNING)
    with pytest.raises(GateRequestError, match="no property"):
        run_gate("raw", connection, window=WINDOW, run_id="r", properties=[], now=MORNING)
    with pytest.raises(GateRequestError, match="swap the dates"):
        Window(date(2026, 3, 2), date(2026, 3, 1))


def test_the_summary_names_property_table_expectation_value_and_key() -> None:
    connection = build_warehouse()
    connection.execute(
        "update raw.ga4_events_by_device set event_count = -7 where property_id = '200' "
        "and date = '2026-03-03' and event_name = 'purchase' and device_category = 'mobile'"
    )
    report = check(connection, "raw")
    assert report.held_back == ("200",)
    assert report.summary() == (
        "Gate raw failed: property 200: raw.ga4_events_by_device fails counts_are_not_negative: "
        "negative_counts 1; 1 of 4 partitions differ "
        "(for example date 2026-03-03, example purchase / mobile)."
    )


def test_a_gate_by_hand_is_that_of_the_newest_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = tmp_path / "build.duckdb"
    with build_warehouse() as connection:
        connection.execute(
            "insert into ops.runs (run_id, window_start, window_end, started_at) values "
            "('new', ?, ?, '2026-03-04 05:30:00+00'), "
            "('old', '2025-01-01', '2025-01-02', '2025-01-03 05:30:00+00')",
            [WINDOW.start, WINDOW.end],
        )
        connection.execute(
            "insert into ops.properties (property_id, is_active, is_blocked) values "
            "('100', true, null), ('200', true, true)"
        )
        # The property that is blocked is broken, and not judged.
        connection.execute("delete from raw.ga4_events_by_all where property_id = '200'")
        connection.execute(f"attach '{database}' as file; copy from database memory to file")
    # While somebody reads, this process may open the file to read only.
    with duckdb.connect(str(database), read_only=True):
        assert main(["raw", str(database)]) == 0
    assert capsys.readouterr().out.startswith("Gate raw passed: ")
    with duckdb.connect(str(database)) as connection:
        connection.execute("delete from raw.ga4_events_by_all where date = '2026-03-02'")
    assert main(["raw", str(database)]) == BLOCKED
    out = capsys.readouterr().out
    assert "critical: property 100: raw.ga4_events_by_all fails row_count_equals_pull" in out


def test_results_are_replaced_per_run_and_gate() -> None:
    connection = build_warehouse()
    report = check(connection, "marts")
    record(connection, report)
    first = connection.execute("select count(*) from ops.gate_results").fetchall()
    connection.execute("delete from marts.fct_data_completeness where property_id = '100'")
    again = check(connection, "marts")
    record(connection, again)
    record(connection, check(connection, "staging"))
    rows = connection.execute(
        "select run_id, property_id, observed, unexpected_count, sample from ops.gate_results"
        " where gate = 'marts' and not is_success"
    ).fetchall()
    assert first == [(len(report.results),)]
    assert [row[:4] for row in rows] == [("run", "100", "row_count 0; 4 of 4 partitions differ", 4)]
    assert json.loads(rows[0][4])[0] == {"date": "2026-03-01", "row_count": 0}
    counted = connection.execute(
        "select count(*) from ops.gate_results where gate = 'marts'"
    ).fetchall()
    assert counted == [(len(again.results),)]


def test_days_count_as_tested_when_their_property_passed_the_last_gate() -> None:
    connection = build_warehouse()
    record(connection, check(connection, "intermediate"))
    assert remembered_days(connection) == {}
    connection.execute("delete from marts.fct_data_completeness where property_id = '100'")
    report = check(connection, "marts")
    assert report.held_back == ("100",)
    record(connection, report)
    assert remembered_days(connection) == {"200": [1, 2, 3, 4]}
    # One is not there any more.
    connection.execute("delete from intermediate.int_days__versioned where date = '2026-03-01'")
    record(connection, check(connection, "marts"))
    assert remembered_days(connection) == {"200": [2, 3, 4]}


def test_no_day_counts_as_tested_where_the_night_stops() -> None:
    connection = build_warehouse()
    report = check(connection, "marts")
    stop = GateResult(None, "seeds.t", "unique(key)", CRITICAL, False, "2 rows", 2)
    record(connection, replace(report, results=(*report.results, stop)))
    assert remembered_days(connection) == {}


def remembered_days(connection: duckdb.DuckDBPyConnection) -> dict[str, list[int]]:
    """Property → days of March."""
    return dict(
        connection.execute(
            "select property_id, list(day(date) order by date) from ops.tested_days group by all"
        ).fetchall()
    )


def test_a_failed_write_changes_nothing() -> None:
    connection = build_warehouse()
    report = check(connection, "staging")
    record(connection, report)
    connection.execute("alter table ops.gate_results drop column sample")
    with pytest.raises(duckdb.Error):
        record(connection, report)
    rows = connection.execute("select count(*) from ops.gate_results").fetchall()
    assert rows == [(len(report.results),)]


def test_a_check_that_cannot_be_carried_out_counts_as_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = Suite(
        "broken",
        (),
        (Slice("seeds.segments", "select property_id, 'text' as words from asked_properties"),),
        (Bound("a_number_is_expected", "words", maximum=0), Bound("is_there", "nowhere", 1)),
    )
    monkeypatch.setitem(SUITES, "raw", lambda _catalog: (broken,))  # type: ignore[arg-type]
    report = check(build_warehouse(), "raw")
    assert {r.expectation for r in report.failed_critical} == {"a_number_is_expected", "is_there"}
    assert all("could not be carried out" in r.observed for r in report.failed_critical)


def test_a_report_without_results_never_passes() -> None:
    warning = GateResult("100", "raw.t", "e", WARNING, False, "3", 1)
    critical = GateResult("100", "raw.t", "e", CRITICAL, False, "3", 1)
    assert not GateReport("raw", (), "run", MORNING).is_passed
    assert "no result" in GateReport("raw", (), "run", MORNING).summary()
    assert GateReport("raw", (warning,), "run", MORNING).is_passed
    assert GateReport("raw", (warning, critical), "run", MORNING).held_back == ("100",)
    both = GateReport("raw", (critical, critical), "run", MORNING).summary()
    assert both.endswith("; 1 more critical failure.")


def test_importing_the_gates_imports_no_great_expectations() -> None:
    code = "import data_checks, sys; print({'great_expectations', 'pandas'} & set(sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "set()"
