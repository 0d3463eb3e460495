"""Which property of a published version a command is about."""

from __future__ import annotations

import duckdb

from pipelines.errors import ConfigError, WarehouseError
from pipelines.wording import nearest, shown


def chosen_property(connection: duckdb.DuckDBPyConnection, wanted: str | None) -> str:
    """The one that was asked for, or the only one.

    Raises ConfigError for an unknown one and where several could be meant, WarehouseError where
    none is published.
    """
    query = "select property_id from marts.dim_property order by all"
    known = [str(property_id) for (property_id,) in connection.execute(query).fetchall()]
    if not known:
        raise WarehouseError("No property is published yet: run 'sluice nightly'.")
    if wanted is None and len(known) > 1:
        raise ConfigError(f"Several properties are published: give --property {known[0]}, say.")
    if wanted is not None and wanted not in known:
        raise ConfigError(
            f"There is no property {shown(wanted)}; did you mean {nearest(wanted, known)}?"
        )
    return wanted or known[0]
