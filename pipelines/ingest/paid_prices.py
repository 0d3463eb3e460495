"""What pulls cost, as those before them did: nobody is asked, and no token is spent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import duckdb

# The longest pull of each report tells most of a long one; of equal ones the newest.
_PAID = """
    select property_id, report, sum(tokens)::bigint, count(distinct date)
    from ops.pulls
    where status in ('loaded', 'refused') and coalesce(route, 'data_api') = 'data_api'
    group by property_id, report, pull_id
    qualify row_number() over (
        partition by property_id, report order by count(distinct date) desc, max(pulled_at) desc
    ) = 1
"""


@dataclass(frozen=True)
class PaidPrice:
    """The core tokens of a pull, and the days that it was about."""

    tokens: int
    days: int

    def of(self, days: int) -> int:
        """The same for so many days: GA4's price grows with the rows that it reads."""
        return math.ceil(self.tokens * days / self.days)


def paid_prices(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], PaidPrice]:
    """(property, report) → its price, of every report that was pulled before."""
    rows = connection.execute(_PAID).fetchall()
    return {(name, report): PaidPrice(tokens or 0, days) for name, report, tokens, days in rows}
