with steps as (
    select
        staged.property_id,
        staged.shop,
        staged.date,
        staged.device,
        core.step_number,
        staged.step_key,
        staged.sessions,
        max(staged.sessions) filter (staged.step_key = 'sessions') over day as all_sessions,
        staged.origin,
        staged.is_complete
    from {{ ref('stg_shopify__sessions') }} as staged
    inner join {{ core_steps() }} as core on staged.step_key = core.key
    where staged.bot_filter <> 'none'
    window day as (partition by staged.property_id, staged.date, staged.device)
),

everyone as (
    select
        property_id,
        date,
        device,
        step_key,
        sessions as sessions_with_bots
    from {{ ref('stg_shopify__sessions') }}
    where bot_filter = 'none'
)

select
    property_id,
    steps.shop,
    date,
    device,
    steps.step_number,
    step_key,
    steps.sessions,
    steps.all_sessions,
    {{ rate_with_interval('session_share', 'true', 'steps.sessions', 'steps.all_sessions', exact='true') }},
    everyone.sessions_with_bots,
    {{ shopify_session_definition('date') }} as session_definition,
    steps.origin,
    steps.is_complete
from steps
left join everyone using (property_id, date, device, step_key)
