"""The statements in BigQuery's and Spark's SQL: they parse, and mean the same read back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from sqlglot import exp, parse_one

from pipelines.clock import Clock
from pipelines.export.dialects import Dialect, translated
from pipelines.export.engine import NO_PARAMETERS, DuckDb
from pipelines.export.statements import statements
from tests.e2e.shop import LAST_DAY
from tests.support.reading import run
from tests.support.routes import REPORTS, landed, simulated

OTHERS = (Dialect.BIGQUERY, Dialect.SPARK)


@pytest.mark.slow
@pytest.mark.parametrize("dialect", OTHERS)
def test_every_statement_parses_as_the_sql_of_another_engine(dialect: Dialect) -> None:
    found = list(statements(REPORTS, dialect))
    assert len(dict(found)) == len(found)
    assert {what.split()[0] for what, _ in found} == {spec.name for spec in REPORTS}
    for _, sql in found:
        parse_one(sql, read=dialect)
        # BigQuery's takes no record to order by.
        assert dialect is not Dialect.BIGQUERY or "min_by" not in sql.lower()


def test_texts_of_the_plan_are_quoted_as_the_other_engine_quotes() -> None:
    text = "it's 5\\n"
    for dialect in OTHERS:
        sql = translated("SELECT 'it''s 5\\n' AS text", dialect)
        (found,) = parse_one(sql, read=dialect).find_all(exp.Literal)
        assert (found.this, "\\\\n" in sql) == (text, True)


@pytest.mark.slow
def test_the_command_prints_them() -> None:
    expected = dict(statements(REPORTS, Dialect.BIGQUERY))
    told = json.loads(run("export-sql", "--json").stdout)
    assert {one["counts"]: one["sql"] for one in told} == expected
    printed = run("export-sql", "--dialect", "bigquery").stdout
    assert printed.count(";\n") == len(expected)
    assert f"-- items\n{expected['items']};\n" in printed


@dataclass(frozen=True)
class ThroughBigQuery(DuckDb):
    """Reads what it would tell BigQuery, and counts that: what a wrong rule changes is seen."""

    def rows(self, paths: Sequence[Path]) -> str:
        view = f"landed_{abs(hash(tuple(paths)))}"
        self.connection.execute(f"CREATE OR REPLACE VIEW {view} AS FROM {super().rows(paths)}")
        return view

    def table(self, sql: str, parameters: Mapping[str, Sequence[str]] = NO_PARAMETERS) -> pa.Table:
        parse_one(translated(sql, Dialect.SPARK), read=Dialect.SPARK)
        tree = parse_one(translated(sql, Dialect.BIGQUERY), read=Dialect.BIGQUERY)
        return super().table(tree.transform(_first_of_list).sql(Dialect.DUCKDB), parameters)


def _first_of_list(node: exp.Expr) -> exp.Expr:
    """`array_agg(… ignore nulls order by … limit 1)`, which sqlglot garbles for DuckDB."""
    if isinstance(node, exp.IgnoreNulls) and isinstance(node.this.this, exp.Limit):
        order = node.this.this.this
        known = exp.Where(this=exp.Not(this=exp.Is(this=order.this.copy(), expression=exp.Null())))
        return exp.Filter(this=exp.ArrayAgg(this=order), expression=known)
    return node


@pytest.mark.slow
def test_bigquerys_statements_count_the_same_but_for_percentiles(tmp_path: Path) -> None:
    events = simulated(tmp_path / "events", scenario="none", seed=1, days=9, sessions=40)
    start = LAST_DAY - timedelta(days=2)
    engines = (DuckDb(), ThroughBigQuery())
    sources = [landed(events, tmp_path / "landed", start, engine) for engine in engines]
    for spec in REPORTS:
        columns = [name for name in spec.own_columns if not name.startswith("seconds_p")]
        ours, theirs = (
            sorted(map(str, one.pull(spec, start, LAST_DAY, clock=Clock()).rows.select(columns)
                       .to_pylist()))
            for one in sources
        )  # fmt: skip
        assert ours == theirs
        assert ours
