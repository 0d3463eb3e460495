"""docs/metrics.md: up to date, complete, and about columns that there are."""

import re

from pipelines.reference_docs.mart_contracts import read_marts
from pipelines.reference_docs.metrics_document import TARGET, read_document, render

# Columns of rates and shares that are no metric of their own.
NO_METRIC = re.compile(r"^(prior_|item_.*revenue|floor_rate|.*_ci_(low|high)$)")
NAMED_AS_A_METRIC = re.compile(r"(_rate|_share|^lift|_gap|^drop_off|^dwell_seconds|_change)$")


def columns_of_marts() -> dict[str, set[str]]:
    return {name: set(mart.columns) for name, mart in read_marts().items()}


def test_the_file_is_what_make_docs_writes() -> None:
    assert TARGET.read_text(encoding="utf-8") == render(read_document()), "run 'make docs'"


def test_every_metric_has_its_columns() -> None:
    columns = columns_of_marts()
    for metric in read_document().metrics:
        missing = set(metric.columns) - columns[metric.table]
        assert not missing, f"{metric.name}: {metric.table} has no {missing}"
        assert metric.formula and metric.denominator and metric.grain


def test_every_rate_of_a_mart_is_described() -> None:
    told = {(one.table, column) for one in read_document().metrics for column in one.columns}
    untold = {
        f"{table}.{column}"
        for table, columns in columns_of_marts().items()
        for column in columns
        if NAMED_AS_A_METRIC.search(column)
        and not NO_METRIC.match(column)
        and (table, column) not in told
    }
    assert untold == set()


def test_ten_questions_take_one_short_statement_each() -> None:
    questions = read_document().questions
    assert len(questions) == 10
    for _, sql in questions:
        assert ";" not in sql
        assert len(sql) < 300
