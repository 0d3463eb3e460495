"""dbt's generic data tests of a stage, judged together: one query a table, not one a test.

They stay ordinary tests in the models' YAML (`dbt test` runs them as ever); the gate reads them
from dbt's manifest. Three hundred of them one by one take a third of a small night; and dbt's own
queries do not say whose rows failed, without which one property's fault would stop all of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import duckdb

from data_checks.model import CRITICAL, WARNING, GateRequestError, GateResult, Severity, Window
from data_checks.tested_days import IS_TESTED
from pipelines.sql_text import literal

# Seeds are loaded with the first layer, so their tests belong to its gate.
_LAYER_OF_SEEDS = "staging"
SAMPLE_SIZE = 5


@dataclass(frozen=True)
class ModelTest:
    """One generic test. `broken`: SQL condition of a row that breaks it, or `key`: what is unique.

    `within`: SQL condition of the rows that are tested, which may bind `$start` and `$end`.
    `is_by_day`: of a table whose days stay until they are built anew, and are tested until then.
    """

    table_name: str
    name: str
    shown: tuple[str, ...]
    broken: str = ""
    key: tuple[str, ...] = ()
    within: str = "true"
    severity: Severity = CRITICAL
    is_by_day: bool = False

    @property
    def count(self) -> str:
        """SQL expression over `tested`: rows (or keys) that break the test."""
        if not self.key:
            return f"count(*) filter (where ({self.within}) and ({self.broken}))"
        keys = ", ".join(self.key)
        return (
            f"(select count(*) from (select {keys} from tested where {self.within} "
            f"group by {keys} having count(*) > 1 or {_any_null(self.key)}))"
        )

    @property
    def rows(self) -> str:
        """SQL: the rows of `tested` that break the test."""
        if not self.key:
            return f"select * from tested where ({self.within}) and ({self.broken})"
        return (
            f"select * from tested where {self.within} "
            f"qualify count(*) over (partition by {', '.join(self.key)}) > 1 "
            f"or {_any_null(self.key)}"
        )


def tests_of_layer(
    manifest: Mapping[str, Any], layer: str, without: Collection[str] = ()
) -> tuple[ModelTest, ...]:
    """The generic tests whose tables all exist once `layer` is built, in the order of their tables.

    `without`: tags of models that are not built.
    Raises GateRequestError for a kind of test that this module cannot judge.
    """
    nodes = manifest["nodes"]
    found = [
        read_test(node, nodes)
        for node in nodes.values()
        if node["resource_type"] == "test" and node.get("test_metadata")
        if _last_layer(node, nodes, list(_LAYERS)) == layer
        if not any(set(without) & set(nodes[one]["tags"]) for one in node["depends_on"]["nodes"])
    ]
    return tuple(sorted(found, key=lambda one: (one.table_name, one.name)))


_LAYERS = ("staging", "intermediate", "marts")


def _last_layer(test: Mapping[str, Any], nodes: Mapping[str, Any], layers: list[str]) -> str:
    """The last layer among the tables that a test reads."""
    places = [0]
    for unique_id in test["depends_on"]["nodes"]:
        node = nodes[unique_id]
        tags = {_LAYER_OF_SEEDS} if node["resource_type"] == "seed" else set(node["tags"])
        places += [layers.index(tag) for tag in tags & set(layers)]
    return layers[max(places)]


def read_test(node: Mapping[str, Any], nodes: Mapping[str, Any]) -> ModelTest:
    """The generic test of a manifest's node; `nodes` are all of them.

    Raises GateRequestError for a kind of test that this module cannot judge.
    """
    kind, arguments = node["test_metadata"]["name"], node["test_metadata"]["kwargs"]
    column = node.get("column_name") or arguments.get("column_name") or ""
    where = node["config"].get("where")
    tested = nodes[node["attached_node"]]
    common: dict[str, Any] = {
        "table_name": _relation(tested),
        "is_by_day": tested["config"]["materialized"] == "incremental",
        "severity": CRITICAL if node["config"]["severity"].upper() == "ERROR" else WARNING,
        "within": f"({where})" if where else "true",
    }
    one: dict[str, Any] = {"name": f"{kind}({column})", "shown": (column,), **common}
    match kind:
        case "not_null":
            return ModelTest(**one, broken=f"{column} is null")
        case "unique":
            within = f"{one.pop('within')} and {column} is not null"
            return ModelTest(**one, within=within, key=(column,))
        case "accepted_values":
            return ModelTest(**one, broken=f"{column} not in ({_values(arguments)})")
        case "relationships":
            parent, field = _parent(arguments["to"], nodes), arguments["field"]
            one["name"] = f"{kind}({column} -> {parent}.{field})"
            known = f"select {field} from {parent} where {field} is not null"
            return ModelTest(**one, broken=f"{column} is not null and {column} not in ({known})")
        case "unique_grain":
            columns = tuple(arguments["columns"])
            within = f"{common.pop('within')} and {_RECENT[arguments.get('only', 'all')]}"
            name = f"{kind}({', '.join(columns)})"
            return ModelTest(**common, name=name, shown=columns, within=within, key=columns)
    raise GateRequestError(
        f"The gates cannot judge the dbt test {node['name']} of the kind {kind}: write it "
        "as a singular test under dbt_project/tests, or teach data_checks/dbt_tests.py the kind."
    )


# As the macro tested_rows.
_RECENT = {"all": "true", "window": "date between $start and $end"}


def judge_tests(
    tests: Sequence[ModelTest],
    connection: duckdb.DuckDBPyConnection,
    window: Window,
    properties: Sequence[str],
) -> list[GateResult]:
    """One result per test that passes, and one per property of a test that does not.

    Rows of other properties than `properties` are not judged: those rest. A failure that no row
    lays to a property (a seed, a table without the column) has the property None.
    """
    values = {"start": window.start, "end": window.end, "properties": list(properties)}
    results: list[GateResult] = []
    for table, of_table in groupby(tests, key=lambda one: one.table_name):
        try:
            results += _judge_table(table, list(of_table), connection, values)
        except duckdb.Error as error:
            reason = f"it cannot be tested: {str(error).splitlines()[0]}"
            results.append(
                GateResult(None, table, "table_can_be_tested", CRITICAL, False, reason, 1)
            )
    return results


def _judge_table(
    table: str,
    tests: Sequence[ModelTest],
    connection: duckdb.DuckDBPyConnection,
    values: dict[str, Any],
) -> list[GateResult]:
    tested = _tested(connection, table, is_by_day=tests[0].is_by_day)
    # The first count makes it one row, also where every other item is a query of its own.
    counts = ", ".join(("count(*)", *(one.count for one in tests)))
    _, *found = connection.execute(f"{tested} select {counts} from tested", values).fetchone() or ()
    results: list[GateResult] = []
    for one, count in zip(tests, found, strict=True):
        results += _failures(one, connection, tested, values) if count else [_passed(one)]
    return results


def _tested(connection: duckdb.DuckDBPyConnection, table: str, *, is_by_day: bool) -> str:
    """SQL: the CTE `tested`. All three values are named, since DuckDB refuses one that is not."""
    columns = connection.execute(f"describe {table}").fetchall()
    own = any(name == "property_id" for name, *_ in columns)
    mine = (
        "property_id is null or list_contains($properties, property_id::varchar)" if own else "true"
    )
    if is_by_day:
        # Also a row without a day, and one on a day that nobody built.
        mine = f"({mine}) and ({IS_TESTED}) is not true"
    owner = "" if own else ", null::varchar as property_id"
    return (
        f"with given as (select $start::date, $end::date, $properties::varchar[]), "
        f"tested as (select *{owner} from {table} where {mine})"
    )


def _failures(
    test: ModelTest, connection: duckdb.DuckDBPyConnection, tested: str, values: dict[str, Any]
) -> Iterator[GateResult]:
    shown = ", ".join(f"'{name}': {name}::varchar" for name in test.shown)
    rows = connection.execute(
        f"{tested} select property_id, count(*), list({{{shown}}})[:{SAMPLE_SIZE}] "
        f"from ({test.rows}) group by property_id order by property_id",
        values,
    ).fetchall()
    for property_id, count, sample in rows:
        noun = "row" if count == 1 else "rows"
        yield GateResult(
            property_id, test.table_name, test.name, test.severity, False,
            f"{count} {noun}", count, tuple(sample),
        )  # fmt: skip


def _passed(test: ModelTest) -> GateResult:
    return GateResult(None, test.table_name, test.name, test.severity, True, "0 rows", 0)


def _relation(node: Mapping[str, Any]) -> str:
    return f"{node['schema']}.{node['alias']}"


def _parent(reference: str, nodes: Mapping[str, Any]) -> str:
    """The table of `ref('name')`."""
    name = re.fullmatch(r"ref\(['\"](\w+)['\"]\)", reference.strip())
    for node in nodes.values():
        if name and node["name"] == name[1] and node["resource_type"] in {"model", "seed"}:
            return _relation(node)
    raise GateRequestError(f"A relationships test points at {reference}, which is no model.")


def _values(arguments: Mapping[str, Any]) -> str:
    is_text = arguments.get("quote", True)
    return ", ".join(literal(value) if is_text else str(value) for value in arguments["values"])


def _any_null(columns: Sequence[str]) -> str:
    return " or ".join(f"{name} is null" for name in columns)
