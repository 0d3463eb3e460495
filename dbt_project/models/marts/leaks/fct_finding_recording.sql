{% set friction = ref('fct_page_friction') -%}
-- Of what goes on: the newest four weeks in which it leaked. Tools keep recordings for about as long (Clarity: 30 days).
with findings as (
    select
        scored.property_id,
        scored.finding_id,
        scored.window_name,
        scored.window_end,
        scored.step_key,
        steps.previous_step_key,
        core.step_label,
        before.step_label as previous_step_label,
        scored.scope,
        from_json(scored.scope, '[{"segment_name": "VARCHAR", "segment_value": "VARCHAR"}]') as conditions,
        coalesce(scored.recovered_date - 1, scored.window_end) as end_date,
        greatest(coalesce(scored.since_date, scored.window_start), end_date - 27) as start_date
    from {{ ref('int_findings__scored') }} as scored
    inner join {{ ref('int_leaks__chained') }} as steps using (property_id, window_name, step_key)
    inner join {{ core_steps() }} as core on scored.step_key = core.key
    inner join {{ core_steps() }} as before on steps.previous_step_key = before.key
    where steps.segment_name = 'all' and scored.state <> 'healed'
),

stages as (
    select distinct
        stage,
        step_key
    from {{ ref('diagnosis_playbook') }}
    where step_key is not null
),

-- The pages where a step is lost are those of the stages that the playbook looks for its causes in. Of many the folder that has
-- most sessions; of one that holds a single page, or all pages, the page.
folders as (
    select
        pages.property_id,
        pages.window_name,
        pages.window_end,
        stages.step_key,
        regexp_extract(pages.page_path, '^.*/') as folder,
        if(folder = '/' or count(*) = 1, arg_max(pages.page_path, pages.sessions), folder) as page_path,
        if(folder = '/' or count(*) = 1, max(pages.sessions), sum(pages.sessions)) as sessions
    from {{ ref('int_pages__placed') }} as placed
    inner join {{ ref('int_pages__summed') }} as pages using (property_id, window_name, window_end, page_path)
    inner join stages on placed.page_stage = stages.stage
    group by pages.property_id, pages.window_name, pages.window_end, stages.step_key, folder
),

places as (
    select
        property_id,
        window_name,
        window_end,
        step_key,
        arg_max(page_path, sessions) as page_path
    from folders
    group by property_id, window_name, window_end, step_key
),

-- A landing page that does clearly worse than the others of its kind is looked at before all of them.
worst as (
    select
        details.property_id,
        details.finding_id,
        arg_min(details.detail_id, details.detail_rank) as page_path
    from {{ ref('fct_finding_detail') }} as details
    inner join stages on details.step_key = stages.step_key and details.page_type = stages.stage
    where details.kind = 'landing_page'
    group by details.property_id, details.finding_id
),

placed as (
    select
        findings.*,
        coalesce(worst.page_path, places.page_path) as page_path
    from findings
    left join places using (property_id, window_name, window_end, step_key)
    left join worst using (property_id, finding_id)
),

-- What Clarity saw there clearly more often than in all visits, most of it first, then what the causes lead one to expect.
expected as (
    select
        causes.property_id,
        causes.finding_id,
        rules.signal,
        cast(causes.diagnosis_rank as double) as place
    from {{ ref('fct_diagnosis') }} as causes
    inner join {{ ref('diagnosis_playbook') }} as rules on causes.rule = rules.rule
    where causes.window_name = '28d' and causes.finding_id is not null and rules.signal is not null
    {%- if is_built(friction) %}
    union all by name
    select
        placed.property_id,
        placed.finding_id,
        signs.signal,
        signs.sessions * signs.all_share - signs.sessions_with_signal as place
    from placed
    inner join {{ friction }} as signs
        on
            placed.property_id = signs.property_id
            and (
                placed.page_path = signs.page_path
                or (placed.page_path like '_%/' and starts_with(signs.page_path, placed.page_path))
            )
            and (not contains(placed.scope, '"device"') or contains(placed.scope, concat('"', signs.device, '"')))
    where signs.is_newest and signs.is_clear
    {%- endif %}
),

signals as (
    select
        property_id,
        finding_id,
        arg_min(signal, place) as signal
    from expected
    group by property_id, finding_id
),

looked as (
    select
        placed.*,
        signals.signal
    from placed
    left join signals using (property_id, finding_id)
),

-- What to filter by, in the order of the sentence.
listed as (
    select
        property_id,
        finding_id,
        list_concat(
            [struct_pack(segment_name := 'page', segment_value := page_path)],
            conditions,
            [struct_pack(segment_name := 'signal', segment_value := signal)]
        ) as parts
    from looked
),

unnested as (
    select
        property_id,
        finding_id,
        unnest(parts) as part,
        generate_subscripts(parts, 1) as position
    from listed
),

wanted as (
    select
        unnested.property_id,
        unnested.finding_id,
        unnested.position,
        unnested.part.segment_name,
        unnested.part.segment_value
    from unnested
),

-- A condition that has no words of the tool's own is told in GA4's.
told as (
    select
        wanted.property_id,
        wanted.finding_id,
        names.tool,
        max(wanted.segment_value) filter (wanted.segment_name = 'device') as device,
        max(filters.value) filter (wanted.segment_name = 'signal') as signal,
        string_agg(
            case wanted.segment_name
                when 'page'
                    then concat(filters.label, if(wanted.segment_value = '/', ': the home page', ' contains ' || wanted.segment_value))
                when 'signal' then filters.label
                else coalesce(
                    filters.label,
                    concat(upper(wanted.segment_name[1]), wanted.segment_name[2:], ': ', wanted.segment_value)
                )
            end,
            '; ' order by wanted.position
        ) as filter
    from wanted
    cross join {{ ref('recording_filters') }} as names
    left join {{ ref('recording_filters') }} as filters
        on
            names.tool = filters.tool
            and wanted.segment_name = filters.filter
            and filters.value in (wanted.segment_value, 'all')
    where names.filter = 'name' and wanted.segment_value is not null
    group by wanted.property_id, wanted.finding_id, names.tool
)

select
    looked.property_id,
    looked.finding_id,
    names.tool,
    looked.start_date,
    looked.end_date,
    looked.page_path,
    told.device,
    told.signal,
    concat(
        names.label, ', recordings of ',
        strftime(looked.start_date, '%-d %B %Y'), ' to ', strftime(looked.end_date, '%-d %B %Y'), '; ' || told.filter,
        '. Watch visits ', if(looked.previous_step_key = 'sessions', '', concat('with “', looked.previous_step_label, '” and ')),
        'without “', looked.step_label, '”.'
    ) as recipe,
    links.label as link
from looked
inner join {{ ref('recording_filters') }} as names on names.filter = 'name'
left join told on looked.property_id = told.property_id and looked.finding_id = told.finding_id and names.tool = told.tool
left join {{ ref('recording_filters') }} as links on names.tool = links.tool and links.filter = 'link'
