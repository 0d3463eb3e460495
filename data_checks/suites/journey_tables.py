"""The mart tables of journeys, sales, findings, products, parameters and carts, as data for
`rate_slice`.

All rest on optional reports, on keys that a shop may not have, or on a leak: each may be empty.
"""

from __future__ import annotations

from dataclasses import replace

from data_checks.model import Slice
from data_checks.suites.page_tables import LOADED
from data_checks.suites.rate_tables import DAY, DAYS, REACH, TOUCHED, WINDOW, RateTable, rate_slice

CLOSED = "marts.fct_closed_funnel"
ACTIONS = "marts.fct_closed_funnel_next_action"
LIFT = "marts.fct_engagement_lift"
SIGNALS = "marts.fct_micro_conversion_window"
REVIEWS = "marts.fct_review_gap"
PRODUCTS = "marts.fct_product_funnel_window"
PARAMETERS = "marts.fct_event_parameter"
CARTS = "marts.fct_cart_recovery"
SALES = "marts.fct_sales_daily"
PERIODS = "marts.fct_funnel_period"
ENDS = "marts.fct_furthest_stage"
FINDINGS = "marts.fct_finding"
DETAILS = "marts.fct_finding_detail"

_SEGMENT = ("window_name", "window_end", "segment_name", "segment_value")
_STEP = ("window_name", "window_end", "funnel", "segment_value", "step_number")
_CLOSED_STEP = (*_STEP, "unit")

# Users are as GA4 told them: never added up, never put together from days.
_CLOSED_TOTALS = """
select
    chosen.property_id, chosen.period,
    concat_ws(' / ', chosen.funnel, chosen.segment_value, chosen.unit, chosen.step_key) as label,
    chosen.reached as actual,
    case when chosen.unit = 'users' then staged.active_users else staged.sessions end as expected
from chosen
left join staging.stg_ga4__funnel as staged
    on staged.property_id = chosen.property_id and staged.window_name = chosen.window_name
    and staged.date = chosen.window_end and staged.funnel = chosen.funnel
    and staged.device_category = chosen.segment_value and staged.step_key = chosen.step_key
where chosen.reached is not null
"""

# A window is the sum of its loaded days.
_SIGNAL_TOTALS = f"""
select
    chosen.property_id, chosen.period, chosen.key as label, any_value(chosen.sessions) as actual,
    coalesce(sum(reach.sessions), 0) as expected
from chosen
left join (
    select property_id, date, key, sessions
    from {REACH}
    semi join ({LOADED}) using (property_id, date)
    where segment_name = 'all'
) as reach
    on reach.property_id = chosen.property_id and reach.key = chosen.key
    and reach.date between chosen.window_start and chosen.window_end
where chosen.segment_name = 'all' and chosen.sessions is not null
group by all
"""

# Units add up over items as well: what all items sold is what the report says was sold.
_PRODUCT_TOTALS = f"""
select
    bought.property_id, bought.period, 'units bought' as label, bought.units as actual,
    coalesce(sum(staged.items_purchased), 0) as expected
from (
    select property_id, period, window_start, window_end, sum(units) as units
    from chosen where step_key = 'purchase'
    group by all having count(*) = count(units)
) as bought
left join (
    select * from staging.stg_ga4__items semi join ({LOADED}) using (property_id, date)
) as staged
    on staged.property_id = bought.property_id
    and staged.date between bought.window_start and bought.window_end
group by all
"""

# Sessions that bought, as the day's reach has them.
_SALES_TOTALS = f"""
select
    chosen.property_id, chosen.period,
    concat_ws(' / ', chosen.segment_name, chosen.segment_value) as label,
    chosen.purchase_sessions as actual, coalesce(reach.sessions, 0) as expected
from chosen
left join (select * from {REACH} where key = 'purchase' and {DAYS}) as reach
    using (property_id, date, segment_name, segment_value)
where chosen.purchase_sessions is not null
"""

# Where sessions ended adds up to all of them.
_ENDS_TOTALS = """
select
    property_id, period, concat_ws(' / ', segment_name, segment_value) as label,
    sum(ended_sessions) as actual, any_value(entry_reached) as expected
from chosen
where entry_reached is not null
group by all
"""


def _table(
    name: str, grain: tuple[str, ...], rate: str, counts: tuple[str, str], totals: str | None = None
) -> RateTable:
    return RateTable(name, WINDOW, TOUCHED, grain, *counts, rate, totals)


_LOSSES = tuple(
    replace(
        _table(CARTS, _SEGMENT, f"{what}_abandonment_rate", (f"lost_{what}s", f"{what}s")),
        interval=(f"{what}_ci_low", f"{what}_ci_high"),
        is_loss=True,
    )
    for what in ("cart", "checkout")
)
JOURNEY_TABLES = (
    _table(
        SIGNALS, (*_SEGMENT, "key"), "micro_rate", ("sessions", "parent_sessions"), _SIGNAL_TOTALS
    ),
    _table(CLOSED, _CLOSED_STEP, "step_rate", ("reached", "previous_reached"), _CLOSED_TOTALS),
    replace(
        _table(CLOSED, _CLOSED_STEP, "exit_share", ("exited", "entry_reached")),
        interval=("exit_ci_low", "exit_ci_high"),
        is_loss=True,
    ),
    _table(ACTIONS, (*_STEP, "next_action"), "share", ("users", "step_users")),
    *(
        replace(
            _table(LIFT, (*_SEGMENT, "key"), f"{who}_rate", (f"{who}_add_users", f"{who}_users")),
            interval=(f"{who}_ci_low", f"{who}_ci_high"),
            is_loss=who == "other",
        )
        for who in ("did", "other")
    ),
    *(
        replace(
            _table(REVIEWS, _SEGMENT, f"{what}_rate", (f"{what}_sessions", "parent_sessions")),
            interval=(f"{what}_ci_low", f"{what}_ci_high"),
        )
        for what in ("review", "add")
    ),
    _table(
        PRODUCTS,
        ("window_name", "window_end", "item_id", "item_name", "step_number"),
        "step_rate",
        ("units", "previous_units"),
        _PRODUCT_TOTALS,
    ),
    _table(
        PARAMETERS,
        ("window_name", "window_end", "parameter", "event_name", "parameter_value"),
        "share",
        ("sessions", "event_sessions"),
    ),
    *_LOSSES,
    RateTable(
        SALES,
        DAY,
        DAYS,
        ("date", "segment_name", "segment_value"),
        "purchase_sessions",
        "sessions",
        "conversion_rate",
        _SALES_TOTALS,
    ),
    _table(PERIODS, (*_SEGMENT, "step_number"), "step_rate", ("reached", "previous_reached")),
    # A difference of two counts has no interval.
    replace(
        _table(
            ENDS,
            (*_SEGMENT, "step_number"),
            "ended_share",
            ("ended_sessions", "entry_reached"),
            _ENDS_TOTALS,
        ),
        interval=("null::double", "null::double"),
        is_loss=True,
    ),
    _table(FINDINGS, ("finding_id",), "rate", ("numerator", "denominator")),
    _table(
        DETAILS,
        ("finding_id", "kind", "detail_id", "detail_name"),
        "rate",
        ("numerator", "denominator"),
    ),
)


def journey_slices() -> tuple[Slice, ...]:
    """The slices of the tables above; a table with two rates is read twice."""
    return tuple(replace(rate_slice(table), may_be_empty=True) for table in JOURNEY_TABLES)
