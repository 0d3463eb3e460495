"""What was sold, in a window and by week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipelines.report.rows.funnel import WEEKS_SHOWN

# Too few sessions to tell whether orders are tracked: no order, where they are on other days. A sum
# over a day that is not known is not known.
_SALES_DAYS = """
    thin as (
        select *, tracking_state = 'unknown_low_volume'
            and bool_or(tracking_state = 'tracked') over () as is_thin
        from marts.fct_sales_daily where property_id = $property and segment_name = 'all'
    ),
    days as (
        select * replace (
            coalesce(purchase_revenue, if(is_thin, 0, null)) as purchase_revenue,
            coalesce(transactions, if(is_thin, 0, null)) as transactions,
            coalesce(purchase_sessions, if(is_thin, 0, null)) as purchase_sessions,
            coalesce(sessions, if(is_thin, 0, null)) as sessions
        ), max(date) over () - date as age
        from thin
    )
"""
_SALES_SUMS = """
    case when count(purchase_revenue) = count(*) then sum(purchase_revenue) end as revenue,
    case when count(transactions) = count(*) then sum(transactions)::bigint end as orders,
    case when bool_and(
        sessions is not null and purchase_sessions is not null and tracking_state <> 'sessionless'
    ) and sum(sessions) > 0 then sum(purchase_sessions) / sum(sessions) end as conversion,
    case when orders > 0 and revenue >= 0 then revenue / orders end as order_value
"""
# One row; none of a property without a day.
SALES = f"""
    with {_SALES_DAYS},
    summed as (
        select age >= $days as is_prior, count(*) as days, any_value(currency) as currency,
            {_SALES_SUMS}
        from days where age < 2 * $days group by is_prior
    )
    select now.* exclude (is_prior), prior.revenue as prior_revenue,
        prior.orders as prior_orders, prior.conversion as prior_conversion,
        prior.order_value as prior_order_value
    from summed as now left join summed as prior on prior.is_prior and prior.days = $days
    where not now.is_prior
"""
SALES_WEEKS = f"""
    with {_SALES_DAYS}
    select min(date) as start, max(date) as "end", {_SALES_SUMS}
    from days where age < 7 * {WEEKS_SHOWN}
    group by age // 7 having count(*) = 7 order by start
"""


@dataclass(frozen=True)
class Sales:
    """Figures of the window's `days` and of the one before; None where a day is not known."""

    days: int
    currency: str | None
    revenue: float | None
    orders: int | None
    conversion: float | None
    order_value: float | None
    prior_revenue: float | None
    prior_orders: int | None
    prior_conversion: float | None
    prior_order_value: float | None


@dataclass(frozen=True)
class SalesWeek:
    """Seven days; None where one of them is not known."""

    start: date
    end: date
    revenue: float | None
    orders: int | None
    conversion: float | None
    order_value: float | None
