-- `@previous` means the previous step of the extended funnel: the key has to be one, and not the first.
select plan.key
from {{ ref('micro_conversions') }} as plan
left join {{ ref('funnel_steps') }} as steps on plan.key = steps.key and steps.funnel = 'extended' and steps.step_number > 0
where plan.parent_key = '@previous' and steps.key is null
