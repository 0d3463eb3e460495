-- `vars: segments` (which raw column a segment has) must say what the seed says.
{% set mapping = var('segments') %}

with configured as (
    {% for segment in mapping -%}
    select
        '{{ segment }}' as segment_name,
        {{ "'" ~ mapping[segment] ~ "'" if mapping[segment] else 'cast(null as varchar)' }} as column_name
    {%- if not loop.last %}
    union all
    {% endif -%}
    {%- endfor %}
),

seeded as (
    select
        segment_name,
        column_name
    from {{ ref('segments') }}
)

select
    configured.segment_name as configured_segment,
    seeded.segment_name as seeded_segment
from configured
full outer join seeded
    on
        configured.segment_name = seeded.segment_name
        and configured.column_name is not distinct from seeded.column_name
where configured.segment_name is null or seeded.segment_name is null
