"""Statements in DuckDB's SQL → the same in Spark's and BigQuery's.

sqlglot knows nearly all of it; what it leaves as it is has a rule here.
"""

from __future__ import annotations

from enum import StrEnum

from sqlglot import ErrorLevel, exp, parse_one


class Dialect(StrEnum):
    """Whose SQL."""

    DUCKDB = "duckdb"
    SPARK = "spark"
    BIGQUERY = "bigquery"


def translated(sql: str, dialect: Dialect) -> str:
    """A statement in another engine's words; raises UnsupportedError where it has none."""
    tree = parse_one(sql, read=Dialect.DUCKDB)
    if dialect is Dialect.SPARK:
        tree = tree.transform(_for_spark)
    if dialect is Dialect.BIGQUERY:
        tree = tree.transform(_for_bigquery)
    return tree.sql(dialect, unsupported_level=ErrorLevel.RAISE, pretty=True)


def _for_spark(node: exp.Expr) -> exp.Expr:
    """Its percentile_cont takes one share, its percentile a list of them."""
    if isinstance(node, exp.PercentileCont):
        return exp.Anonymous(this="percentile", expressions=[node.this, node.expression])
    return node


def _for_bigquery(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.Filter(this=exp.PercentileCont()):
            text = _percentiles(_filtered(node), node.this.expression.expressions)
        case exp.ArgMin():
            # Its min_by takes no record to order by.
            key = node.expression
            order = ", ".join(map(_sql, key.expressions if isinstance(key, exp.Tuple) else [key]))
            value = f"{_sql(node.this)} ignore nulls order by {order} limit 1"
            text = f"array_agg({value})[safe_offset(0)]"
        case _:
            return node
    return parse_one(text, read=Dialect.BIGQUERY)


def _percentiles(values: str, shares: list[exp.Expr]) -> str:
    """It has exact ones for windows only; and a list that leaves it must not hold a NULL."""
    listed = ", ".join(
        f"approx_quantiles({values}, 100)[offset({round(float(share.this) * 100)})]"
        for share in shares
    )
    return f"if(count({values}) = 0, null, [{listed}])"


def _filtered(node: exp.Filter) -> str:
    """What an aggregate with a FILTER is about, NULL elsewhere."""
    return f"if({_sql(node.expression.this)}, {_sql(node.this.this)}, null)"


def _sql(node: exp.Expr) -> str:
    return node.sql(Dialect.BIGQUERY)
