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
        tracking_state,
        is_complete,
        maturity,
        flag_bits
    from {{ ref('int_pages__summed') }}
),

-- Days of a page with its parent; a key that never came to a page does not vary there.
days as (
    select
        parents.property_id,
        parents.date,
        parents.page_path,
        plan.key,
        coalesce(keys.sessions, 0) as sessions,
        parents.sessions as parent_sessions
    from {{ ref('int_pages__keys_daily') }} as parents
    inner join plan on parents.key = plan.parent_key
    left join {{ ref('int_pages__keys_daily') }} as keys
        on
            parents.property_id = keys.property_id
            and parents.date = keys.date
            and parents.page_path = keys.page_path
            and plan.key = keys.key
),

noise as (
    {% call windowed_sums('days', ['page_path', 'key']) %}
    {{ widened_overdispersion('days.sessions', 'days.parent_sessions') }} as phi
    {% endcall %}
),

paired as (
    select
        {{ with_parent('keys', 'plan.parent_key') }},
        placed.page_stage,
        plan.stage,
        plan.family,
        plan.parent_key,
        case when parent.sessions is not null then coalesce(noise.phi, 1) end as phi
    from {{ ref('int_pages__keys_summed') }} as keys
    inner join plan using (key)
    left join {{ ref('int_pages__placed') }} as placed using (property_id, window_name, window_end, page_path)
    left join noise using (property_id, window_name, window_end, page_path, key)
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
        {{ effective_trials('sessions', 'parent_sessions', phi='phi') }} as n_eff,
        {{ rate_with_interval('micro_rate', "rate_state = 'tracked'", 'sessions', 'parent_sessions', 'n_eff') }},
        {{ rate_status('rate_state', 'sessions', 'parent_sessions', unrated=('parent_key is null', 'no_parent')) }} as status
    from paired
),

{{ compared_windows(
    cell=['page_path', 'key'], columns=['sessions', 'micro_rate'], rate='micro_rate', denominator='parent_key'
) }}

select
    {{ window_columns() }},
    page_path,
    page_stage,
    {{ key_columns() }},
    phi,
    n_eff,
    prior_sessions,
    prior_micro_rate,
    {{ change_columns('micro_rate') }}
from compared
-- A key that belongs to other pages is no news where it did not occur.
where sessions > 0 or stage = page_stage or (stage = 'site' and parent_key is not null)
