"""What later nights know of findings: those that a run is about to publish."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipelines.warehouse.connect import build_database
from pipelines.warehouse.schema import OPS_TABLES
from pipelines.warehouse.transactions import transaction

_COLUMNS = ", ".join(OPS_TABLES["findings"])


def remember_findings(build_db: Path, kept_back: Iterable[str]) -> None:
    """Put today's findings into `ops.findings`, in the place of what an earlier run told of the
    same days. Properties that are `kept_back` keep what they have.
    """
    with build_database(build_db) as connection, transaction(connection):
        connection.execute(
            "create or replace temp table told as "
            "select property_id, max(window_end) as window_end from marts.fct_leak "
            "where window_name = '28d' and not list_contains(?, property_id) group by property_id",
            [list(kept_back)],
        )
        connection.execute(
            "delete from ops.findings where (property_id, window_end) in (from told)"
        )
        connection.execute(
            f"insert into ops.findings ({_COLUMNS}) select {_COLUMNS} "
            "from marts.fct_finding semi join told using (property_id, window_end)"
        )
