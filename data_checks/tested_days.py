"""Which days of the tables by day need no test any more, as `ops.tested_days` remembers.

A row that was tested when its day was built is as it was. A day loses its place there before it is
built anew (`forget_stale_days` in dbt_project/macros/days.sql), whatever becomes of that run.
"""

from __future__ import annotations

import duckdb

from data_checks.model import GateReport
from pipelines import __version__
from pipelines.sql_text import literal

# Condition on a row of a table by day: this version's tests let its day through. NULL of a row
# without a day.
IS_TESTED = f"""
    (property_id, date) in (
        select (property_id, date) from ops.tested_days where code_version = {literal(__version__)}
    )
"""


def remember_tested_days(connection: duckdb.DuckDBPyConnection, report: GateReport) -> None:
    """After the last gate: the days of every property that passed; of none where the night stops.

    `connection` must be in a transaction.
    """
    if report.stops_all:
        return
    passed = {result.property_id for result in report.results} - {None, *report.held_back}
    connection.execute(
        "delete from ops.tested_days where list_contains(?, property_id)", [list(passed)]
    )
    connection.execute(
        "insert into ops.tested_days by name select property_id, date, ? as code_version "
        "from intermediate.int_days__versioned where list_contains(?, property_id)",
        [__version__, list(passed)],
    )
