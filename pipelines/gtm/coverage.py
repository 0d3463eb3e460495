"""What GA4 gets of a property's keys, as its published version tells."""

from __future__ import annotations

import duckdb

from pipelines.gtm.events import Coverage

# An event that has come (back) since is on its way to be tracked: a further tag would double it.
_KEYS = """
    select key,
        case
            when tracking_state = 'not_tracked' and coalesce(events_28d, 0) = 0
                or tracking_state = 'tracking_lost' and last_seen_date < as_of_date then 'missing'
            when tracking_state = 'unknown_low_volume' then 'undecided'
            when events_28d > 0 then 'received'
        end as found
    from marts.fct_tracking_coverage
    where property_id = $property_id
"""


def read_coverage(connection: duckdb.DuckDBPyConnection, property_id: str) -> Coverage:
    """Of the newest published day; keys that are not applicable or withheld are in none of it."""
    rows = connection.execute(_KEYS, {"property_id": property_id}).fetchall()

    def keys(found: str) -> frozenset[str]:
        return frozenset(key for key, of in rows if of == found)

    return Coverage(keys("missing"), keys("received"), keys("undecided"))
