"""Which models add up what must not be added up: sums of distinct counts, traced through SQL.

A column of a staging model with `meta: {counts_distinct: sessions}` (or users) is a distinct
count. It stays one through renaming, CASE, COALESCE, + and -, windows and other models; a
quotient of two is none. What a sum goes over are the dimensions of the summed rows that it
neither groups by nor holds fixed. `meta: {sums_distinct_counts: {sessions: [days]}}` of a model
allows what docs/analytics.md calls nearly additive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

# Columns that say of what a count is; a window is named by its end.
DIMENSIONS = {
    "days": {"date"},
    "windows": {"window_name", "window_end"},
    "events": {"key", "event_name", "step_key", "micro_key"},
    "segments": {"segment_name", "segment_value"},
    "devices": {"device_category"},
    "cubes": {"cube"},
    "cells": {"device", "channel", "visitor", "country"},
    "pages": {"page_path"},
    "values": {"parameter_value"},
}
NEARLY_ADDITIVE = {"sessions": {"days", "devices", "cells"}}
# What leaves a count a count; the rest of a CASE or a window is no part of its value.
_CARRIERS = (
    exp.Coalesce, exp.Cast, exp.TryCast, exp.Paren, exp.Neg, exp.Add, exp.Sub, exp.Greatest,
    exp.Least, exp.Nullif, exp.Round, exp.Max, exp.Min, exp.AnyValue, exp.ArgMax, exp.ArgMin,
    exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.Sum, exp.Filter, exp.Window, exp.If,
    exp.Case, exp.Alias, exp.IgnoreNulls,
)  # fmt: skip
_FIRST_ONLY = (
    exp.ArgMax, exp.ArgMin, exp.Coalesce, exp.Lag, exp.Lead, exp.Nullif, exp.Filter, exp.Window,
)  # fmt: skip
Columns = Mapping[str, str]


@dataclass(frozen=True)
class Model:
    """A model's SQL (compiled), or its columns where it is Python; and what its YAML says.

    `distinct`: column → what it counts. `allowed`: what it counts → over what it may be summed.
    """

    name: str
    sql: str
    columns: tuple[str, ...]
    distinct: Columns
    allowed: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Violation:
    """One sum that is not allowed."""

    model: str
    sql: str
    unit: str
    over: str

    def __str__(self) -> str:
        return f"{self.model}: {self.sql} adds up {self.unit} over {self.over}"


def check(models: Sequence[Model], sources: Mapping[str, Sequence[str]]) -> list[Violation]:
    """`models`: parents first, named as in their SQL (`schema.table`), as are the `sources`."""
    tables = {name: list(columns) for name, columns in sources.items()}
    units: dict[tuple[str, str], str] = {}
    found: list[Violation] = []
    for model in models:
        own = dict(model.distinct)
        if model.columns:
            tables[model.name] = list(model.columns)
        if model.sql:
            tree = qualified(model.sql, tables)
            found += _violations(model, tree, tables, units)
            tables[model.name] = tree.named_selects
            for name, unit in _outputs(tree, units).items():
                own.setdefault(name, unit)
        units.update({(model.name, name): unit for name, unit in own.items()})
    return found


def qualified(sql: str, tables: Mapping[str, list[str]]) -> exp.Query:
    """The query with each column by its table, each star by its columns; `tables` have them."""
    parsed = parse_one(sql, dialect="duckdb")
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for read in parsed.find_all(exp.Table):
        if columns := tables.get(f"{read.db}.{read.name}"):
            schema.setdefault(read.db, {})[read.name] = dict.fromkeys(columns, "text")
    tree = qualify(
        parsed, schema=schema, dialect="duckdb", validate_qualify_columns=False,
        quote_identifiers=False,
    )  # fmt: skip
    assert isinstance(tree, exp.Query)
    return tree


def _outputs(tree: exp.Query, units: Mapping[tuple[str, str], str]) -> dict[str, str]:
    root = traverse_scope(tree)[-1]
    return {name: unit for name in tree.named_selects if (unit := _column_unit(root, name, units))}


def _column_unit(scope: Scope, name: str, units: Mapping[tuple[str, str], str]) -> str | None:
    """What the output column `name` of a scope counts."""
    if scope.set_operation_scopes and scope.expression.args.get("by_name"):
        named = (_column_unit(one, name, units) for one in scope.set_operation_scopes)
        return next((unit for unit in named if unit), None)
    if scope.set_operation_scopes:
        position = scope.expression.named_selects.index(name)
        branches = (
            _column_unit(one, one.expression.named_selects[position], units)
            for one in scope.set_operation_scopes
        )
        return next((unit for unit in branches if unit), None)
    select = next((one for one in scope.expression.selects if one.alias_or_name == name), None)
    return _unit(select, scope, units) if select is not None else None


def _unit(node: exp.Expression, scope: Scope, units: Mapping[tuple[str, str], str]) -> str | None:
    """What an expression counts; None where it is no distinct count."""
    if isinstance(node, exp.Column):
        source = scope.sources.get(node.table)
        if isinstance(source, exp.Table):
            return units.get((f"{source.db}.{source.name}", node.name))
        return _column_unit(source, node.name, units) if source else None
    if not isinstance(node, _CARRIERS):
        return None
    return next((unit for one in _values(node) if (unit := _unit(one, scope, units))), None)


def _values(node: exp.Expression) -> Iterator[exp.Expression]:
    """The parts of an expression that become its value."""
    if isinstance(node, exp.Case):
        yield from (one.args["true"] for one in node.args["ifs"])
        if default := node.args.get("default"):
            yield default
    elif isinstance(node, exp.If):
        yield from (node.args[name] for name in ("true", "false") if node.args.get(name))
    elif isinstance(node, _FIRST_ONLY):
        yield node.this
    else:
        yield from node.iter_expressions()


def _violations(
    model: Model,
    tree: exp.Query,
    tables: Mapping[str, list[str]],
    units: Mapping[tuple[str, str], str],
) -> Iterator[Violation]:
    for scope in traverse_scope(tree):
        for total in scope.find_all(exp.Sum, exp.Avg):
            unit = _unit(total.this, scope, units)
            if unit is None:
                continue
            allowed = set(model.allowed.get(unit, ())) & NEARLY_ADDITIVE.get(unit, set())
            for over in sorted(_summed_over(total, scope, tables) - allowed):
                yield Violation(model.name, total.sql(dialect="duckdb"), unit, over)


def _summed_over(total: exp.Expression, scope: Scope, tables: Mapping[str, list[str]]) -> set[str]:
    """Dimensions of the summed rows that differ within the sum; `rows` where none is known."""
    source = scope.sources.get(next(total.this.find_all(exp.Column)).table)
    if isinstance(source, exp.Table):
        visible = set(tables[f"{source.db}.{source.name}"])
    else:
        visible = set(source.expression.named_selects) if source else set()
    there = {name: columns & visible for name, columns in DIMENSIONS.items() if columns & visible}
    kept = _kept(total, scope) | _fixed(scope)
    return {name for name, columns in there.items() if not columns & kept} if there else {"rows"}


def _kept(total: exp.Expression, scope: Scope) -> set[str]:
    """Names that the sum is grouped or partitioned by."""
    window = total.find_ancestor(exp.Window)
    if window is not None and _is_value_of(total, window):
        named = window.args.get("alias")
        partition = window.args.get("partition_by") or []
        if named is not None:
            partition = next(
                one.args.get("partition_by") or []
                for one in scope.expression.args.get("windows") or []
                if one.name == named.name
            )
        # A window in the order of the dates adds up days; the frame does not matter.
        return {one.name for part in partition for one in part.find_all(exp.Column)}
    group = scope.expression.args.get("group")
    if group is None:
        return set()
    if group.args.get("all"):
        parts = [one for one in scope.expression.selects if not one.find(exp.AggFunc)]
    else:
        parts = group.expressions
    return {one.name for part in parts for one in part.find_all(exp.Column)}


def _is_value_of(total: exp.Expression, window: exp.Expression) -> bool:
    value = window.this
    while isinstance(value, exp.Filter):
        value = value.this
    return value is total


def _fixed(scope: Scope) -> set[str]:
    """Names that the scope's WHERE holds at one constant."""
    where = scope.expression.args.get("where")
    equalities = where.find_all(exp.EQ) if where else ()
    return {one.left.name for one in equalities if isinstance(one.right, exp.Literal)}
