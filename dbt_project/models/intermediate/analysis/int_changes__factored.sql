-- Only where the chain goes as far as the order in both windows: without it the product is not what came in.
-- Revenue as a product: visits, the rate of each step, and what a session with an order brings (so that the product is the
-- revenue, also where a session orders twice). Without revenue the product is the sessions with an order.
with steps as (
    select *
    from {{ ref('int_changes__paired') }}
    qualify bool_or(step_key = 'purchase') over (partition by property_id, window_name, segment_name, segment_value)
),

money as (
    select
        now.property_id,
        now.window_name,
        now.segment_name,
        now.segment_value,
        now.currency,
        {{ rate('now.purchase_revenue', 'now.purchases') }} as factor,
        {{ rate('prior_window.purchase_revenue', 'prior_window.purchases') }} as prior_factor
    from {{ ref('int_carts__summed') }} as now
    inner join {{ ref('int_carts__summed') }} as prior_window
        on {{ is_prior_window('now', ['segment_name', 'segment_value', 'currency']) }}
    where now.is_current and now.purchase_revenue >= 0 and prior_window.purchase_revenue >= 0
),

factors as (
    select
        property_id,
        window_name,
        segment_name,
        segment_value,
        step_number as factor_number,
        step_key as factor_key,
        case when previous_step_key is null then cast(sessions as double) else {{ rate('sessions', 'denominator') }} end as factor,
        case
            when previous_step_key is null then cast(prior_sessions as double)
            else {{ rate('prior_sessions', 'prior_denominator') }}
        end as prior_factor,
        cast(null as varchar) as currency
    from steps
    union all
    select
        money.property_id,
        money.window_name,
        money.segment_name,
        money.segment_value,
        1000 as factor_number,
        'order_value' as factor_key,
        money.factor,
        money.prior_factor,
        money.currency
    from money
    semi join steps using (property_id, window_name, segment_name, segment_value)
)

-- A factor that one of the windows has not (nobody came to the step) leaves the product unknown.
select
    *,
    bool_or(factor_key = 'order_value') over cell as is_money
from factors
window cell as (partition by property_id, window_name, segment_name, segment_value)
qualify bool_and(factor is not null and prior_factor is not null) over cell
