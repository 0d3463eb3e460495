-- Every benchmark has exactly one general default; that ranges are ranges is the loader's and the marts gate's to say.
select benchmark_key
from {{ ref('int_benchmarks__resolved') }}
group by benchmark_key
having count(*) filter (where is_default) <> 1
