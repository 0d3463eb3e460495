with paired as (
    select * from {{ ref('int_changes__paired') }}
),

scored as (
    select * from {{ ref('int_changes__scored') }}
),

-- What holds for a cell as a whole: as whole and as mature as the worst of its steps.
cells as (
    select
        {{ window_key() }},
        segment_name,
        segment_value,
        bool_and(is_complete) as is_complete,
        {{ worst_maturity('maturity') }} as maturity,
        bit_or(flag_bits) as flag_bits
    from paired
    group by all
),

stages as (
    select
        factored.property_id,
        factored.window_name,
        factored.segment_name,
        factored.segment_value,
        scored.effect,
        factored.factor_number,
        factored.factor_key,
        factored.prior_factor as prior_value,
        factored.factor as value_now,
        scored.contribution,
        case when factored.is_money then 'money' else 'orders' end as unit,
        max(factored.currency) over (
            partition by factored.property_id, factored.window_name, factored.segment_name, factored.segment_value
        ) as currency,
        scored.is_simpson,
        scored.is_mix_driven
    from {{ ref('int_changes__factored') }} as factored
    inner join scored using (property_id, window_name, segment_name, segment_value, factor_number)
    where scored.effect = 'stage'
),

segments as (
    select
        scored.property_id,
        scored.window_name,
        scored.segment_name,
        scored.segment_value,
        scored.effect,
        scored.factor_number,
        paired.step_key as factor_key,
        {{ rate('paired.prior_sessions', 'paired.prior_denominator') }} as prior_value,
        {{ rate('paired.sessions', 'paired.denominator') }} as value_now,
        scored.contribution,
        'rate' as unit,
        cast(null as varchar) as currency,
        scored.is_simpson,
        scored.is_mix_driven
    from scored
    inner join paired
        on
            scored.property_id = paired.property_id
            and scored.window_name = paired.window_name
            and scored.segment_name = paired.segment_name
            and scored.segment_value = paired.segment_value
            and scored.factor_number = paired.step_number
    where scored.effect in ('rate', 'mix')
),

united as (
    select * from stages
    union all
    select * from segments
)

select
    united.property_id,
    united.window_name,
    cells.window_start,
    cells.window_end,
    united.segment_name,
    united.segment_value,
    united.effect,
    cast(united.factor_number as integer) as factor_number,
    united.factor_key,
    united.prior_value,
    united.value_now,
    united.contribution,
    united.unit,
    united.currency,
    united.is_simpson,
    united.is_mix_driven,
    cells.is_complete,
    cells.maturity,
    {{ flag_names('cells.flag_bits') }} as flags
from united
inner join cells using (property_id, window_name, segment_name, segment_value)
