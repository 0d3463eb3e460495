-- A step's counts by segment, in both windows: what rate and mix effects are made of.
select
    property_id,
    window_name,
    segment_name,
    step_number,
    segment_value,
    sessions as numerator,
    denominator,
    previous_sessions as previous_numerator,
    previous_denominator
from {{ ref('int_changes__paired') }}
where segment_name <> 'all' and previous_step_key is not null
