"""What was sold, in a window and by week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipelines.report.rows.funnel import WEEKS_SHOWN


def is_one_currency(amount: str) -> str:
    """SQL: whether what is not 0 of `amount` is of one currency; of several there is no sum."""
    return f"count(distinct currency) filter (where {amount} <> 0) < 2"


_CURRENCY = (
    "coalesce(any_value(currency) filter (where purchase_revenue <> 0), any_value(currency)) "
    "as currency"
)
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
_SALES_SUMS = f"""
    case when count(purchase_revenue) = count(*) and {is_one_currency("purchase_revenue")}
        then sum(purchase_revenue) end as revenue,
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
        select age >= $days as is_prior, count(*) as days, {_CURRENCY}, {_SALES_SUMS}
        from days where age < 2 * $days group by is_prior
    )
    select now.* exclude (is_prior),
        if(prior.currency = now.currency, prior.revenue, null) as prior_revenue,
        prior.orders as prior_orders, prior.conversion as prior_conversion,
        if(prior.currency = now.currency, prior.order_value, null) as prior_order_value
    from summed as now left join summed as prior on prior.is_prior and prior.days = $days
    where not now.is_prior
"""
# Money of the newest week's currency only: they stand in one chart.
SALES_WEEKS = f"""
    with {_SALES_DAYS},
    weeks as (
        select min(date) as start, max(date) as "end", {_CURRENCY}, {_SALES_SUMS}
        from days where age < 7 * {WEEKS_SHOWN}
        group by age // 7 having count(*) = 7
    )
    select * exclude (currency) replace (
        if(currency = last(currency order by start) over (), revenue, null) as revenue,
        if(currency = last(currency order by start) over (), order_value, null) as order_value
    )
    from weeks order by start
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
