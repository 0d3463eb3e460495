with {{ days_to_build() }},

steps as (
    select
        chained.*,
        days.date
    from {{ ref('int_funnel__steps_chained') }} as chained
    inner join days on chained.property_id = days.property_id and chained.window_end = days.date
    where chained.window_name = '1d'
),

reach as {{ rows_of_days(ref('int_funnel__days_filled')) }},

{{ rated_steps(period=['date']) }}

select
    property_id,
    date,
    {{ step_columns() }},
    {{ quality_columns() }}
from rated
