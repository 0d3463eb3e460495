"""Names and types of what the pipeline itself writes: schemas and the `ops` tables.

Raw tables take their columns from their `ReportSpec`; everything below is dbt's.
"""

SCHEMAS = ("raw", "ops")

_TIME = "TIMESTAMPTZ"

OPS_TABLES: dict[str, dict[str, str]] = {
    # One row per configured property: who it is, and whether it takes part.
    "properties": {
        "property_id": "VARCHAR PRIMARY KEY",
        "name": "VARCHAR",
        "source": "VARCHAR",
        "time_zone": "VARCHAR",
        "currency": "VARCHAR",
        "store_name": "VARCHAR",
        "industry": "VARCHAR",
        "is_active": "BOOLEAN",
        "custom_dimensions": "VARCHAR",
        "checked_at": _TIME,
    },
    # One row per pull × property × report × date, also for pulls that were held back.
    "pulls": {
        "pull_id": "VARCHAR",
        "run_id": "VARCHAR",
        "property_id": "VARCHAR",
        "report": "VARCHAR",
        "report_version": "INTEGER",
        "date": "DATE",
        "request_hash": "VARCHAR",
        "status": "VARCHAR",
        "row_count": "BIGINT",
        "pages": "INTEGER",
        "tokens": "INTEGER",
        "totals": "VARCHAR",
        "is_sampled": "BOOLEAN",
        "is_thresholded": "BOOLEAN",
        "has_other_row": "BOOLEAN",
        "other_share": "DOUBLE",
        "empty_reason": "VARCHAR",
        "currency": "VARCHAR",
        "time_zone": "VARCHAR",
        "message": "VARCHAR",
        "pulled_at": _TIME,
    },
    "quota": {
        "property_id": "VARCHAR",
        "read_at": _TIME,
        "quota": "VARCHAR",
        "consumed": "BIGINT",
        "remaining": "BIGINT",
    },
    # Rows of an answer that have no readable date.
    "quarantine": {
        "pull_id": "VARCHAR",
        "property_id": "VARCHAR",
        "report": "VARCHAR",
        "date_text": "VARCHAR",
        "row_json": "VARCHAR",
        "reason": "VARCHAR",
        "quarantined_at": _TIME,
    },
    "runs": {
        "run_id": "VARCHAR PRIMARY KEY",
        "command": "VARCHAR",
        "window_start": "DATE",
        "window_end": "DATE",
        "status": "VARCHAR",
        "message": "VARCHAR",
        "code_version": "VARCHAR",
        "started_at": _TIME,
        "finished_at": _TIME,
    },
    "gate_results": {
        "run_id": "VARCHAR",
        "gate": "VARCHAR",
        "property_id": "VARCHAR",
        "table_name": "VARCHAR",
        "expectation": "VARCHAR",
        "severity": "VARCHAR",
        "is_success": "BOOLEAN",
        "observed": "VARCHAR",
        "unexpected_count": "BIGINT",
        "sample": "VARCHAR",
        "checked_at": _TIME,
    },
}
