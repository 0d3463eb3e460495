"""What is left out of dbt changes nothing that is read."""

from typing import Any
from unittest.mock import patch

import pytest
from dbt.adapters.events.types import SQLQuery
from dbt.compilation import Compiler
from dbt.contracts.graph.manifest import Manifest
from dbt.events.types import LogStartLine
from dbt_common.clients import agate_helper
from dbt_common.events.base_types import BaseEvent, EventMsg

from pipelines.orchestration import lean_dbt
from pipelines.orchestration.dbt_cli import EVENTS

START = {"description": "model x", "index": 1, "total": 2, "node_info": {"unique_id": "model.x"}}


def test_an_event_that_is_read_has_its_message() -> None:
    event = LogStartLine(**START)
    assert "pb_msg" not in event.__dict__
    assert event.description == "model x"
    assert event.to_dict() == {**START, "node_info": event.to_dict()["node_info"]}
    assert event.to_dict()["node_info"]["unique_id"] == "model.x"
    # As when it is made at once.
    made = LogStartLine.__new__(LogStartLine)
    lean_dbt._make_message(made, **START)
    assert made.to_dict() == event.to_dict()


def test_only_what_is_told_becomes_a_message() -> None:
    told: list[EventMsg] = []
    EVENTS.callbacks.append(told.append)
    try:
        debug, line = SQLQuery(sql="select 1", conn_name="x"), LogStartLine(**START)
        EVENTS.fire_event(debug)
        EVENTS.fire_event(line)
    finally:
        EVENTS.callbacks.remove(told.append)
    assert [one.info.name for one in told] == ["LogStartLine"]
    assert "pb_msg" not in debug.__dict__


def test_wrong_words_fail_as_before() -> None:
    with pytest.raises(Exception, match="Unable to parse logging event dictionary"):
        assert BaseEvent.to_dict(LogStartLine(unknown=1))


def test_the_links_of_a_manifest_are_made_once() -> None:
    """Equal ones are others: dbt changes the one that it works on."""
    made: list[Any] = []
    manifest, other = Manifest(), Manifest()

    def link(*given: Any) -> Any:
        made.append(given[1])
        return object()

    with (
        patch.object(lean_dbt, "_link", link),
        patch.object(lean_dbt, "_LAST", lean_dbt._Links()),
    ):
        first = Compiler.compile(None, manifest, add_test_edges=True)
        assert Compiler.compile(None, manifest, add_test_edges=True) is first
        assert Compiler.compile(None, manifest) is not first
        assert Compiler.compile(None, other) is not first
    assert [id(one) for one in made] == [id(manifest), id(manifest), id(other)]


def test_a_statement_without_a_result_has_an_empty_one() -> None:
    empty = agate_helper.empty_table()
    assert (len(empty.rows), len(empty.columns)) == (0, 0)
    assert agate_helper.empty_table() is empty
