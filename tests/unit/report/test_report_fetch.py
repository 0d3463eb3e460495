"""Rows of the published version as the page's classes."""

from dataclasses import dataclass

import duckdb

from pipelines.report.fetch import fetch


@dataclass(frozen=True)
class Worth:
    amount: float | None
    rate: float | None


def test_what_is_no_number_is_none() -> None:
    with duckdb.connect() as connection:
        rows = fetch(
            connection,
            Worth,
            "select unnest(['nan'::double, 'inf'::double, 2.5]) as amount, 0.5::double as rate",
        )
    assert rows == (Worth(None, 0.5), Worth(None, 0.5), Worth(2.5, 0.5))
