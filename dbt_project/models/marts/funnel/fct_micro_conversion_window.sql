with rated as (
    select * from {{ ref('int_funnel__keys_rated') }}
),

{{ compared_windows(
    cell=['segment_name', 'segment_value', 'key'], columns=['sessions', 'micro_rate'], rate='micro_rate', denominator='parent_key'
) }}

select
    {{ window_columns() }},
    segment_name,
    segment_value,
    {{ key_columns() }},
    phi,
    n_eff,
    prior_sessions,
    prior_micro_rate,
    {{ change_columns('micro_rate') }}
from compared
