-- Step 0 is what everything is counted from, so it can never drop out of its chain.
select
    funnel,
    min(step_number) as first_step
from {{ ref('funnel_steps') }}
group by funnel
having min(step_number) <> 0 or bool_or(step_number = 0 and is_optional)
