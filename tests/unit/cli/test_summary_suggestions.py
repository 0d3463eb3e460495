"""After a night: events without sessions, events that look renamed, the verdict, the page."""

from pathlib import Path

import duckdb
import pytest

from pipelines.cli.summary import print_verdict
from tests.support.verdict_marts import NO_FINDING, make_verdict_marts

TOO_LITTLE = "There is too little data yet to tell whether any step leaks."


def marts(
    folder: Path, findings: str, status: str, source_kind: str = "secondary", uncounted: str = ""
) -> None:
    """The tables that the verdict is read from; `findings`: a VALUES list."""
    current = folder / "current"
    current.mkdir()
    with duckdb.connect(str(current / "sluice.duckdb")) as connection:
        connection.execute(
            "create schema marts; create table marts.fct_event_suggestion as "
            "select unnest([7, 900]) as events_28d, unnest(['rare?', 'often?']) as words, "
            "unnest(['a: {event_names: [a, A]}', 'b: {event_names: [b, B]}']) as plan_lines"
        )
        make_verdict_marts(connection, findings, status, source_kind, uncounted)
        connection.execute(
            "insert into marts.fct_tracking_coverage select '42' as property_id, "
            "unnest(['gallery', 'purchase', 'cart_view']) as key, "
            "unnest(['sessionless', 'sessionless', 'not_tracked']) as tracking_state, "
            "unnest(['12 gallery events.', '98 of 122 orders.', 'No view_cart.']) as fix"
        )


def test_what_lacks_what_was_found_and_where_it_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = (
        "('42', 'a', 1, 'Less ordered.', 'Worth 2.', 'new', 0.99, 'Others 1.'), "
        "('43', 'b', 1, 'Less viewed.', null, 'known', 0.9, null)"
    )
    marts(tmp_path, found, "within")
    print_verdict(tmp_path)
    orders, events, often, rare, *found_lines, page, numbers = capsys.readouterr().out.splitlines()
    # Orders without sessions come first: no rate of them is right.
    assert orders == "Property 42: 98 of 122 orders."
    assert events == "Property 42: 12 gallery events."
    assert often == "often? If so, put into tracking_plan.yml: b: {event_names: [b, B]}"
    assert rare.startswith("rare?")
    assert found_lines == [
        "Finding (new, 42): Less ordered. Worth 2. Others 1. Below the floor with a probability "
        "of 99 %.",
        "Finding (known, Outlet): Less viewed. Below the floor with a probability of 90 %.",
    ]
    assert page == f"Page: {tmp_path}/current/report.html"
    assert numbers == f"Numbers: {tmp_path}/current/sluice.duckdb ('sluice sql' asks them)"


def test_a_step_that_nobody_counts_comes_before_what_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marts(tmp_path, NO_FINDING, "within", uncounted="purchase was last seen on 3 June.")
    print_verdict(tmp_path)
    *_, unnamed, lost, _page, _numbers = capsys.readouterr().out.splitlines()
    assert unnamed == "42: No step that can be judged is likely to be below its benchmark."
    assert lost == "Outlet: purchase was last seen on 3 June."


def test_what_is_healed_comes_last_and_is_worth_nothing_any_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = (
        "('42', 'a', 2, 'Ordered again.', 'Worth 9.', 'healed', 0.4, null), "
        "('42', 'b', 1, 'Less viewed.', 'Worth 1.', 'new', 0.9, null)"
    )
    marts(tmp_path, found, "within")
    print_verdict(tmp_path)
    *_, new, healed, other, _page, _numbers = capsys.readouterr().out.splitlines()
    assert new == (
        "Finding (new, 42): Less viewed. Worth 1. Below the floor with a probability of 90 %."
    )
    assert healed == "Finding (healed, 42): Ordered again."
    # Of another property no finding is not the same as nothing said.
    assert other == "Outlet: No step that can be judged is likely to be below its benchmark."


@pytest.mark.parametrize(
    ("status", "source_kind", "words"),
    [
        ("within", "secondary", "No step that can be judged is likely to be below its benchmark."),
        ("insufficient_data", "secondary", TOO_LITTLE),
        # The shop's own best weeks are no benchmark.
        ("likely_within", "own_history", TOO_LITTLE),
    ],
)
def test_nothing_found_is_not_the_same_as_nothing_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], status: str, source_kind: str, words: str
) -> None:
    marts(tmp_path, NO_FINDING, status, source_kind)
    print_verdict(tmp_path)
    *_, main, other, _page, _numbers = capsys.readouterr().out.splitlines()
    assert (main, other) == (f"42: {words}", f"Outlet: {words}")
