"""No day is lost on the way: every asked date has rows in a table by day, in more than one gate."""

from __future__ import annotations

from data_checks.model import Bound, Slice, Suite
from data_checks.sql import EMPTY_DATES, IN_WINDOW


def dates_suite(*slices: Slice) -> Suite:
    """The suite over slices of `dates_slice`."""
    return Suite("dates", ("date",), slices, (Bound("date_is_present", "row_count", minimum=1),))


def dates_slice(table: str, *, excuse_empty: bool = False) -> Slice:
    """One row per property × date. Excused: days on which the source itself had no session."""
    excuse = f"anti join ({EMPTY_DATES}) using (property_id, date)" if excuse_empty else ""
    return Slice(
        table,
        f"""
with stored as (
    select property_id, date, count(*) as row_count from {table} where {IN_WINDOW} group by all
)
select property_id, date, coalesce(stored.row_count, 0) as row_count
from asked_properties
cross join asked_dates
left join stored using (property_id, date)
{excuse}
order by property_id, date
""",
    )
