-- A range is 0 <= low < high <= 1, and every benchmark has exactly one general default.
select benchmark_key
from {{ ref('int_benchmarks__resolved') }}
where not (low >= 0 and low < high and high <= 1)
union all
select benchmark_key
from {{ ref('int_benchmarks__resolved') }}
group by benchmark_key
having count(*) filter (where is_default) <> 1
