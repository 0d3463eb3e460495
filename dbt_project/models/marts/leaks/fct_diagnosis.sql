{% set by_evidence = 'signal_count desc, signal_distance desc' %}
-- The parts of the shop that each finding is looked at in: those of its conditions, one by one.
with conditions as (
    select
        *,
        case
            when scope = '[]' then [struct_pack(segment_name := 'all', segment_value := 'all')]
            else from_json(scope, '[{"segment_name": "VARCHAR", "segment_value": "VARCHAR"}]')
        end as parts
    from {{ ref('int_findings__scored') }}
    where state <> 'healed'
),

listed as (
    select
        property_id,
        finding_id,
        step_key,
        opportunity_p50,
        unnest(parts) as part,
        generate_subscripts(parts, 1) as place
    from conditions
),

findings as (
    select
        listed.property_id,
        listed.finding_id,
        listed.step_key,
        listed.opportunity_p50,
        listed.place,
        listed.part.segment_name,
        listed.part.segment_value
    from listed
),

sized as (
    select
        fired.*,
        findings.finding_id,
        rules.step_key,
        rules.is_fallback,
        rules.sized_by is not null as is_remedy,
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
        findings.opportunity_p50,
        findings.place
    from {{ ref('int_diagnosis__fired') }} as fired
    inner join {{ ref('diagnosis_playbook') }} as rules on fired.rule = rules.rule
    -- Only what the playbook sizes by it: the other rules have no amount of their own.
    left join {{ ref('fct_cart_recovery') }} as carts
        on
            fired.property_id = carts.property_id
            and fired.window_name = carts.window_name
            and fired.segment_name = carts.segment_name
            and fired.segment_value = carts.segment_value
            and rules.sized_by = 'cart_recovery'
    left join findings
        on
            fired.property_id = findings.property_id
            and fired.segment_name = findings.segment_name
            and fired.segment_value = findings.segment_value
            and rules.step_key = findings.step_key
    -- A finding's causes are told of its own part of the shop, and once; of a step that has none, those of the whole shop.
    where
        findings.finding_id is not null
        or fired.segment_name = 'all'
        and not exists (
            select 1
            from findings as others
            where fired.property_id = others.property_id and rules.step_key = others.step_key
        )
),

-- A rule is told once of a finding, where most speaks for it; what only says that a step is low, where no other rule says why.
told as (
    select *
    from sized
    qualify
        row_number() over (
            partition by property_id, window_name, rule, finding_id order by {{ by_evidence }}, place asc, segment_value asc
        ) = 1
        and (not is_fallback or bool_and(is_fallback) over (partition by property_id, window_name, step_key, finding_id))
)

select
    {{ window_key() }},
    segment_name,
    segment_value,
    -- What is to be won back comes after why it was lost: its size is no evidence of a cause.
    cast(row_number() over (
        partition by property_id, window_name
        order by
            rule <> 'T1' asc, finding_id is null asc, opportunity_p50 desc nulls last, finding_id asc, is_remedy asc,
            {{ by_evidence }}, priority asc, rule asc, segment_value asc
    ) as integer) as diagnosis_rank,
    rule,
    stage,
    step_key,
    finding_id,
    priority,
    likely_cause,
    fix,
    confirm_with,
    evidence,
    evidence_numbers,
    cast(signal_count as integer) as signal_count,
    signal_distance,
    lost_carts,
    recovery_rate,
    average_order_value,
    recoverable_value,
    currency,
    is_complete,
    maturity
from told
