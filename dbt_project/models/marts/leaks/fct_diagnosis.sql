with sized as (
    select
        fired.*,
        rules.stage,
        cast(rules.priority as integer) as priority,
        rules.likely_cause,
        rules.fix,
        rules.confirm_with,
        carts.lost_carts,
        carts.recovery_rate,
        carts.average_order_value,
        carts.recoverable_value,
        carts.currency,
        segments.position
    from {{ ref('int_diagnosis__fired') }} as fired
    inner join {{ ref('diagnosis_playbook') }} as rules on fired.rule = rules.rule
    inner join {{ ref('segments') }} as segments on fired.segment_name = segments.segment_name
    -- Only what the playbook sizes by it: the other rules have no amount of their own.
    left join {{ ref('fct_cart_recovery') }} as carts
        on
            fired.property_id = carts.property_id
            and fired.window_name = carts.window_name
            and fired.segment_name = carts.segment_name
            and fired.segment_value = carts.segment_value
            and rules.sized_by = 'cart_recovery'
)

select
    property_id,
    window_name,
    window_start,
    window_end,
    segment_name,
    segment_value,
    cast(row_number() over (
        partition by property_id, window_name
        order by position, priority, rule, segment_value
    ) as integer) as diagnosis_rank,
    rule,
    stage,
    priority,
    likely_cause,
    fix,
    confirm_with,
    evidence,
    evidence_numbers,
    lost_carts,
    recovery_rate,
    average_order_value,
    recoverable_value,
    currency,
    is_complete,
    maturity
from sized
