with {{ days_to_build() }},

reach as {{ rows_of_days(ref('int_funnel__days_filled')) }},

chain as (
    select
        property_id,
        window_end as date,
        step_key,
        previous_step_key
    from {{ ref('int_funnel__steps_chained') }}
    where window_name = '1d' and funnel = 'extended'
),

{{ rated_keys(period=['date']) }}

select
    property_id,
    date,
    segment_name,
    segment_value,
    {{ key_columns() }},
    {{ quality_columns() }}
from rated
