with steps as (
    select
        keys.property_id,
        keys.window_name,
        keys.window_days,
        keys.window_start,
        keys.window_end,
        keys.current_end,
        keys.is_current,
        keys.days_loaded,
        steps.funnel,
        steps.step_number,
        steps.key as step_key,
        steps.label as step_label,
        steps.is_optional,
        not steps.is_optional or keys.tracking_state = 'tracked' as is_in_chain
    from {{ ref('int_funnel__keys_assessed') }} as keys
    inner join {{ ref('funnel_steps') }} as steps on keys.key = steps.key
)

-- An optional step joins the chain only while it is tracked; otherwise its neighbours are joined directly.
select
    *,
    case
        when is_in_chain
            then lag(step_key) over (
                partition by property_id, window_name, window_end, funnel, is_in_chain order by step_number
            )
    end as previous_step_key
from steps
