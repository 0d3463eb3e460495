"""Pieces of SQL that several suites share: the asked window, counted violations.

Tolerances stand in `pipelines.ga4.exactness`, which audits of answers read, too.
"""

from __future__ import annotations

# Put before every slice: DuckDB refuses a bound parameter that the SQL does not name, and this
# names all three.
PREAMBLE = """
with asked_properties as (
    select unnest($properties::varchar[]) as property_id
),
asked_dates as (
    select unnest(generate_series($start::date, $end::date, interval 1 day))::date as date
)
"""

# Dates whose last loaded pull says that the source itself reported no session at all: a shop
# without visitors on a day is not a lost day.
EMPTY_DATES = """
    select property_id, date
    from ops.pulls
    where report = 'sessions_by_all' and status = 'loaded' and date between $start and $end
    qualify row_number() over (
        partition by property_id, date order by pulled_at desc, pull_id desc
    ) = 1 and row_count = 0
"""

ASKED = "property_id in (select property_id from asked_properties)"
IN_WINDOW = f"{ASKED} and date between $start and $end"


def without_counted_otherwise(rows: str, report: str) -> str:
    """SQL join: without the rows of staging's `rows` by key that another tracking plan counted."""
    return f"""anti join intermediate.int_pulls__left_out as otherwise
        on otherwise.property_id = {rows}.property_id and otherwise.window_name = '1d'
        and otherwise.window_end = {rows}.date and otherwise.report = {report}
        and otherwise.name = {rows}.key and otherwise.is_counted_otherwise"""


def counted(name: str, condition: str, key: str) -> str:
    """SQL select items: how many rows meet `condition`, and the key of one of them."""
    return (
        f"count(*) filter (where {condition}) as {name},"
        f" min({key}) filter (where {condition}) as {name}_example"
    )


def key_text(columns: tuple[str, ...]) -> str:
    """SQL: the columns as one readable text, for example `mobile / add_to_cart`."""
    return f"concat_ws(' / ', {', '.join(columns)})" if columns else "'-'"
