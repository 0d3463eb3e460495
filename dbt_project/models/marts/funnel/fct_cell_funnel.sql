with {{ days_to_build() }}

select
    cells.property_id,
    cells.date,
    cells.cube,
    cells.device,
    cells.channel,
    cells.visitor,
    cells.country,
    cells.step_number,
    cells.step_key,
    cells.step_label,
    cells.previous_step_key,
    cells.reached,
    cells.previous_reached,
    case
        when cells.flag_bits & {{ flag_bits(sampled='true', restricted='true') }} = 0
            then {{ rate('cells.reached', 'cells.previous_reached') }}
    end as step_rate,
    {{ quality_columns() }}
from {{ ref('int_cells__counted') }} as cells
semi join days using (property_id, date)
