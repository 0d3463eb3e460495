"""Filter expressions → SQL conditions with bound parameters.

The caller says which SQL stands for which field name; text of the request only ever travels as a
parameter. Conditions are never NULL, so that `not` turns them around cleanly. Expressions of
reports and of funnels are groups alike and differ in their leaves only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from google.analytics.data_v1beta import types as ga4

from pipelines.emulator.server.errors import invalid_argument

_MATCH = ga4.Filter.StringFilter.MatchType
_OPERATION = ga4.Filter.NumericFilter.Operation

# Column and value are the placeholders; both sides are folded unless case matters.
_TEXT_MATCHES = {
    _MATCH.MATCH_TYPE_UNSPECIFIED: "{column} = {value}",
    _MATCH.EXACT: "{column} = {value}",
    _MATCH.BEGINS_WITH: "starts_with({column}, {value})",
    _MATCH.ENDS_WITH: "ends_with({column}, {value})",
    _MATCH.CONTAINS: "contains({column}, {value})",
}
# Google's and DuckDB's regular expressions are both RE2.
_REGEX_MATCHES = {
    _MATCH.FULL_REGEXP: "regexp_full_match({column}, ?, '{option}')",
    _MATCH.PARTIAL_REGEXP: "regexp_matches({column}, ?, '{option}')",
}
_COMPARISONS = {
    _OPERATION.EQUAL: "=",
    _OPERATION.LESS_THAN: "<",
    _OPERATION.LESS_THAN_OR_EQUAL: "<=",
    _OPERATION.GREATER_THAN: ">",
    _OPERATION.GREATER_THAN_OR_EQUAL: ">=",
}


@dataclass(frozen=True)
class Condition:
    """SQL with `?` placeholders, and their values in order."""

    sql: str = "true"
    parameters: tuple[Any, ...] = ()


def filter_fields(expression: Any) -> Iterator[str]:
    """Every field name in a filter expression, in reading order."""
    kind = expression.WhichOneof("expr")
    if kind in {"and_group", "or_group"}:
        for one in getattr(expression, kind).expressions:
            yield from filter_fields(one)
    elif kind == "not_expression":
        yield from filter_fields(expression.not_expression)
    elif kind == "filter":
        yield expression.filter.field_name


def compile_filter(expression: Any, column_of: Callable[[str], str]) -> Condition:
    """The condition of a `FilterExpression`; an expression that says nothing is always true.

    Raises ApiError (INVALID_ARGUMENT) for empty groups and filters without a value.
    """
    return compile_groups(
        expression,
        lambda one: value_condition(one, one.field_name, column_of(one.field_name)),
    )


def compile_groups(expression: Any, compile_leaf: Callable[[Any], Condition]) -> Condition:
    """The condition of any expression of and, or, not and leaves; empty is always true."""
    kind = expression.WhichOneof("expr")
    if kind is None:
        return Condition()
    if kind == "not_expression":
        inner = compile_groups(expression.not_expression, compile_leaf)
        return Condition(f"NOT ({inner.sql})", inner.parameters)
    if kind not in {"and_group", "or_group"}:
        return compile_leaf(getattr(expression, kind))
    parts = [compile_groups(one, compile_leaf) for one in getattr(expression, kind).expressions]
    if not parts:
        raise invalid_argument(f"The {kind} of a filter expression must contain expressions.")
    return joined(parts, " AND " if kind == "and_group" else " OR ")


def joined(parts: Iterable[Condition], glue: str) -> Condition:
    """Several conditions as one."""
    listed = list(parts)
    return Condition(
        f"({glue.join(f'({part.sql})' for part in listed)})",
        tuple(value for part in listed for value in part.parameters),
    )


def value_condition(one: Any, field: str, column: str) -> Condition:
    """The condition of one leaf's `one_filter` on a column; `field` is for error messages."""
    kind = one.WhichOneof("one_filter")
    if kind == "string_filter":
        return _string(one.string_filter, column)
    if kind == "in_list_filter":
        return _in_list(one.in_list_filter, field, column)
    if kind == "numeric_filter":
        return _numeric(one.numeric_filter, field, column)
    if kind == "between_filter":
        low = _number(one.between_filter.from_value, field)
        high = _number(one.between_filter.to_value, field)
        return Condition(f"coalesce({_as_number(column)} BETWEEN ? AND ?, false)", (low, high))
    if kind == "empty_filter":
        return Condition(f"{_as_text(column)} IN ('', '(not set)')")
    raise invalid_argument(f"The filter on field {field} has no filter type.")


def _string(one: Any, column: str) -> Condition:
    text = _as_text(column)
    if one.match_type in _REGEX_MATCHES:
        option = "c" if one.case_sensitive else "i"
        sql = _REGEX_MATCHES[one.match_type].format(column=text, option=option)
    else:
        sql = _TEXT_MATCHES[one.match_type].format(
            column=_fold(text, one.case_sensitive), value=_fold("?", one.case_sensitive)
        )
    return Condition(sql, (one.value,))


def _in_list(one: Any, field: str, column: str) -> Condition:
    if not one.values:
        raise invalid_argument(f"The in_list_filter on field {field} must have values.")
    values = ", ".join([_fold("?", one.case_sensitive)] * len(one.values))
    # Of a long list (72 pages) three times as fast as IN.
    return Condition(
        f"list_contains([{values}], {_fold(_as_text(column), one.case_sensitive)})",
        tuple(one.values),
    )


def _numeric(one: Any, field: str, column: str) -> Condition:
    comparison = _COMPARISONS.get(one.operation)
    if comparison is None:
        raise invalid_argument(f"The numeric_filter on field {field} has no operation.")
    value = _number(one.value, field)
    return Condition(f"coalesce({_as_number(column)} {comparison} ?, false)", (value,))


def _number(value: Any, field: str) -> float:
    kind = value.WhichOneof("one_value")
    if kind is None:
        raise invalid_argument(f"The filter on field {field} has no numeric value.")
    return float(getattr(value, kind))


def _fold(sql: str, case_sensitive: bool) -> str:
    return sql if case_sensitive else f"lower({sql})"


def _as_text(column: str) -> str:
    return f"CAST({column} AS VARCHAR)"


def _as_number(column: str) -> str:
    return f"TRY_CAST({column} AS DOUBLE)"
