"""A full refresh goes on until something was published: half of it would mix old and new models."""

from pathlib import Path

import pytest

from pipelines.orchestration.assets.dbt_layers import dbt_arguments
from pipelines.orchestration.dbt_cli import first_words
from pipelines.orchestration.jobs import describe_failure
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.runs import is_rebuilding

REFRESH, NIGHT = "nightly --full-refresh", "nightly"


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], False),
        ([(NIGHT, "running")], False),
        ([(REFRESH, "running")], True),
        ([(NIGHT, "published"), (REFRESH, "failed")], True),
        ([(REFRESH, "failed"), (NIGHT, "running")], True),
        ([(REFRESH, "held_back"), (NIGHT, "paused"), (NIGHT, "running")], True),
        ([(REFRESH, "failed"), (NIGHT, "published"), (NIGHT, "running")], False),
        ([(REFRESH, "partly_published"), (NIGHT, "running")], False),
    ],
)
def test_until_something_was_published(
    tmp_path: Path, runs: list[tuple[str, str]], expected: bool
) -> None:
    path = tmp_path / "build.duckdb"
    with build_database(path) as build:
        for hour, (command, status) in enumerate(runs):
            build.execute(
                "insert into ops.runs (run_id, command, status, started_at) values (?, ?, ?, ?)",
                [f"r{hour}", command, status, f"2026-03-01 {hour:02d}:00:00+00"],
            )
    assert is_rebuilding(path) is expected


def test_only_a_full_refresh_builds_every_day_anew() -> None:
    assert dbt_arguments(is_full_refresh=True) == ["build", "--full-refresh"]
    assert dbt_arguments(is_full_refresh=False) == ["build"]


def test_tables_of_an_older_version_name_the_command() -> None:
    error = RuntimeError(
        "dbt: The source and target schemas on this incremental model are out of sync! They can"
    )
    status, message = describe_failure("dbt_staging", error)
    assert status == "outdated"
    assert "run 'sluice nightly --full-refresh'" in message
    assert "older version" not in describe_failure("dbt_staging", RuntimeError("No."))[1]


def test_of_dbt_s_report_the_model_and_the_reason_are_told() -> None:
    report = (
        "The dbt CLI process with command failed. Errors parsed from dbt logs: "
        "4 of 59 ERROR creating sql table model intermediate.int_roots ... [ERROR in 0.02s] "
        "58 of 59 ERROR creating sql table model intermediate.int_lasts ... [ERROR in 0.08s] "
        "Failure in model int_roots (models/intermediate/int_roots.sql) "
        "Runtime Error in model int_roots (models/intermediate/int_roots.sql) "
        "Out of Range Error: cannot take square root of a negative number "
        "compiled code at logs/compiled/int_roots.sql Failure in model int_lasts (models/x.sql)"
    )
    assert first_words(RuntimeError(report)) == (
        "int_roots: Out of Range Error: cannot take square root of a negative number"
    )
    assert first_words(RuntimeError("One line.\nAnother.")) == "One line."
    assert first_words(None) == "None"
