-- What is done on a page is rated against its parent there; where the parent belongs to another stage, and so to other
-- pages, against all sessions of the page.
with plan as (
    select
        plan.key,
        plan.stage,
        plan.family,
        case
            when plan.parent_key is null then null
            when parent.stage = plan.stage then plan.parent_key
            else 'sessions'
        end as parent_key
    from {{ ref('int_plan__resolved') }} as plan
    left join {{ ref('int_plan__resolved') }} as parent on plan.parent_key = parent.key
),

counts as (
    select
        property_id,
        window_name,
        window_end,
        page_path,
        key,
        sessions,
        tracking_state,
        is_complete,
        maturity,
        flag_bits
    from {{ ref('int_pages__keys_summed') }}
    union all
    select
        property_id,
        window_name,
        window_end,
        page_path,
        'sessions' as key,
        sessions,
        case
            when is_withheld then 'withheld'
            when {{ is_sessionless_window('views', 'sessions') }} then 'sessionless'
            else 'tracked'
        end as tracking_state,
        is_complete,
        maturity,
        flag_bits
    from {{ ref('int_pages__summed') }}
),

paired as (
    select
        keys.* replace (
            keys.is_complete and coalesce(parent.is_complete, true) as is_complete,
            {{ worse_maturity('keys.maturity', 'parent.maturity') }} as maturity,
            keys.flag_bits | coalesce(parent.flag_bits, 0) as flag_bits
        ),
        plan.stage,
        plan.family,
        plan.parent_key,
        parent.sessions as parent_sessions,
        case
            when plan.parent_key is null then keys.tracking_state
            else {{ rate_state('keys.tracking_state', 'parent.tracking_state') }}
        end as rate_state
    from {{ ref('int_pages__keys_summed') }} as keys
    inner join plan on keys.key = plan.key
    left join counts as parent
        on
            keys.property_id = parent.property_id
            and keys.window_name = parent.window_name
            and keys.window_end = parent.window_end
            and keys.page_path = parent.page_path
            and plan.parent_key = parent.key
),

rated as (
    select
        *,
        case when rate_state = 'tracked' then {{ rate('sessions', 'parent_sessions') }} end as micro_rate,
        case when rate_state = 'tracked' then {{ wilson_low('sessions', 'parent_sessions') }} end as ci_low,
        case when rate_state = 'tracked' then {{ wilson_high('sessions', 'parent_sessions') }} end as ci_high,
        {{ rate_status('rate_state', 'sessions', 'parent_sessions', unrated=('parent_key is null', 'no_parent')) }} as status
    from paired
),

{{ compared_windows(cell=['page_path', 'key'], count='sessions', rate='micro_rate', denominator='parent_key') }}

select
    compared.property_id,
    compared.window_name,
    compared.window_start,
    compared.window_end,
    compared.window_days,
    compared.days_loaded,
    compared.page_path,
    placed.page_stage,
    compared.key,
    compared.stage,
    compared.family,
    'sessions' as unit,
    compared.sessions,
    compared.events,
    compared.parent_key,
    compared.parent_sessions,
    compared.micro_rate,
    compared.ci_low,
    compared.ci_high,
    compared.status,
    compared.tracking_state,
    compared.before_count as previous_sessions,
    compared.before_rate as previous_micro_rate,
    compared.before_status as previous_status,
    compared.before_days_loaded as previous_days_loaded,
    {{ rate_change('micro_rate') }},
    compared.is_complete,
    compared.maturity,
    {{ flag_names('compared.flag_bits') }} as flags
from compared
inner join {{ ref('int_pages__placed') }} as placed
    on
        compared.property_id = placed.property_id
        and compared.window_name = placed.window_name
        and compared.window_end = placed.window_end
        and compared.page_path = placed.page_path
-- A key that belongs to other pages is no news where it did not occur.
where compared.sessions > 0 or compared.stage = placed.page_stage or (compared.stage = 'site' and compared.parent_key is not null)
