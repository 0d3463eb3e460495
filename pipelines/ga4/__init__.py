"""Everything about Google's Data API: what to ask, how to ask, how to read the answer.

No Dagster and no DuckDB in here: a report comes out as an Arrow table with its audit trail.
"""
