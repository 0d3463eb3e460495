-- The tags behind the numbers, for every part of the shop: one for each key, one for the steps of each funnel that must be there.
with keys as (
    select *
    from {{ ref('int_funnel__keys_assessed') }}
    where is_current and window_name <> '1d'
),

named as (
    select
        keys.*,
        keys.key as name
    from keys
    where keys.key <> 'sessions'
    union all
    select
        keys.*,
        steps.funnel as name
    from keys
    inner join {{ ref('funnel_steps') }} as steps on keys.key = steps.key
    where not steps.is_optional
),

joined as (
    select
        property_id,
        window_name,
        window_start,
        window_end,
        window_days,
        name,
        case
            when bool_or(tracking_state in ('not_tracked', 'tracking_lost')) then 'missing'
            when bool_and(tracking_state = 'tracked') then 'tracked'
            else 'unknown'
        end as level,
        case
            when bool_or(tracking_state = 'not_tracked') then 'not_tracked'
            when bool_or(tracking_state = 'tracking_lost') then 'tracking_lost'
            when bool_and(tracking_state = 'tracked') then 'tracked'
            else max(tracking_state) filter (where tracking_state <> 'tracked')
        end as reason,
        string_agg(key, ', ' order by key) filter (where tracking_state in ('not_tracked', 'tracking_lost')) as detail
    from named
    group by property_id, window_name, window_start, window_end, window_days, name
),

cells as (
    select distinct
        property_id,
        window_name,
        segment_name,
        segment_value
    from {{ ref('int_metrics__valued') }}
)

-- In the columns of int_metrics__levelled.
select
    joined.property_id,
    joined.window_name,
    joined.window_start,
    joined.window_end,
    joined.window_days,
    cells.segment_name,
    cells.segment_value,
    'tracking' as family,
    joined.name,
    null::varchar as numerator_key,
    null::varchar as denominator_key,
    null::double as numerator,
    null::double as denominator,
    null::double as value,
    true as is_complete,
    'final' as maturity,
    null::double as p_below,
    joined.reason,
    'tracking(' || joined.name || ')' as metric,
    joined.level,
    null::double as comparison_low,
    null::double as comparison_high,
    joined.detail
from joined
inner join cells on joined.property_id = cells.property_id and joined.window_name = cells.window_name
