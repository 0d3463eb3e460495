-- The functions for readers come with the metrics that they are about.
{{ config(post_hook="{{ create_reader_macros() }}") }}

select
    metric,
    label,
    is_semantic,
    description,
    formula,
    numerator,
    denominator,
    unit,
    table_name,
    column_name,
    example_query
from {{ ref('metric_definitions') }}
