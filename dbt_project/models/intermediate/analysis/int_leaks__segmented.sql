-- Each segment's counts beside the shop's, whose benchmark and worth per success count for all of them: with each
-- segment's own the parts would not add up.
with steps as (
    select * from {{ ref('int_leaks__chained') }}
)

select
    parts.property_id,
    parts.window_name,
    parts.segment_name,
    parts.step_number,
    parts.segment_value,
    parts.numerator,
    parts.denominator,
    shop.numerator as shop_numerator,
    shop.denominator as shop_denominator,
    shop.benchmark,
    shop.downstream_rate * shop.end_value as value
from steps as parts
inner join steps as shop
    on
        parts.property_id = shop.property_id
        and parts.window_name = shop.window_name
        and parts.step_key = shop.step_key
        and parts.previous_step_key = shop.previous_step_key
        and shop.segment_name = 'all'
where parts.segment_name <> 'all' and shop.benchmark is not null
