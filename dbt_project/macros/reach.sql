{#- How a table of reach becomes dense, and how its steps are rated: the same for a day and for a window. -#}

{#- Condition: `left_out` (of int_pulls__left_out) says that `report` was without `name` in the window of `rows`, or on its date. -#}
{% macro is_left_out(rows, report, name, by_day=false) -%}
    {{ rows }}.property_id = left_out.property_id
    and left_out.window_name = {{ "'1d'" if by_day else rows ~ '.window_name' }}
    and left_out.window_end = {{ rows }}.{{ 'date' if by_day else 'window_end' }}
    and left_out.report = {{ report }}
    and left_out.name = {{ name }}
{%- endmacro %}

{#- A missing row is a real zero only where the key is tracked and the reports behind it left no row out. -#}
{% macro is_real_zero(is_missing, tracking_state, is_doubtful, is_fully_reported) -%}
    {{ is_missing }} and {{ tracking_state }} = 'tracked' and not {{ is_doubtful }} and {{ is_fully_reported }}
{%- endmacro %}

{#- Select items over rows with is_zero and is_doubtful. A row without a number (restricted) stays without. `is_contradicted`:
    SQL that says whether the part of the shop has no sessions to speak of, although the shop's have. -#}
{% macro filled_counts(is_contradicted) -%}
    case when is_zero then 0 else sessions end as sessions,
    case when key = 'sessions' then null when is_zero then 0 else events end as events,
    case
        when tracking_state = 'tracked' and not is_zero and (is_doubtful or sessions is null) then 'withheld'
        when tracking_state = 'tracked' and {{ is_contradicted }} then 'sessionless'
        else tracking_state
    end as tracking_state
{%- endmacro %}

{#- CTE from `paired` to `noisy`: the same rows with n_eff, how many steady sessions tell as much as the trials. A day is one
    estimate of GA4's; a window is a sum of days, whose variation int_funnel__rates_dispersed has by `numerator_key` and
    `denominator_key`, and int_items__dispersed for all items together. -#}
{% macro with_effective_trials(period, cell, numerator_key, denominator_key, successes, trials) -%}
noisy as (
    {%- set is_segment = cell == ['segment_name', 'segment_value'] %}
    {%- if period == ['date'] %}
    select
        *,
        {{ effective_trials(successes, trials, exact=is_exact('flag_bits')) }} as n_eff
    from paired
    {%- else %}
    select
        paired.*,
        case when paired.{{ trials }} is not null then coalesce(noise.phi_wide, 1) end as phi,
        {{ effective_trials('paired.' ~ successes, 'paired.' ~ trials, phi='coalesce(noise.phi_wide, 1)') }} as n_eff
    from paired
    left join {{ ref('int_funnel__rates_dispersed' if is_segment else 'int_items__dispersed') }} as noise
        on
            paired.property_id = noise.property_id
            {%- for column in period + (cell if is_segment else []) %}
            and paired.{{ column }} = noise.{{ column }}
            {%- endfor %}
            and paired.{{ numerator_key }} = noise.numerator_key
            and paired.{{ denominator_key }} = noise.denominator_key
    {%- endif %}
)
{%- endmacro %}

{#- CTEs from `steps` (the chain of each period) and `reach` to `rated`: one row per period, segment value and step.
    `period`: the columns that name a period within a property; `cell`: those that name a part of the shop. -#}
{% macro rated_steps(period, cell=['segment_name', 'segment_value']) -%}
chained as (
    select
        steps.*,
        {%- for column in cell %}
        reach.{{ column }},
        {%- endfor %}
        reach.sessions as reached,
        reach.tracking_state,
        reach.is_complete,
        reach.maturity,
        reach.flag_bits,
        lag(reach.sessions) over chain as previous_reached,
        lag(reach.tracking_state) over chain as previous_tracking_state,
        lag(reach.is_complete) over chain as previous_is_complete,
        lag(reach.maturity) over chain as previous_maturity,
        lag(reach.flag_bits) over chain as previous_flag_bits,
        first_value(reach.sessions) over chain as entry_reached,
        first_value(reach.tracking_state) over chain as entry_tracking_state
    from steps
    inner join reach
        on
            steps.property_id = reach.property_id
            and steps.step_key = reach.key
            {%- for column in period %}
            and steps.{{ column }} = reach.{{ column }}
            {%- endfor %}
    window chain as (
        partition by
            steps.property_id,
            {%- for column in period %}
            steps.{{ column }},
            {%- endfor %}
            {%- for column in cell %}
            reach.{{ column }},
            {%- endfor %}
            steps.funnel, steps.is_in_chain
        order by steps.step_number
    )
),

-- A rate is as whole, as mature and as clean as the worse of its two counts.
paired as (
    select
        * exclude (previous_is_complete, previous_maturity, previous_flag_bits) replace (
            case when is_in_chain then previous_reached end as previous_reached,
            is_complete and (previous_step_key is null or previous_is_complete) as is_complete,
            {{ worse_maturity('maturity', 'case when previous_step_key is not null then previous_maturity end') }} as maturity,
            flag_bits | case when previous_step_key is not null then previous_flag_bits else 0 end as flag_bits
        ),
        case
            when previous_step_key is not null then {{ rate_state('tracking_state', 'previous_tracking_state') }}
            else tracking_state
        end as step_state,
        is_in_chain and {{ rate_state('tracking_state', 'entry_tracking_state') }} = 'tracked' as is_from_entry
    from chained
),

{{ with_effective_trials(period, cell, 'step_key', 'previous_step_key', 'reached', 'previous_reached') }},

measured as (
    select
        * exclude (previous_tracking_state, entry_tracking_state, is_from_entry),
        {{ rate_with_interval('step_rate', "step_state = 'tracked'", 'reached', 'previous_reached', 'n_eff') }},
        case when step_state = 'tracked' then {{ count_difference('previous_reached', 'reached') }} end as lost,
        case when is_from_entry then {{ rate('reached', 'entry_reached') }} end as cumulative_rate
    from noisy
),

rated as (
    select
        *,
        1 - step_rate as drop_off,
        {{ rate_status('step_state', 'reached', 'previous_reached', unrated=('previous_step_key is null', 'entry')) }} as status
    from measured
)
{%- endmacro %}

{#- Select items: which step of a funnel, and the one before it. -#}
{% macro step_names() -%}
    step_number,
    step_key,
    step_label,
    previous_step_key
{%- endmacro %}

{#- Select items over steps of the shop: what they are called, and their counts. -#}
{% macro step_counts() -%}
    segment_name,
    segment_value,
    {{ step_names() }},
    'sessions' as unit,
    'open' as funnel_type,
    reached,
    previous_reached,
    entry_reached
{%- endmacro %}

{#- Select items over `rated` steps of the shop: the same, and their rates. -#}
{% macro step_columns() -%}
    funnel,
    {{ step_counts() }},
    step_rate,
    drop_off,
    lost,
    cumulative_rate,
    ci_low,
    ci_high,
    status,
    tracking_state,
    is_optional,
    is_in_chain
{%- endmacro %}

{#- Select items: the rows of keys, each with the sessions of its `parent` row (none where `parent_key` is NULL): their rate
    is as whole, as mature and as clean as the worse of the two. -#}
{% macro with_parent(keys, parent_key) -%}
    {{ keys }}.* replace (
        {{ keys }}.is_complete and coalesce(parent.is_complete, true) as is_complete,
        {{ worse_maturity(keys ~ '.maturity', 'parent.maturity') }} as maturity,
        {{ keys }}.flag_bits | coalesce(parent.flag_bits, 0) as flag_bits
    ),
    parent.sessions as parent_sessions,
    case
        when {{ parent_key }} is null then {{ keys }}.tracking_state
        else {{ rate_state(keys ~ '.tracking_state', 'parent.tracking_state') }}
    end as rate_state
{%- endmacro %}

{#- CTEs from `reach` and `chain` (the previous step of each step of the extended funnel, as it was joined in each period)
    to `rated`: one row per period, segment value and key with its parent. `@previous` is that previous step. -#}
{% macro rated_keys(period) -%}
resolved as (
    select
        reach.*,
        plan.stage,
        plan.family,
        case when plan.parent_key = '@previous' then chain.previous_step_key else plan.parent_key end as parent_key
    from reach
    inner join {{ ref('int_plan__resolved') }} as plan on reach.key = plan.key
    left join chain
        on
            reach.property_id = chain.property_id
            and reach.key = chain.step_key
            {%- for column in period %}
            and reach.{{ column }} = chain.{{ column }}
            {%- endfor %}
    where reach.key <> 'sessions'
),

paired as (
    select
        {{ with_parent('resolved', 'resolved.parent_key') }}
    from resolved
    left join reach as parent
        on
            resolved.property_id = parent.property_id
            and resolved.segment_name = parent.segment_name
            and resolved.segment_value = parent.segment_value
            and resolved.parent_key = parent.key
            {%- for column in period %}
            and resolved.{{ column }} = parent.{{ column }}
            {%- endfor %}
),

{{ with_effective_trials(period, ['segment_name', 'segment_value'], 'key', 'parent_key', 'sessions', 'parent_sessions') }},

rated as (
    select
        *,
        {{ rate_with_interval('micro_rate', "rate_state = 'tracked'", 'sessions', 'parent_sessions', 'n_eff') }},
        {{ rate_status('rate_state', 'sessions', 'parent_sessions', unrated=('parent_key is null', 'no_parent')) }} as status
    from noisy
)
{%- endmacro %}

{#- Select items over `rated` keys: what they are called, their counts, and their rate. -#}
{% macro key_columns() -%}
    key,
    stage,
    family,
    'sessions' as unit,
    sessions,
    events,
    parent_key,
    parent_sessions,
    micro_rate,
    ci_low,
    ci_high,
    status,
    tracking_state
{%- endmacro %}

{#- The days of each property that are compared with those before them: the newest may still change (`anomaly_lag_days`). -#}
{% macro judged_days() -%}
(
    select
        property_id,
        min(date) as first_date,
        max(date) - {{ var('anomaly_lag_days') }} as last_judged,
        last_judged - {{ var('anomaly_days') }} + 1 as first_judged
    from {{ ref('int_funnel__periods_listed') }}
    group by property_id
)
{%- endmacro %}

{#- The core funnel of the seed: each step with the one before it, also where one is not tracked. `keys`: these steps only. -#}
{% macro core_steps(keys=none) -%}
(
    select
        key,
        step_number,
        label as step_label,
        lag(key) over (order by step_number) as previous_step_key
    from {{ ref('funnel_steps') }}
    where funnel = 'core'{% if keys %} and key in ('{{ keys | join("', '") }}'){% endif %}
)
{%- endmacro %}

{#- Body of a CTE: rows of items, of which `relation` has the units of each step in a column, as one row a step. -#}
{% macro item_units(relation) -%}
(
    {%- for key in var('item_counts') %}
    select
        *,
        '{{ key }}' as key,
        {{ var('item_counts')[key] }} as units
    from {{ relation }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)
{%- endmacro %}

{#- Windows in which a core step is tracked, of the parts that make up the shop: landing pages are no partition of it, and
    200 more cells of 20,000 draws a window would cost a night minutes. -#}
{% macro core_reach() -%}
(
    select
        counted.*,
        steps.step_number
    from {{ ref('int_funnel__reach_summed') }} as counted
    inner join {{ core_steps() }} as steps using (key)
    semi join (select segment_name from {{ ref('segments') }} where is_partition) as parts using (segment_name)
    where counted.tracking_state = 'tracked'
)
{%- endmacro %}
