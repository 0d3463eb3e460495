select
    table_name,
    column_position,
    column_name,
    data_type,
    description,
    table_description
from {{ mart_columns() }}
