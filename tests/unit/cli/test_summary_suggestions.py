"""After a night: events without sessions, and events that look renamed."""

from pathlib import Path

import duckdb
import pytest

from pipelines.cli.summary import print_tracking


def test_what_came_without_sessions_then_the_most_frequent_renamed_event(
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
        connection.execute(
            "create table marts.fct_tracking_coverage as select '42' as property_id, "
            "unnest(['gallery', 'purchase', 'cart_view']) as key, "
            "unnest(['sessionless', 'sessionless', 'not_tracked']) as tracking_state, "
            "unnest(['12 gallery events.', '98 of 122 orders.', 'No view_cart.']) as fix"
        )
    print_tracking(tmp_path)
    orders, events, often, rare = capsys.readouterr().out.splitlines()
    # Orders without sessions come first: no rate of them is right.
    assert orders == "Property 42: 98 of 122 orders."
    assert events == "Property 42: 12 gallery events."
    assert often == "often? If so, put into tracking_plan.yml: b: {event_names: [b, B]}"
    assert rare.startswith("rare?")
