"""No model adds up a distinct count over days, events or segments, unless its YAML may and does."""

import pytest
from dbt.contracts.graph.nodes import ModelNode

from tests.dbt.additivity import Model, Violation, check, qualified
from tests.dbt.conftest import Dbt
from tests.dbt.warehouse import Warehouse

STAGED = Model(
    "staging.events",
    "",
    ("property_id", "date", "segment_name", "segment_value", "event_name", "sessions", "events"),
    {"sessions": "sessions"},
    {},
)
CELLS = Model(
    "staging.cells", "", ("property_id", "date", "cube", "device", "country", "key", "sessions"),
    {"sessions": "sessions"}, {},
)  # fmt: skip
USERS = Model(
    "staging.users", "", ("property_id", "window_end", "event_name", "users"),
    {"users": "users"}, {},
)  # fmt: skip


def found(sql: str, **allowed: list[str]) -> list[tuple[str, str]]:
    bad = Model("marts.bad", sql, (), {}, allowed)
    return [(one.unit, one.over) for one in check([STAGED, CELLS, USERS, bad], {})]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # Sessions of two events overlap: a sum over events is refused, also where days are not.
        (
            "select property_id, date, sum(sessions) as s from staging.events "
            "where segment_name = 'all' group by property_id, date",
            [("sessions", "events")],
        ),
        (
            "select property_id, event_name, sum(sessions) as s from staging.events "
            "where segment_name = 'all' group by property_id, event_name",
            [("sessions", "days")],
        ),
        # Renamed, in a CASE and over two CTEs, and with GROUP BY ALL.
        (
            "with a as (select *, coalesce(sessions, 0) as reached from staging.events), "
            "b as (select property_id, date, event_name, segment_name, case when events > 0 then "
            "reached else 0 end as x from a) "
            "select property_id, date, event_name, sum(x) as s from b group by all",
            [("sessions", "segments")],
        ),
        # A union by name, whose second part lacks columns and has the others in another order.
        (
            "with a as (select null as x, events, 0 as s from staging.events where "
            "segment_name = 'all' union all by name select sessions as s, events from "
            "staging.events where segment_name = 'all') select sum(events) as e from a",
            [],
        ),
        (
            "with a as (select null as x, events, 0 as s from staging.events union all by name "
            "select sessions as s, events from staging.events) select sum(s) as s from a",
            [("sessions", "rows")],
        ),
        # A window is a sum too.
        (
            "select sum(sessions) over (partition by property_id, date, segment_name, event_name "
            "order by property_id) as s from staging.events",
            [],
        ),
        (
            "select sum(sessions) over w as s from staging.events "
            "window w as (partition by property_id, segment_name, event_name order by date)",
            [("sessions", "days")],
        ),
        ("select sum(users) as s from staging.users", [("users", "events"), ("users", "windows")]),
        ("select avg(users) as s from staging.users group by event_name", [("users", "windows")]),
        # No distinct count: events, a flag that only asks for one, a rate.
        ("select sum(events) as s from staging.events", []),
        ("select sum(case when sessions > 0 then 1 else 0 end) as s from staging.events", []),
        ("select sum(sessions / events) as s from staging.events", []),
    ],
)
def test_a_bad_model_is_found(sql: str, expected: list[tuple[str, str]]) -> None:
    if "segment_name = 'all'" not in sql and "group by property_id" in sql:
        raise AssertionError("the case would also sum over segments")
    assert found(sql) == [one for one in expected if one[0]]


def test_only_what_is_nearly_additive_can_be_allowed() -> None:
    days = "select event_name, segment_name, sum(sessions) as s from staging.events group by all"
    assert found(days) == [("sessions", "days")]
    assert found(days, sessions=["days"]) == []
    events = "select date, segment_name, sum(sessions) as s from staging.events group by all"
    assert found(events, sessions=["days", "events"]) == [("sessions", "events")]
    cells = "select date, key, sum(sessions) as s from staging.cells group by all"
    assert found(cells, sessions=["cells", "cubes"]) == [("sessions", "cubes")]
    of_one = "select date, key, sum(sessions) as s from staging.cells where cube = 'a' group by all"
    assert found(of_one) == [("sessions", "cells")]
    assert found(of_one, sessions=["cells"]) == []
    users = "select event_name, sum(users) as s from staging.users group by all"
    assert found(users, users=["windows", "days"]) == [("users", "windows")]


def test_a_sum_stays_a_distinct_count_in_the_next_model() -> None:
    days = Model(
        "marts.days", "select event_name, segment_name, sum(sessions) as s from staging.events "
        "group by all", (), {}, {"sessions": ["days"]},
    )  # fmt: skip
    bad = Model("marts.bad", "select sum(s) as s from marts.days", (), {}, {})
    assert check([STAGED, days, bad], {}) == [
        Violation("marts.bad", "SUM(days.s)", "sessions", "events"),
        Violation("marts.bad", "SUM(days.s)", "sessions", "segments"),
    ]


def test_the_models_of_the_project(dbt: Dbt, new_warehouse) -> None:
    """Compiled as for a first build, on the raw and ops tables of the pipeline."""
    warehouse: Warehouse = new_warehouse()
    nodes = {
        one.node.unique_id: one.node
        for one in dbt(warehouse, "compile", "--select", "resource_type:model").result.results
        if isinstance(one.node, ModelNode)
    }
    models = [_model(nodes[name]) for name in _parents_first(nodes)]
    assert {model.name for model in models if model.distinct} >= {
        "staging.stg_ga4__sessions", "staging.stg_ga4__events", "staging.stg_ga4__funnel",
    }  # fmt: skip
    assert len(models) > 35
    sources = _sources(warehouse, dbt)
    staged = [
        (model, name)
        for model in models
        if model.name.startswith("staging.")
        for name in qualified(model.sql, sources).named_selects
        if name.endswith(("sessions", "users"))
    ]
    assert len(staged) > 10
    assert [f"{one.name}.{name}" for one, name in staged if name not in one.distinct] == []
    assert [str(one) for one in check(models, sources)] == []


def _parents_first(nodes: dict[str, ModelNode]) -> list[str]:
    done: list[str] = []

    def visit(name: str) -> None:
        if name in nodes and name not in done:
            for parent in nodes[name].depends_on.nodes:
                visit(parent)
            done.append(name)

    for name in nodes:
        visit(name)
    return done


def _model(node: ModelNode) -> Model:
    return Model(
        f"{node.schema}.{node.name}",
        node.compiled_code if node.language == "sql" else "",
        tuple(node.columns),
        {
            name: column.config.meta["counts_distinct"]
            for name, column in node.columns.items()
            if "counts_distinct" in column.config.meta
        },
        node.config.meta.get("sums_distinct_counts", {}),
    )


def _sources(warehouse: Warehouse, dbt: Dbt) -> dict[str, list[str]]:
    """Raw and ops tables of the database, and the seeds as their YAML describes them."""
    tables: dict[str, list[str]] = {}
    for table, column in warehouse.query(
        "select schema_name || '.' || table_name, column_name from duckdb_columns() "
        "where schema_name in ('raw', 'ops') order by table_name, column_index"
    ):
        tables.setdefault(table, []).append(column)
    for node in dbt.manifest.nodes.values():
        if node.resource_type == "seed":
            tables[f"seeds.{node.name}"] = list(node.columns)
    return tables
