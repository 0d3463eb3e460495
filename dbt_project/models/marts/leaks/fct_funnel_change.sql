with paired as (
    select * from {{ ref('int_changes__paired') }}
),

-- What holds for a cell as a whole: as whole and as mature as the worst of its steps.
cells as (
    select
        property_id,
        window_name,
        window_start,
        window_end,
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
        'stage' as effect,
        factored.factor_number,
        factored.factor_key,
        factored.previous_factor as value_before,
        factored.factor as value_now,
        attributed.contribution,
        case when factored.is_money then 'money' else 'orders' end as unit,
        max(factored.currency) over (
            partition by factored.property_id, factored.window_name, factored.segment_name, factored.segment_value
        ) as currency,
        cast(null as boolean) as is_simpson,
        cast(null as boolean) as is_mix_driven
    from {{ ref('int_changes__factored') }} as factored
    inner join {{ ref('int_changes__attributed') }} as attributed
        using (property_id, window_name, segment_name, segment_value, factor_number)
),

effects as (
    select
        split.*,
        unnest(['rate', 'mix']) as effect,
        unnest([split.rate_effect, split.mix_effect]) as contribution
    from {{ ref('int_changes__split') }} as split
),

segments as (
    select
        effects.property_id,
        effects.window_name,
        effects.segment_name,
        effects.segment_value,
        effects.effect,
        effects.step_number as factor_number,
        paired.step_key as factor_key,
        {{ rate('paired.previous_sessions', 'paired.previous_denominator') }} as value_before,
        {{ rate('paired.sessions', 'paired.denominator') }} as value_now,
        effects.contribution,
        'rate' as unit,
        cast(null as varchar) as currency,
        effects.is_simpson,
        effects.is_mix_driven
    from effects
    inner join paired using (property_id, window_name, segment_name, segment_value, step_number)
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
    united.value_before,
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
