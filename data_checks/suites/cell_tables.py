"""Cells, which are parts of the shop by several dimensions at once, in the gates of two stages.

They rest on optional reports: a shop may have none of their rows.
"""

from __future__ import annotations

from dataclasses import replace

from data_checks.model import WARNING, Pair, Slice, Suite
from data_checks.sql import ASKED, IN_WINDOW, without_counted_otherwise
from data_checks.suites.rate_tables import DAY, DAYS, REACH, RateTable, rate_slice
from data_checks.suites.raw_totals import TOTALS_TOLERANCE
from pipelines.ga4.exactness import estimate_allowance_sql

COUNTED = "intermediate.int_cells__counted"
STAGED = "staging.stg_ga4__cells"


def cells_suite() -> Suite:
    """The intermediate gate: nothing of a cell is lost or twice, and cells make up the shop.

    That they do only warns: GA4 may have a session in two parts (new and returning).
    """
    return Suite(
        "cells",
        ("cube", "step_key", "date"),
        (_sums_slice(),),
        (
            Pair("cells_equal_staging", "cells", "staging_cells"),
            Pair(
                "cells_add_up_to_total", "allowed_difference", "difference", "at_least", WARNING,
                ("total", "cells"),
            ),
        ),
    )  # fmt: skip


def _sums_slice() -> Slice:
    """One row per property × date × cube × step: the sum of its cells against staging's, and
    against the sessions of the whole shop.

    Of countries only the largest are asked for, which may add up to less. Cells and total are
    pulled one after the other; where either left rows out, they may differ as they like.
    """
    noise = estimate_allowance_sql("squares + total ** 2", "estimates + 1")
    return Slice(
        COUNTED,
        f"""
with summed as (
    select
        property_id, date, cube, step_key, sum(reached)::double as cells,
        sum(reached ** 2) as squares, count(reached) as estimates,
        bool_and(is_complete) as is_complete
    from {COUNTED} where {IN_WINDOW} group by all
),
staged as (
    select property_id, date, cube, key as step_key, sum(sessions)::double as staging_cells
    from {STAGED} as staged
    {without_counted_otherwise("staged", "staged.report")}
    where {IN_WINDOW} group by all
),
whole as (
    select
        property_id, date, key as step_key, sessions::double as total, is_exact,
        is_complete as is_total_complete
    from {REACH} where {IN_WINDOW} and segment_name = 'all'
)
select
    property_id, date, cube, step_key, coalesce(cells, 0) as cells,
    coalesce(staging_cells, 0) as staging_cells, coalesce(total, 0) as total,
    coalesce(if(cube = 'device_country', cells - total, abs(cells - total)), 0) as difference,
    case
        when not coalesce(is_complete and is_total_complete, false) then difference
        when is_exact then 0
        else round({TOTALS_TOLERANCE} * total + {noise}, 1)
    end as allowed_difference
from summed
left join staged using (property_id, date, cube, step_key)
left join whole using (property_id, date, step_key)
order by property_id, date, cube, step_key
""",
        may_be_empty=True,
    )


_TOTALS = f"""
select
    property_id, date::varchar as period, concat_ws(' / ', cube, step_key) as label,
    sum(reached) filter (where is_mart) as actual,
    sum(reached) filter (where not is_mart) as expected
from (
    select property_id, date, cube, step_key, reached, true as is_mart from chosen
    union all
    select property_id, date, cube, step_key, reached, false as is_mart
    from {COUNTED} where {ASKED} and {DAYS}
)
group by all
"""


def cell_rates() -> Slice:
    """The marts gate: rates of cells, which have no interval, as a day of a cell is small."""
    table = RateTable(
        "marts.fct_cell_funnel",
        DAY,
        DAYS,
        ("date", "cube", "device", "channel", "visitor", "country", "step_number"),
        "reached",
        "previous_reached",
        "step_rate",
        _TOTALS,
        interval=("null::double", "null::double"),
    )
    return replace(rate_slice(table), may_be_empty=True)
