-- Of what goes on: what each finding's step lacks to its floor, and at which pair of steps.
with findings as (
    select
        scored.*,
        steps.previous_step_key,
        steps.benchmark * scored.denominator - scored.numerator as lacking
    from {{ ref('int_findings__scored') }} as scored
    inner join {{ ref('int_leaks__chained') }} as steps using (property_id, window_name, step_key)
    where steps.segment_name = 'all' and scored.state <> 'healed'
),

-- What the step is known by: products in units, landing pages in sessions. A row that is no rate has no score.
products as (
    select
        scores.*,
        funnel.window_start,
        funnel.window_end,
        'product' as kind,
        scores.item_id as detail_id,
        scores.item_name as detail_name,
        funnel.unit,
        funnel.units as numerator,
        funnel.previous_units as denominator,
        funnel.step_rate as rate,
        funnel.ci_low,
        funnel.ci_high,
        funnel.is_complete,
        funnel.maturity,
        funnel.flags
    from {{ ref('int_items__scored') }} as scores
    inner join {{ ref('fct_product_funnel_window') }} as funnel using (property_id, window_name, item_id, item_name, step_key)
    where not funnel.is_not_set and funnel.status = 'measured'
),

landing_pages as (
    select
        scores.*,
        pages.page_type,
        'landing_page' as kind,
        pages.landing_page as detail_id,
        pages.landing_page as detail_name,
        'sessions' as unit,
        pages.numerator,
        pages.denominator,
        pages.rate,
        pages.ci_low,
        pages.ci_high,
        pages.is_complete,
        pages.maturity,
        {{ flag_names('pages.flag_bits') }} as flags
    from {{ ref('int_landing_pages__scored') }} as scores
    inner join {{ ref('int_landing_pages__stepped') }} as pages
        using (property_id, window_name, landing_page, step_key, previous_step_key)
),

details as (
    select * from products
    union all by name
    select * from landing_pages
),

-- rise: by which share all successes of the step would grow if this part did as the others do.
compared as (
    select
        *,
        denominator * (outside_rate - shrunk_rate) as shortfall,
        shortfall / sum(numerator) over (partition by property_id, window_name, step_key, kind) as rise
    from details
)

-- Only what stands out holds anything: nothing is named for its size.
select
    findings.property_id,
    findings.finding_id,
    findings.window_name,
    findings.window_start,
    findings.window_end,
    findings.step_key,
    findings.previous_step_key,
    compared.kind,
    compared.detail_id,
    compared.detail_name,
    compared.page_type,
    cast(row_number() over (
        partition by findings.property_id, findings.finding_id order by compared.rise desc, compared.kind asc, compared.detail_id asc
    ) as integer) as detail_rank,
    compared.unit,
    try_cast(compared.numerator as bigint) as numerator,
    try_cast(compared.denominator as bigint) as denominator,
    compared.rate,
    compared.ci_low,
    compared.ci_high,
    cast(compared.outside_rate as double) as outside_rate,
    cast(compared.shrunk_rate as double) as shrunk_rate,
    cast(compared.q_value as double) as q_value,
    cast(compared.shortfall as double) as shortfall,
    findings.scope = '[]' as is_of_scope,
    case when is_of_scope and findings.lacking > 0 then compared.rise * findings.numerator / findings.lacking end as shortfall_share,
    compared.is_complete,
    compared.maturity,
    compared.flags
from findings
inner join compared using (property_id, window_name, step_key, previous_step_key)
where compared.q_value <= {{ var('false_discovery_rate') }} and compared.shortfall > 0
