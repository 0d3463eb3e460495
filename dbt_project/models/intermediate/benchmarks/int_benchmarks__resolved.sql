-- The shop's own benchmarks, and those of the seed that it does not replace.
select * from {{ source('ops', 'benchmark_overrides') }}
union all by name
select seeded.*
from {{ ref('benchmarks') }} as seeded
anti join {{ source('ops', 'benchmark_overrides') }} as own
    on
        seeded.benchmark_key = own.benchmark_key
        and seeded.industry = own.industry
        and seeded.device = own.device
        and seeded.region = own.region
