"""Second sources at every gate. All of it warns: what is wrong with one never blocks GA4's numbers.

Only where a property has such a source is anything read of it.
"""

from __future__ import annotations

from data_checks.catalog import Catalog
from data_checks.model import WARNING, Pair, Slice, Suite, never
from data_checks.sql import ASKED, IN_WINDOW, counted
from data_checks.suites.rate_tables import EPSILON

SHOPIFY, STAGED = "raw.shopify_sessions", "staging.stg_shopify__sessions"
FUNNEL = "marts.fct_shopify_funnel_daily"
CLARITY, FRICTION = "raw.clarity_page", "marts.fct_page_friction"
CLICKS, CLICK_MAPS = "raw.heatmap_click", "marts.fct_heatmap_click"


def of_raw(catalog: Catalog) -> tuple[Suite, ...]:
    """One row per property and raw table: its last fetch, and whether its rows are all there."""
    if not catalog.fetched:
        return ()
    return (
        Suite(
            "fetches",
            (),
            tuple(_fetch_slice(table) for table in sorted(catalog.fetched)),
            (
                never("last_fetch_was_loaded", "newer_fetches_not_loaded", WARNING),
                Pair("row_count_equals_fetch", "row_count", "fetched_rows", severity=WARNING),
            ),
        ),
    )


def _fetch_slice(table: str) -> Slice:
    return Slice(
        table,
        f"""
with fetches as (
    select property_id, fetch_id, status, row_count, fetched_at
    from ops.fetches
    where table_name = '{table.removeprefix("raw.")}' and {ASKED}
),
last as (
    select
        property_id,
        arg_max(fetch_id, fetched_at) filter (where status = 'loaded') as fetch_id,
        arg_max(row_count, fetched_at) filter (where status = 'loaded') as fetched_rows,
        (arg_max(status, fetched_at) not in ('loaded', 'left_out'))::integer
            as newer_fetches_not_loaded
    from fetches
    group by property_id
)
select
    last.property_id, last.newer_fetches_not_loaded,
    coalesce(last.fetched_rows, 0) as fetched_rows, count(stored.fetch_id) as row_count
from last
left join {table} as stored using (property_id, fetch_id)
group by all
order by all
""",
        may_be_empty=True,
    )


def of_staging(catalog: Catalog) -> tuple[Suite, ...]:
    """One row per property and date: the steps of Shopify's funnel, here and in raw."""
    if SHOPIFY not in catalog.fetched:
        return ()
    return (
        Suite(
            "shopify_steps",
            ("date",),
            (
                Slice(
                    STAGED,
                    f"""
with source as (
    select
        property_id, date,
        count(sessions) + count(sessions_with_cart_additions)
        + count(sessions_that_reached_checkout) + count(sessions_that_completed_checkout)
            as raw_row_count
    from {SHOPIFY} where {IN_WINDOW} group by all
),
staged as (
    select property_id, date, count(*) as row_count from {STAGED} where {IN_WINDOW} group by all
)
select
    property_id, date, coalesce(row_count, 0) as row_count,
    coalesce(raw_row_count, 0) as raw_row_count
from staged full join source using (property_id, date)
order by all
""",
                    may_be_empty=True,
                ),
            ),
            (Pair("row_count_equals_raw", "row_count", "raw_row_count", severity=WARNING),),
        ),
    )


def of_marts(catalog: Catalog) -> tuple[Suite, ...]:
    """What each source that was fetched has in the marts."""
    return (*_of_shopify(catalog), *_of_clarity(catalog), *_of_heatmaps(catalog))


def _of_shopify(catalog: Catalog) -> tuple[Suite, ...]:
    """One row per property and date of Shopify's funnel.

    A checkout may have more sessions than the cart, as it may begin without one; no step has more
    than all, and a session has one device.
    """
    if SHOPIFY not in catalog.fetched:
        return ()
    is_beyond = (
        "sessions > all_sessions or session_share not between "
        f"ci_low - {EPSILON} and ci_high + {EPSILON}"
    )
    return (
        Suite(
            "shopify_funnel",
            ("date",),
            (
                Slice(
                    FUNNEL,
                    f"""
with parts as (
    select property_id, date, step_key, sum(sessions) as of_devices
    from {FUNNEL} where {IN_WINDOW} and device <> 'all' group by all
)
select
    told.property_id, told.date,
    {counted("steps_beyond_all", is_beyond, "told.device || ' / ' || told.step_key")},
    {counted("unequal_totals", "parts.of_devices <> told.sessions", "told.step_key")}
from (select * from {FUNNEL} where {IN_WINDOW}) as told
left join parts
    on told.device = 'all' and told.property_id = parts.property_id and told.date = parts.date
    and told.step_key = parts.step_key
group by all
order by all
""",
                    may_be_empty=True,
                ),
            ),
            (
                never("step_is_within_all_sessions", "steps_beyond_all", WARNING),
                never("devices_add_up", "unequal_totals", WARNING),
            ),
        ),
    )


def _of_clarity(catalog: Catalog) -> tuple[Suite, ...]:
    """One row per property, of its newest snapshot: counts as they were fetched."""
    if CLARITY not in catalog.fetched:
        return ()
    is_beyond = "told.sessions_with_signal > told.sessions or told.signal_share > 1"
    is_unequal = (
        "told.sessions <> stored.sessions or "
        "told.sessions_with_signal <> stored.sessions_with_signal"
    )
    label = "told.page_path || ' / ' || told.device || ' / ' || told.signal"
    return (
        Suite(
            "friction",
            ("window_end",),
            (
                Slice(
                    FRICTION,
                    f"""
with newest as (
    select * from {CLARITY} where {ASKED} and signal <> 'traffic'
    qualify window_end = max(window_end) over (partition by property_id)
)
select
    stored.property_id, stored.window_end,
    {counted("missing_rows", "told.page_path is null", "page_path || ' / ' || signal")},
    {counted("signs_beyond_sessions", is_beyond, label)},
    {counted("unequal_rows", is_unequal, label)}
from newest as stored
left join {FRICTION} as told using (property_id, window_end, page_path, device, signal)
group by all
order by all
""",
                    may_be_empty=True,
                ),
            ),
            (
                never("rows_are_those_of_raw", "missing_rows", WARNING),
                never("value_equals_raw", "unequal_rows", WARNING),
                never("signs_are_within_sessions", "signs_beyond_sessions", WARNING),
            ),
        ),
    )


def _of_heatmaps(catalog: Catalog) -> tuple[Suite, ...]:
    """One row per property and click map: its clicks as they were read, and shares of them."""
    if CLICKS not in catalog.fetched:
        return ()
    is_unequal = "raw_clicks is distinct from told.clicks or raw_clicks <> all_clicks"
    of_map = "property_id, tool, page_path, device, period_start, period_end"
    return (
        Suite(
            "click_maps",
            ("period_end",),
            (
                Slice(
                    CLICK_MAPS,
                    f"""
with source as (
    select {of_map}, sum(clicks) as raw_clicks from {CLICKS} where {ASKED} group by all
),
told as (
    select
        {of_map}, any_value(all_clicks) as all_clicks, sum(clicks) as clicks,
        sum(click_share) as shares
    from {CLICK_MAPS} where {ASKED} group by all
)
select
    property_id, period_end,
    {counted("unequal_maps", is_unequal, "page_path")},
    {counted("maps_without_a_whole", "abs(shares - 1) > 1e-9", "page_path")}
from source left join told using ({of_map})
group by all
order by all
""",
                    may_be_empty=True,
                ),
            ),
            (
                never("clicks_equal_raw", "unequal_maps", WARNING),
                never("shares_add_up", "maps_without_a_whole", WARNING),
            ),
        ),
    )


def counted_by_shopify(catalog: Catalog) -> str:
    """SQL, more rows of (property_id, route, date, step_key, sessions): Shopify's own; or none."""
    if not catalog.has(STAGED):
        return ""
    return (
        f"union all select property_id, 'shopify', date, step_key, sessions from {STAGED} "
        "where device = 'all' and bot_filter <> 'none'"
    )
