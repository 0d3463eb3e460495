"""The published file documents itself: marts.dim_column and marts.dim_metric."""

import re

import pytest

from pipelines.config.settings import Settings
from pipelines.reference_docs.metric_seed import TARGET, metric_rows, to_csv
from pipelines.reference_docs.metrics_document import read_document
from tests.e2e.shop import PROPERTY, published
from tests.unit.test_documents import ROOT
from tests.unit.test_requirement_numbers import cited


def test_every_column_is_in_the_dictionary_as_the_database_has_it(published_home: Settings) -> None:
    with published(published_home) as connection:
        told = connection.execute("select * from marts.dim_column order by all").fetchall()
        there = connection.execute(
            "select columns.table_name, column_index, column_name, lower(data_type), "
            "columns.comment, tables.comment from duckdb_columns() as columns "
            "join duckdb_tables() as tables using (schema_name, table_name) "
            "where schema_name = 'marts' order by all"
        ).fetchall()
    assert len({table for table, *_ in told}) > 20
    assert told == there


def test_metrics_have_a_place_in_the_file(published_home: Settings) -> None:
    with published(published_home) as connection:
        homeless = connection.execute(
            "select metric, place from (select metric, table_name, "
            "unnest(string_split(column_name, ', ')) as place from marts.dim_metric) as metrics "
            "anti join marts.dim_column as columns "
            "on columns.table_name = metrics.table_name and columns.column_name = place"
        ).fetchall()
        counts = connection.execute(
            "select is_semantic, count(*) from marts.dim_metric group by all order by all"
        ).fetchall()
    assert homeless == []
    assert counts == [(False, len(read_document().metrics)), (True, 17)]


def test_the_queries_of_semantic_metrics_answer(published_home: Settings) -> None:
    """They are composed; those of the others are run by test_metrics_document."""
    with published(published_home) as connection:
        queries = connection.execute(
            "select metric, example_query from marts.dim_metric where is_semantic"
        ).fetchall()
        silent = [name for name, query in queries if connection.execute(query).fetchall() == []]
    assert silent == []


@pytest.mark.parametrize(
    ("metric", "independent"),
    [
        # Of the day tables, each counted from other rows than the metric's query reads.
        ("sessions", "sum(parent_sessions) filter (where key = 'email_capture')"),
        (
            "add_to_cart_rate",
            "sum(sessions) filter (where key = 'add_to_cart') "
            "/ sum(sessions) filter (where key = 'product_view')",
        ),
        (
            "email_capture_rate",
            "sum(sessions) filter (where key = 'email_capture') "
            "/ sum(parent_sessions) filter (where key = 'email_capture')",
        ),
    ],
)
def test_a_semantic_metric_is_the_number_of_the_marts(
    published_home: Settings, metric: str, independent: str
) -> None:
    with published(published_home) as connection:
        (query,) = connection.execute(
            "select example_query from marts.dim_metric where metric = ?", [metric]
        ).fetchone()
        ((name, value),) = connection.execute(query).fetchall()
        (wanted,) = connection.execute(
            f"select {independent} from marts.fct_micro_conversion_daily where segment_name = 'all'"
        ).fetchone()
    assert name == PROPERTY
    assert value == wanted > 0


def test_the_seed_is_what_make_docs_writes() -> None:
    assert TARGET.read_text(encoding="utf-8") == to_csv(metric_rows(read_document())), (
        "run 'make docs'"
    )


def test_readers_with_an_older_duckdb_can_open_the_file(published_home: Settings) -> None:
    """docs/bi.md promises DuckDB 1.0: many BI tools bring a driver of their own."""
    with published(published_home) as connection:
        (version,) = connection.execute(
            "select tags['storage_version'] from duckdb_databases() where database_name = 'sluice'"
        ).fetchone()
    assert version == "v1.0.0+"


def test_the_charts_of_the_bi_document_have_rows(published_home: Settings) -> None:
    """Every statement of docs/bi.md, as it stands there."""
    text = (ROOT / "docs" / "bi.md").read_text(encoding="utf-8")
    statements = [block.partition("```")[0] for block in text.split("```sql\n")[1:]]
    assert len(statements) >= 5
    with published(published_home) as connection:
        for statement in statements:
            rows = connection.execute(statement).fetchall()
            assert rows, statement
            assert len(rows) == len(set(rows)), statement


def test_nothing_published_cites_a_requirement_by_its_number(published_home: Settings) -> None:
    """No comment, no word of a seed and no text of the page."""
    current = published_home.published_dir / "current"
    with published(published_home) as connection:
        comments = connection.execute(
            "select comment from duckdb_tables() union all select comment from duckdb_columns()"
        ).fetchall()
        texts = connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() "
            "where data_type = 'VARCHAR' and schema_name in ('marts', 'ops')"
        ).fetchall()
        words = [
            row
            for schema, table, column in texts
            for row in connection.execute(
                f"select distinct {column} from {schema}.{table} where {column} is not null"
            ).fetchall()
        ]
    told = [str(word) for (word,) in (*comments, *words)]
    assert len(told) > 1_000
    assert {text: cited(text) for text in told if cited(text)} == {}
    page = (current / "report.html").read_text(encoding="utf-8")
    # Without code and drawings, whose paths are full of letters and numbers.
    text = re.sub(r"(?s)<(script|style)\b.*?</\1>|<[^>]+>", " ", page)
    assert len(text) > 5_000
    assert cited(text) == set()
