"""Shopify's own count of the shop, and GA4's beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from pipelines.report.rows.sales import is_one_currency
from pipelines.warehouse.newest_fetches import NEWEST_FETCHES

# The newest four weeks; after a change of what a session is, those days of them that count alike.
FUNNEL = """
    with complete as (
        from marts.fct_shopify_funnel_daily where property_id = $property and is_complete
    ),
    newest as (
        select max(date) as last_date, arg_max(session_definition, date) as definition
        from complete
    )
    select shop, step_key, device, sum(sessions)::bigint as sessions,
        sum(all_sessions)::bigint as all_sessions, min(date) as first_date,
        max(date) as last_date, any_value(definition) as definition,
        bool_or(origin = 'csv') as is_csv
    from complete cross join newest
    where date > last_date - 28 and session_definition = definition
    group by shop, step_number, step_key, device order by step_number, device
"""
SALES = f"""
    with newest as (
        select max(date) as last_date from marts.fct_shopify_sales_daily
        where property_id = $property
    )
    select sum(orders)::bigint as orders,
        case when {is_one_currency("total_sales")} then sum(total_sales)::double end as total_sales,
        sum(abandoned_checkouts)::bigint as abandoned,
        sum(recovered_checkouts)::bigint as recovered,
        case when {is_one_currency("abandoned_value")}
            then sum(abandoned_value)::double end as abandoned_value,
        any_value(currency) as currency,
        count(orders) as order_days, count(abandoned_checkouts) as checkout_days
    from marts.fct_shopify_sales_daily cross join newest
    where property_id = $property and date > last_date - 28
"""
RATIOS = """
    select step_key, any_value(source_b) as source, sum(value_a)::bigint as shopify_sessions,
        sum(value_b)::bigint as ga4_sessions, sum(usual_ratio * value_a) filter (
            usual_ratio is not null) / sum(value_a) filter (usual_ratio is not null) as usual_ratio,
        count(*) as days, count(*) filter (status = 'moved') as moved_days,
        count(*) filter (status in ('moved', 'usual')) as judged_days,
        min(date) as first_date, max(date) as last_date
    from marts.fct_reconciliation
    where property_id = $property and source_a = 'shopify' and value_a is not null
        and value_b is not null and status <> 'series_break'
    group by step_number, step_key order by step_number
"""
FAILED_FETCHES = f"""
    select table_name, problem as message, fetched_at, loaded_at from {NEWEST_FETCHES}
    where property_id = $property and source = 'shopify' and problem is not null
        and not is_left_out
    order by table_name
"""


@dataclass(frozen=True)
class ShopStep:
    """A step of Shopify's funnel over the newest days, by device; `all` is all of them."""

    shop: str
    step_key: str
    device: str
    sessions: int
    all_sessions: int
    first_date: date
    last_date: date
    definition: str
    is_csv: bool


@dataclass(frozen=True)
class ShopSales:
    """Orders and abandoned checkouts of the same weeks, and on how many days they are known."""

    orders: int | None
    total_sales: float | None
    abandoned: int | None
    recovered: int | None
    abandoned_value: float | None
    currency: str | None
    order_days: int
    checkout_days: int


@dataclass(frozen=True)
class Ratio:
    """What GA4 has of Shopify's sessions at a step, on the days that both have whole."""

    step_key: str
    source: str
    shopify_sessions: int
    ga4_sessions: int
    usual_ratio: float | None
    days: int
    moved_days: int
    judged_days: int
    first_date: date
    last_date: date


@dataclass(frozen=True)
class FailedFetch:
    """A table whose last fetch brought nothing; `loaded_at`: when one did."""

    table_name: str
    message: str
    fetched_at: datetime
    loaded_at: datetime | None
