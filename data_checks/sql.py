"""Pieces of SQL that several suites share: the asked window, tolerances, counted violations."""

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

# GA4 counts sessions with HyperLogLog at precision 12, σ = 0.023 (ANALYTICS §4); below 3,000 the
# sketch is exact. Four σ, so that a true shop is held back less than once in 10,000 checks.
HLL_SIGMA = 0.023
HLL_EXACT_BELOW = 3000
HLL_TOLERANCE = 4 * HLL_SIGMA

ASKED = "property_id in (select property_id from asked_properties)"
IN_WINDOW = f"{ASKED} and date between $start and $end"


def hll_allowance(count: str, is_exact: str = "is_exact") -> str:
    """SQL: by how much a true relation to `count` sessions may look broken (sessions)."""
    return (
        f"case when coalesce({is_exact}, false) or {count} <= {HLL_EXACT_BELOW} then 0"
        f" else {HLL_TOLERANCE:.3f} * {count} end"
    )


def counted(name: str, condition: str, key: str) -> str:
    """SQL select items: how many rows meet `condition`, and the key of one of them."""
    return (
        f"count(*) filter (where {condition}) as {name},"
        f" min({key}) filter (where {condition}) as {name}_example"
    )


def key_text(columns: tuple[str, ...]) -> str:
    """SQL: the columns as one readable text, for example `mobile / add_to_cart`."""
    return f"concat_ws(' / ', {', '.join(columns)})" if columns else "'-'"
