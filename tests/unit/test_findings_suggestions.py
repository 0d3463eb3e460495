"""After a night: events that look renamed, with the line for tracking_plan.yml."""

from pathlib import Path

import duckdb
import pytest

from pipelines.cli.findings import print_suggestions


def test_the_most_frequent_first_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "current"
    folder.mkdir()
    with duckdb.connect(str(folder / "sluice.duckdb")) as connection:
        connection.execute(
            "create schema marts; create table marts.fct_event_suggestion as "
            "select unnest([7, 900]) as events_28d, unnest(['rare?', 'often?']) as words, "
            "unnest(['a: {event_names: [a, A]}', 'b: {event_names: [b, B]}']) as plan_lines"
        )
    print_suggestions(tmp_path)
    often, rare = capsys.readouterr().out.splitlines()
    assert often == "often? If so, put into tracking_plan.yml: b: {event_names: [b, B]}"
    assert rare.startswith("rare?")
