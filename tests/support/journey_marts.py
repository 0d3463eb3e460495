"""Hand-made marts of journeys, products, parameters and carts for the gate tests, as SQL.

Consistent with the reports of `checked_warehouse`, of which property 100 alone has the
optional ones.
"""

_STAMPS = "true as is_complete, 'final' as maturity, null::varchar as flags"
_WEEK = (
    "'7d' as window_name, date '2026-02-26' as window_start, date '2026-03-04' as window_end, "
    "'all' as segment_name, 'all' as segment_value"
)


def _around(rate: str, low: str = "ci_low", high: str = "ci_high") -> str:
    """Select items: an interval that holds the rate."""
    return (
        f"case when {rate} is not null then greatest(0, {rate} - 0.01) end as {low}, "
        f"case when {rate} is not null then least(1, {rate} + 0.01) end as {high}"
    )


_MAP = (
    "'hotjar' as tool, '/' as page_path, 'all' as device, date '2026-03-01' as period_start, "
    "date '2026-03-04' as period_end"
)
JOURNEY_MARTS = (
    f"""
    create table marts.fct_micro_conversion_window as
    select property_id, {_WEEK}, key, sum(sessions)::bigint as sessions,
        400::bigint as parent_sessions, sum(sessions) / 400 as micro_rate,
        {_around("micro_rate")}, {_STAMPS}
    from intermediate.int_funnel__reach_daily
    where segment_name = 'all' and key <> 'sessions'
    group by property_id, key
    """,
    f"""
    create table marts.fct_closed_funnel as
    select property_id, window_name, window_start, date as window_end, funnel,
        'all' as segment_name, 'all' as segment_value, 'users' as unit, step_number, step_key,
        active_users as reached, lag(active_users) over steps as previous_reached,
        first_value(active_users) over steps as entry_reached,
        active_users - coalesce(lead(active_users) over steps, 0) as exited,
        reached / previous_reached as step_rate, exited / entry_reached as exit_share,
        {_around("step_rate")}, {_around("exit_share", "exit_ci_low", "exit_ci_high")}, {_STAMPS}
    from staging.stg_ga4__funnel
    window steps as (partition by property_id, window_name, date, funnel order by step_number)
    """,
    f"""
    create table marts.fct_closed_funnel_next_action as
    select '100' as property_id, {_WEEK}, 'core' as funnel, 1 as step_number,
        'scroll' as next_action, 10 as users, 40 as step_users, 0.25 as share,
        {_around("share")}, {_STAMPS}
    """,
    f"""
    create table marts.fct_engagement_lift as
    select '100' as property_id, {_WEEK}, 'gallery' as key, 5 as did_add_users, 50 as did_users,
        0.1 as did_rate, 4 as other_add_users, 80 as other_users, 0.05 as other_rate,
        {_around("did_rate", "did_ci_low", "did_ci_high")},
        {_around("other_rate", "other_ci_low", "other_ci_high")}, {_STAMPS}
    """,
    f"""
    create table marts.fct_review_gap as
    select '100' as property_id, {_WEEK}, 50 as review_sessions, 20 as add_sessions,
        200 as parent_sessions, 0.25 as review_rate, 0.1 as add_rate,
        {_around("review_rate", "review_ci_low", "review_ci_high")},
        {_around("add_rate", "add_ci_low", "add_ci_high")}, {_STAMPS}
    """,
    f"""
    create table marts.fct_product_funnel_window as
    select property_id, {_WEEK}, item_id, item_name, 4 as step_number, 'purchase' as step_key,
        sum(items_purchased)::bigint as units, sum(items_checked_out)::bigint as previous_units,
        units / previous_units as step_rate, {_around("step_rate")}, {_STAMPS}
    from staging.stg_ga4__items group by property_id, item_id, item_name
    """,
    f"""
    create table marts.fct_event_parameter as
    select '100' as property_id, {_WEEK}, 'payment_type' as parameter,
        'add_payment_info' as event_name, unnest(['card', 'invoice']) as parameter_value,
        3 as sessions, 6 as event_sessions, 0.5 as share, {_around("share")}, {_STAMPS}
    """,
    f"""
    create table marts.fct_cart_recovery as
    select '100' as property_id, {_WEEK}, 6 as lost_carts, 8 as carts,
        0.75 as cart_abandonment_rate, -1 as lost_checkouts, 2 as checkouts,
        -0.5 as checkout_abandonment_rate,
        {_around("cart_abandonment_rate", "cart_ci_low", "cart_ci_high")},
        null::double as checkout_ci_low, null::double as checkout_ci_high, {_STAMPS}
    """,
    f"""
    create table marts.fct_sales_daily as
    select v.property_id, v.date, v.segment_name, v.segment_value,
        b.sessions as purchase_sessions, v.sessions, b.sessions / v.sessions as conversion_rate,
        {_around("conversion_rate")}, {_STAMPS}
    from intermediate.int_funnel__reach_daily as v
    inner join intermediate.int_funnel__reach_daily as b
        using (property_id, date, segment_name, segment_value)
    where v.key = 'sessions' and b.key = 'purchase'
    """,
    f"""
    create table marts.fct_funnel_period as
    select '100' as property_id, {_WEEK}, 1 as step_number, 'product_view' as step_key,
        40 as reached, 200 as previous_reached, 0.2 as step_rate, {_around("step_rate")}, {_STAMPS}
    """,
    f"""
    create table marts.fct_furthest_stage as
    select '100' as property_id, {_WEEK}, step_number, ended_sessions, 200 as entry_reached,
        ended_sessions / 200 as ended_share, {_STAMPS}
    from (values (0, 150), (1, 55), (2, -5)) as ended (step_number, ended_sessions)
    """,
    """
    create table intermediate.int_properties__active as
    select unnest(['100', '200']) as property_id, unnest([null, '100']) as same_shop_as
    """,
    # The first day is not whole by the Data API, the second one not by the export.
    """
    create table marts.fct_reconciliation as
    select
        property_id, date, key as step_key, 'data_api' as source_a, 'export' as source_b,
        case when date <> '2026-03-01' then a.sessions end as value_a,
        case when date <> '2026-03-02' then b.sessions end as value_b,
        value_b / value_a as ratio,
        case date when '2026-03-01' then 'only_in_source_b' when '2026-03-02' then
            'only_in_source_a' else 'usual' end as status
    from intermediate.int_funnel__reach_daily as a
    inner join (select * exclude (property_id) from intermediate.int_funnel__reach_daily
        where property_id = '200') as b using (date, segment_name, segment_value, key)
    where a.property_id = '100' and segment_name = 'all' and key in ('sessions', 'purchase')
    """,
    f"""
    create table marts.fct_finding as
    select '100' as property_id, {_WEEK}, 'a1b2c3d4' as finding_id, 20 as numerator,
        100 as denominator, 0.2 as rate, {_around("rate")}, {_STAMPS}
    """,
    f"""
    create table marts.fct_finding_detail as
    select '100' as property_id, {_WEEK}, 'a1b2c3d4' as finding_id, 'product' as kind,
        'mug' as detail_id, 'Mug' as detail_name, 2 as numerator, 40 as denominator,
        0.05 as rate, {_around("rate")}, {_STAMPS}
    """,
    """
    create table staging.stg_register__outcomes as
    select '100' as property_id, 'cta' as change_id, variant, date '2026-03-01' + day as date,
        exposed, numerator, exposed as denominator
    from (values ('control', 100.0, 10.0), ('new', 100.0, 12.0)) as v (variant, exposed, numerator),
        (values (0), (1)) as d (day)
    """,
    """
    create table marts.fct_experiment as
    select '100' as property_id, 'cta' as experiment_id, 'new' as variant, 'control' as control,
        200 as exposed, 24.0 as numerator, 200.0 as denominator, 0.12::double as rate,
        0.08::double as ci_low, 0.17::double as ci_high, 200 as control_exposed,
        20.0 as control_numerator, 200.0 as control_denominator, 0.02 as difference, 0.5 as p_value,
        'keep running' as verdict, 'Too few units.' as reason
    """,
    """
    create table raw.clarity_page as
    select '100' as property_id, 'f1' as fetch_id,
        timestamptz '2026-03-05 03:30:00+00' as window_end,
        page_path, device, 'rage_click' as signal, sessions, with_signal as sessions_with_signal
    from (values ('/pay', 'mobile', 30, 9), ('/pay', 'desktop', 20, 0))
        as pages (page_path, device, sessions, with_signal)
    """,
    """
    create table marts.fct_page_friction as
    select * exclude (fetch_id), sessions_with_signal / sessions as signal_share
    from raw.clarity_page
    """,
    f"""
    create table raw.heatmap_click as
    select '100' as property_id, 'f2' as fetch_id, {_MAP}, element, clicks
    from (values ('#menu', 6), ('#buy', 2)) as elements (element, clicks)
    """,
    """
    create table marts.fct_heatmap_click as
    select * exclude (fetch_id), 8 as all_clicks, clicks / 8 as click_share
    from raw.heatmap_click
    """,
    """
    insert into ops.fetches by name
    select '100' as property_id, fetch_id, source, table_name, 'loaded' as status,
        2 as row_count, timestamptz '2026-03-05 03:30:00+00' as fetched_at
    from (values ('f1', 'clarity', 'clarity_page'), ('f2', 'heatmaps', 'heatmap_click'))
        as fetches (fetch_id, source, table_name)
    """,
)
