-- The weeks before each window: a window that is among its own weeks would pull their quartiles towards itself.
with ratios as (
    select *
    from {{ ref('int_metrics__valued') }}
    where family <> 'carts'
),

-- Sessions with a key on the days on which it was tracked; on product pages views, seconds in the foreground, and views times
-- the bounce rate of their page.
counts as (
    select
        days.property_id,
        days.date,
        days.segment_name,
        days.segment_value,
        days.key,
        try_cast(days.sessions as decimal(38, 6)) as amount
    from {{ ref('int_funnel__days_filled') }} as days
    inner join {{ ref('segments') }} as segments on days.segment_name = segments.segment_name
    where days.tracking_state = 'tracked' and segments.is_partition
    {%- for key in ['views', 'seconds', 'bounces'] %}
    union all
    select
        property_id,
        date,
        'all' as segment_name,
        'all' as segment_value,
        'product_page_{{ key }}' as key,
        {{ key }} as amount
    from {{ ref('int_metrics__product_pages') }}
    {%- endfor %}
),

sums as (
    {% call weekly_sums('ratios', 'counts', 'amount', var('own_weeks')) %}
    sum(days.amount) as amount
    {% endcall %}
),

pairs as (
    select distinct
        property_id,
        window_name,
        segment_name,
        segment_value,
        numerator_key,
        denominator_key
    from ratios
),

weekly as (
    select
        pairs.*,
        numerators.amount / denominators.amount as value
    from pairs
    inner join sums as numerators using (property_id, window_name, segment_name, segment_value)
    inner join sums as denominators using (property_id, window_name, segment_name, segment_value, weeks_ago)
    where
        pairs.numerator_key = numerators.key
        and pairs.denominator_key = denominators.key
        and denominators.amount >= {{ var('least_trials') }}
)

select
    property_id,
    window_name,
    segment_name,
    segment_value,
    numerator_key,
    denominator_key,
    cast(count(*) as integer) as weeks,
    quantile_cont(value, 0.25) as own_p25,
    quantile_cont(value, 0.75) as own_p75
from weekly
group by all
having count(*) >= {{ var('least_own_weeks') }}
