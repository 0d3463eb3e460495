"""All or nothing: every writer of several statements uses this."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing, also when the process is interrupted."""
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        # A commit that failed has ended the transaction; its own error is the one to show.
        with suppress(duckdb.TransactionException):
            connection.execute("rollback")
        raise
