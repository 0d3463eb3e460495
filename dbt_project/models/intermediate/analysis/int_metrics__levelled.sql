{#- The odds that a verdict's directional evidence calls moderate, asked of the shop's own weeks as well. -#}
{% set z = var('moderate_z') | float %}
-- The range of the benchmark that measures the same two counts, in whichever family the rate stands.
with ranges as (
    select *
    from {{ ref('int_benchmarks__judged') }}
    where is_leading
),

compared as (
    select
        valued.*,
        ranges.benchmark_low,
        ranges.benchmark_high,
        ranges.status,
        ranges.directional_evidence,
        ranges.p_below,
        own.weeks,
        own.own_p25,
        own.own_p75,
        -- The rest of the shop, for a part of it that has no weeks of its own to be compared with.
        (shop.numerator - valued.numerator) / nullif(shop.denominator - valued.denominator, 0) as others_rate,
        case
            when valued.family = 'dwell' then valued.value
            when valued.family <> 'carts' then {{ wilson_bound('valued.numerator', 'valued.denominator', '-', n_eff='valued.n_eff', z=z) }}
        end as likely_low,
        case
            when valued.family = 'dwell' then valued.value
            when valued.family <> 'carts' then {{ wilson_bound('valued.numerator', 'valued.denominator', '+', n_eff='valued.n_eff', z=z) }}
        end as likely_high
    from {{ ref('int_metrics__valued') }} as valued
    left join ranges using (property_id, window_name, segment_name, segment_value, numerator_key, denominator_key)
    left join {{ ref('int_metrics__remembered') }} as own
        using (property_id, window_name, segment_name, segment_value, numerator_key, denominator_key)
    left join {{ ref('int_metrics__valued') }} as shop
        on
            valued.property_id = shop.property_id
            and valued.window_name = shop.window_name
            and valued.family = shop.family
            and valued.name = shop.name
            and shop.segment_name = 'all'
            and valued.segment_name <> 'all'
            and shop.state = 'measured'
            and shop.denominator - valued.denominator >= {{ var('least_trials') }}
            and shop.numerator between valued.numerator and valued.numerator + shop.denominator - valued.denominator
),

-- A difference counts with odds, and when it is large enough to matter: of many sessions the smallest one has the odds.
reasoned as (
    select
        *,
        case
            when state <> 'measured' then state
            when family = 'carts' and value >= {{ var('least_lost_carts') }} * window_days / 28.0 then 'volume'
            when family = 'carts' then 'little_volume'
            when status = 'anomaly' then 'anomaly'
            when status = 'below' then 'benchmark_below'
            when directional_evidence in ('strong', 'moderate') then 'directional_' || directional_evidence
            when status = 'above' then 'benchmark_above'
            when denominator < {{ var('least_trials') }} then 'too_few'
            when value > own_p75 * (1 + {{ var('least_own_change') }}) and likely_low > own_p75 then 'own_above'
            when status in ('within', 'likely_within', 'leaning_above') then 'benchmark_fine'
            when status is not null then 'undecided'
            when own_p25 is null and others_rate is null then 'no_history'
            when own_p25 is null and value < others_rate * (1 - {{ var('least_own_change') }}) and likely_high < others_rate
                then 'others_below'
            when own_p25 is null then 'others_usual'
            when value < own_p25 * (1 - {{ var('least_own_change') }}) and likely_high < own_p25 then 'own_below'
            else 'own_usual'
        end as reason
    from compared
),

-- The tags behind the numbers, for every part of the shop: one for each key, one for the steps of each funnel that must be there.
keys as (
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

tags as (
    select
        {{ window_key() }},
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

select
    * exclude (
        state, n_eff, benchmark_low, benchmark_high, status, directional_evidence, weeks, own_p25, own_p75, others_rate, likely_low,
        likely_high
    ),
    family || '(' || name || ')' as metric,
    case
        when reason in ('benchmark_below', 'directional_strong', 'directional_moderate', 'own_below', 'others_below') then 'low'
        when reason in ('benchmark_above', 'own_above', 'volume') then 'high'
        when reason in ('benchmark_fine', 'own_usual', 'others_usual', 'little_volume') then 'normal'
        else 'unknown'
    end as level,
    {%- for own, benchmark, name in [('own_p25', 'benchmark_low', 'comparison_low'), ('own_p75', 'benchmark_high', 'comparison_high')] %}
    case
        when reason like 'own%' then {{ own }}
        when reason like 'others%' then others_rate
        when reason <> 'no_history' then {{ benchmark }}
    end as {{ name }},
    {%- endfor %}
    null::varchar as detail
from reasoned
union all by name
select
    tags.property_id,
    tags.window_name,
    tags.window_start,
    tags.window_end,
    tags.window_days,
    cells.segment_name,
    cells.segment_value,
    'tracking' as family,
    tags.name,
    true as is_complete,
    'final' as maturity,
    tags.reason,
    'tracking(' || tags.name || ')' as metric,
    tags.level,
    tags.detail
from tags
inner join cells on tags.property_id = cells.property_id and tags.window_name = cells.window_name
