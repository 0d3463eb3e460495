{#- Tables by day below staging are incremental by the days of int_days__versioned whose inputs changed since the tables
    were last built, and every day after them (tracking looks back). Neither a window in vars nor the tables' own dates
    decide: a day that a killed run or a failed gate left behind is built by the next run, whatever its window. -#}

{#- CTE `days`, those that this run builds: all of them in a first build or a full refresh, else the changed ones, less those of
    a property that a gate has blocked since the days were listed: its old rows stay (delete_stale_days). -#}
{% macro days_to_build() -%}
days as (
    select
        days.property_id,
        days.date
    from {{ ref('int_days__versioned') }} as days
    {%- if is_incremental() %}
    where days.is_stale and not {{ is_blocked('days') }}
    {%- endif %}
)
{%- endmacro %}

{#- Body of a CTE: the rows of a relation on these days. -#}
{% macro rows_of_days(relation) -%}
(
    select rows_of_days.*
    from {{ relation }} as rows_of_days
    semi join days using (property_id, date)
)
{%- endmacro %}

{#- Only what did not change stays: also days and properties that are not there any more go. A blocked property rests. -#}
{% macro delete_stale_days() -%}
    {%- if is_incremental() -%}
        delete from {{ this }} as built where {{ is_stale_in(ref('int_days__versioned')) }}
    {%- endif -%}
{%- endmacro %}

{% macro is_stale_in(versioned) -%}
    not exists (
        select 1
        from {{ versioned }} as days
        where days.property_id = built.property_id and days.date = built.date and not days.is_stale
    )
    and not {{ is_blocked('built') }}
{%- endmacro %}

{#- Before the first table by day is touched, its stale days stop counting as built, and as tested: a run that ends between
    the first and the last of these tables, or before the gate, would otherwise leave days behind that nobody builds or
    tests again. -#}
{% macro forget_stale_days() %}
    delete from {{ source('ops', 'tested_days') }} as built where {{ is_stale_in(this) }};
    {%- set built = days_relation('int_days__built') -%}
    {%- if built %}
        delete from {{ built }} as built where {{ is_stale_in(this) }};
    {%- endif -%}
{%- endmacro %}

{#- SQL of the days as the tables were last built from them (int_days__built, which the marts layer writes last). Read
    without ref(): the next night's first model cannot depend on the last one. -#}
{% macro days_built() -%}
    {%- set built = days_relation('int_days__built') -%}
    {%- if built and not flags.FULL_REFRESH -%}
        select property_id, date, version from {{ built }}
    {%- else -%}
        select null::varchar as property_id, null::date as date, null::varchar as version where false
    {%- endif -%}
{%- endmacro %}

{% macro days_relation(name) -%}
    {%- if execute is defined and execute -%}
        {{ return(adapter.get_relation(database=target.database, schema='intermediate', identifier=name)) }}
    {%- endif -%}
{%- endmacro %}

{#- Condition on the rows that a test reads: all, or with `window` those of the run's window (1 to 6 s a report at 730 days
    with 200 landing pages, which were tested when they came). -#}
{% macro tested_rows(only) -%}
    {%- if only == 'window' -%}
        date between date '{{ var("start_date") }}' and date '{{ var("end_date") }}'
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
