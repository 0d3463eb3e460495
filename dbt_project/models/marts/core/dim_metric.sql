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
-- Metrics of a second source only where its marts are.
where table_name in (select columns.table_name from {{ ref('dim_column') }} as columns)
