"""Whose rows made a layer fail: one after the other, until the rest of it can be built."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.orchestration.layer_build import LayerBuild, selection
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.ops import insert_rows
from pipelines.warehouse.property_records import held_back, remember_held_back

NOW = datetime(2026, 7, 1, tzinfo=UTC)
NAMES = ("1", "2", "3")


class NoModelError(Exception):
    """Its only argument is the model that failed."""


class Layer:
    """Models in their order, each with the properties whose rows it cannot compute with; built of
    all that are not blocked, as dbt does.
    """

    def __init__(self, build_db: Path, **ill: set[str]) -> None:
        self.build_db, self.ill = build_db, ill
        self.built: list[str] = []

    def attempt(self) -> Iterator[str]:
        self.run_dbt(["intermediate"])
        yield "all"

    def run_dbt(self, layers: Sequence[str], nodes: Sequence[str] = ()) -> None:
        assert layers == ["intermediate"]
        for model in nodes or self.ill:
            self._build(model)

    def _build(self, model: str) -> None:
        with build_database(self.build_db) as connection:
            rows = connection.execute(
                "select property_id from ops.properties where not coalesce(is_blocked, false)"
            ).fetchall()
        there = {name for (name,) in rows}
        self.built.append(f"{model} of {'+'.join(sorted(there))}")
        # No property in particular: only all together.
        if there & self.ill[model] or (not self.ill[model] and there == {*NAMES}):
            raise NoModelError(model)


@pytest.fixture
def build_db(tmp_path: Path) -> Path:
    path = tmp_path / "build.duckdb"
    with build_database(path) as connection:
        insert_rows(connection, "properties", [{"property_id": name} for name in NAMES])
    return path


def blocked(layer: Layer) -> tuple[list[str], dict[str, str]]:
    """What came out of the layer, and who was held back with which reason."""
    one = LayerBuild(
        layer.build_db, "run1", "intermediate", NAMES, NOW,
        explain=str, failed_nodes=lambda error: error.args,
    )  # fmt: skip
    events = list(one.run(layer.attempt, layer.run_dbt))
    with build_database(layer.build_db) as connection:
        return events, held_back(connection, "run1")


def test_a_model_that_is_built_from_one_that_failed_has_its_turn(build_db: Path) -> None:
    layer = Layer(build_db, first={"1"}, second={"2"})
    events, held = blocked(layer)
    assert events == ["all"]
    assert {name: reason.rsplit(": ", 1)[1] for name, reason in held.items()} == {
        "1": "first", "2": "second",
    }  # fmt: skip
    assert layer.built == [
        "first of 1+2+3", "first of 1", "first of 2", "first of 3",
        "first of 2+3", "second of 2+3",
        # All once more without who is blocked, before others are suspected.
        "first of 2+3", "second of 2+3", "second of 2", "second of 3",
        "first of 3", "second of 3",
    ]  # fmt: skip


@pytest.mark.parametrize("ill", [{*NAMES}, set[str]()])
def test_what_fails_for_everybody_or_for_nobody_alone_is_nobody_s(
    build_db: Path, ill: set[str]
) -> None:
    with pytest.raises(NoModelError, match="first"):
        blocked(Layer(build_db, first=ill))
    with build_database(build_db) as connection:
        assert held_back(connection, "run1") == {}


def test_a_layer_that_still_holds_rows_of_who_is_blocked_is_built_whole(build_db: Path) -> None:
    """Of all models at once: each by itself would take an attempt."""
    layer = Layer(build_db, first={"1"}, second={"1"}, third={"1"}, fourth={"1"})
    holds = [True]

    def attempt() -> Iterator[str]:
        if holds[0]:
            raise NoModelError("first")
        yield "all"

    def run_dbt(layers: Sequence[str], nodes: Sequence[str] = ()) -> None:
        layer.run_dbt(layers, nodes)
        holds[0] = bool(nodes)

    with build_database(build_db) as connection:
        remember_held_back(connection, "run1", "1", "staging", "No.", now=NOW)
    one = LayerBuild(
        build_db, "run1", "intermediate", NAMES, NOW,
        explain=str, failed_nodes=lambda error: error.args,
    )  # fmt: skip
    assert list(one.run(attempt, run_dbt)) == ["all"]
    assert layer.built == [f"{model} of 2+3" for model in layer.ill]


def test_dbt_builds_what_failed_and_what_it_is_built_from() -> None:
    assert selection(["intermediate", "marts"], ["a", "b"]) == (
        "tag:intermediate,+a tag:intermediate,+b tag:marts,+a tag:marts,+b"
    )
    assert selection(["staging"], ["a"]) == "resource_type:seed,+a tag:staging,+a"
    assert selection(["staging", "marts"]) == "resource_type:seed tag:staging tag:marts"
