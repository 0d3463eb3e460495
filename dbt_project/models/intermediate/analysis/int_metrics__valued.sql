with parts as (
    select segment_name
    from {{ ref('segments') }}
    where is_partition
),

micro as (
    select
        rated.* exclude (family),
        'micro' as family,
        rated.key as name,
        rated.key as numerator_key,
        rated.parent_key as denominator_key
    from {{ ref('int_funnel__keys_rated') }} as rated
    inner join parts on rated.segment_name = parts.segment_name
    where rated.is_current and rated.parent_key is not null
),

benchmarks as (
    select
        judged.*,
        'benchmark' as family,
        judged.benchmark_key as name
    from {{ ref('int_benchmarks__judged') }} as judged
    inner join parts on judged.segment_name = parts.segment_name
),

carts as (
    select
        carts.*,
        'carts' as family,
        'lost' as name,
        'add_to_cart' as numerator_key,
        'purchase' as denominator_key,
        {{ count_difference('carts.carts', 'carts.purchases') }} as lost_carts
    from {{ ref('int_carts__summed') }} as carts
    inner join parts on carts.segment_name = parts.segment_name
    where carts.is_current
),

windows as (
    select
        property_id,
        window_name,
        window_days,
        window_start,
        window_end,
        events as product_views,
        is_complete,
        maturity
    from {{ ref('int_funnel__reach_summed') }}
    where is_current and segment_name = 'all' and key = 'product_view'
),

sums as (
    select
        windows.property_id,
        windows.window_name,
        {{ decimal_sum('pages.views') }} as views,
        {{ decimal_sum('pages.seconds') }} as seconds,
        {{ decimal_sum('pages.bounces') }} as bounces,
        count(*) as days_counted
    from windows
    inner join {{ ref('int_metrics__product_pages') }} as pages
        on windows.property_id = pages.property_id and pages.date between windows.window_start and windows.window_end
    group by windows.property_id, windows.window_name
),

-- Views of product pages that are far from the shop's own view_item events mean that the pattern names other pages.
product_pages as (
    select
        windows.*,
        sums.views,
        sums.seconds,
        sums.bounces,
        case
            when sums.views is null then 'no_product_pages'
            when sums.days_counted < windows.window_days then 'withheld'
            when windows.product_views is null then 'not_comparable'
            when
                sums.views * {{ var('believable_views') }} < windows.product_views
                or sums.views > windows.product_views * {{ var('believable_views') }}
                then 'pages_do_not_match'
            else 'measured'
        end as status
    from windows
    left join sums on windows.property_id = sums.property_id and windows.window_name = sums.window_name
),

pages as (
    select
        pages.* replace (
            case
                when pages.status = 'measured' and ratios.family = 'bounce' and {{ is_beyond('pages.bounces', 'pages.views') }}
                    then 'anomaly'
                else pages.status
            end as status
        ),
        ratios.family,
        'product' as name,
        'all' as segment_name,
        'all' as segment_value,
        ratios.numerator_key,
        ratios.denominator_key,
        case when ratios.family = 'dwell' then pages.seconds else pages.bounces end as numerator,
        pages.views as denominator
    from product_pages as pages
    cross join (
        values
        ('dwell', 'product_page_seconds', 'product_page_views'), ('bounce', 'product_page_bounces', 'product_page_views')
    ) as ratios (family, numerator_key, denominator_key)
)

{% set sources = [
    ('micro', 'sessions', 'parent_sessions', 'micro_rate', 'status', 'n_eff'),
    ('benchmarks', 'numerator', 'denominator', 'rate', "case when tracking_state = 'tracked' then 'measured' else tracking_state end", 'n_eff'),
    ('pages', 'numerator', 'denominator', 'numerator / nullif(denominator, 0)', 'status', 'denominator'),
    ('carts', 'lost_carts', 'carts', 'lost_carts', "case when cart_state = 'tracked' then 'measured' else cart_state end", 'carts'),
] %}
{%- for source, numerator, denominator, value, state, trials in sources %}
select
    {{ window_key() }},
    window_days,
    segment_name,
    segment_value,
    family,
    name,
    numerator_key,
    denominator_key,
    cast({{ numerator }} as double) as numerator,
    cast({{ denominator }} as double) as denominator,
    cast({{ trials }} as double) as n_eff,
    cast({{ value }} as double) as value,
    {{ state }} as state,
    is_complete,
    maturity
from {{ source }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
