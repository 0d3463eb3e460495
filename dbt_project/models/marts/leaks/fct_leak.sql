-- Every step of the core funnel that has a benchmark, also where it cannot be judged.
with findings as (
    select
        property_id,
        window_name,
        step_key,
        arg_max(finding_id, (state <> 'healed', opportunity_p50)) as finding_id
    from {{ ref('int_findings__scored') }}
    group by property_id, window_name, step_key
),

-- A step over the one before it that is tracked; where there is no benchmark of that, over the one that is not.
steps as (
    select
        compared.*,
        core.key as step_key,
        core.step_number,
        core.step_label,
        compared.denominator_key as previous_step_key,
        {{ rate_status('compared.tracking_state', 'compared.numerator', 'compared.denominator') }} as rate_status
    from {{ ref('int_benchmarks__compared') }} as compared
    inner join {{ core_steps() }} as core on compared.numerator_key = core.key
    inner join {{ ref('segments') }} as segments using (segment_name)
    left join {{ ref('int_leaks__chained') }} as chained using (property_id, window_name, segment_name, segment_value, step_number)
    where
        compared.is_leading
        and segments.is_partition
        and compared.denominator_key in (chained.previous_step_key, core.previous_step_key)
    qualify row_number() over (
        partition by property_id, window_name, segment_name, segment_value, step_number
        order by compared.denominator_key = chained.previous_step_key desc nulls last
    ) = 1
),

judged as (
    select
        steps.*,
        -- Of the way to the order; unknown where orders carry no session.
        case when chained.is_to_order then chained.downstream_rate end as downstream_rate,
        chained.is_money,
        chained.end_value,
        chained.is_own_order_value,
        chained.currency,
        case when chained.is_money then chained.order_value end as order_value,
        -- greatest() passes over NULL: an unknown rate is no gap of 0.
        case
            when steps.rate is not null
                then
                    steps.denominator
                    * greatest(0, chained.benchmark_midpoint - steps.rate)
                    * chained.downstream_rate
                    * chained.end_value
        end as opportunity_midpoint,
        scored.* exclude (property_id, window_name, segment_name, segment_value, step_number),
        case
            when steps.rate_status = 'measured'
                then
                    scored.p_gap >= {{ var('least_p_gap') }}
                    and (steps.segment_name = 'all' or coalesce(verdicts.q_value <= {{ var('false_discovery_rate') }}, false))
        end as is_leak,
        case when is_leak then findings.finding_id end as finding_id
    from steps
    left join findings using (property_id, window_name, step_key)
    left join {{ ref('int_benchmarks__scored') }} as verdicts
        using (property_id, window_name, segment_name, segment_value, benchmark_key)
    left join {{ ref('int_leaks__chained') }} as chained
        using (property_id, window_name, segment_name, segment_value, step_number)
    left join {{ ref('int_leaks__scored') }} as scored
        using (property_id, window_name, segment_name, segment_value, step_number)
)

select
    {{ window_columns() }},
    segment_name,
    segment_value,
    {{ step_names() }},
    benchmark_key,
    numerator,
    denominator,
    rate,
    ci_low,
    ci_high,
    {{ cast_to('double', 'benchmark_low', 'benchmark_high') }},
    downstream_rate,
    order_value,
    is_own_order_value,
    cast(leak_rank as integer) as leak_rank,
    -- What the dashboard calls the largest leak is the first one.
    cast(row_number() over (
        partition by property_id, window_name
        order by
            is_leak desc nulls last, opportunity_p50 desc nulls last, segment_name <> 'all' asc, leak_rank asc, step_number asc,
            segment_name asc, segment_value asc
    ) as integer) as leak_order,
    opportunity,
    opportunity_p05,
    opportunity_p50,
    opportunity_p95,
    opportunity_p50 * {{ var('marginal_visitor_share') }} as opportunity_p50_reduced,
    opportunity_midpoint,
    p_gap,
    p_biggest,
    allocated,
    joint_gain,
    signed as signed_value,
    shortfall as shortfall_value,
    surplus as surplus_value,
    rest as rest_value,
    case when is_money then 'money' when end_value is not null then 'orders' end as value_unit,
    currency,
    is_leak,
    finding_id,
    case when rate_status <> 'measured' then rate_status when is_leak then 'leak' else 'no_leak' end as status,
    tracking_state,
    source,
    source_date,
    {{ quality_columns() }}
from judged
