with findings as (
    select
        scored.*,
        steps.step_number,
        steps.previous_step_key,
        steps.benchmark_key,
        steps.is_money,
        steps.currency,
        core.step_label,
        before.step_label as previous_step_label
    from {{ ref('int_findings__scored') }} as scored
    inner join {{ ref('int_leaks__chained') }} as steps using (property_id, window_name, step_key)
    inner join {{ core_steps() }} as core on scored.step_key = core.key
    inner join {{ core_steps() }} as before on steps.previous_step_key = before.key
    where steps.segment_name = 'all'
),

-- What the shop's own step rests on holds for every part of it.
rated as (
    select
        findings.*,
        shop.benchmark_low,
        shop.benchmark_high,
        shop.source,
        shop.source_date,
        shop.is_complete,
        shop.maturity,
        shop.flag_bits,
        {{ rate_with_interval('rate', 'true', 'findings.numerator', 'findings.denominator', 'findings.n_eff') }},
        -- Sessions to the floor: what the part of the shop lacks, and what the rest has beyond it.
        shop.benchmark_low * findings.denominator - findings.numerator as lacking,
        findings.outside_numerator - shop.benchmark_low * findings.outside_denominator as beyond
    from findings
    inner join {{ ref('int_benchmarks__compared') }} as shop using (property_id, window_name, benchmark_key)
    where shop.segment_name = 'all'
)

select
    {{ window_key() }},
    finding_id,
    cast(row_number() over (
        partition by property_id
        order by state = 'healed' asc, opportunity_p50 desc nulls last, step_number asc, finding_id asc
    ) as integer) as finding_rank,
    state,
    first_seen,
    cast(step_number as integer) as step_number,
    step_key,
    step_label,
    previous_step_key,
    benchmark_key,
    scope,
    scope_label,
    is_joint,
    {{ cast_to('bigint', 'numerator', 'denominator') }},
    rate,
    ci_low,
    ci_high,
    {%- for stretch in ['outside', 'before', 'since', 'now'] %}
    try_cast({{ stretch }}_numerator as bigint) as {{ stretch }}_numerator,
    try_cast({{ stretch }}_denominator as bigint) as {{ stretch }}_denominator,
    {{ rate(stretch ~ '_numerator', stretch ~ '_denominator') }} as {{ stretch }}_rate,
    {%- endfor %}
    {{ cast_to('double', 'benchmark_low', 'benchmark_high') }},
    since_date,
    since_earliest,
    since_latest,
    recovered_date,
    healed_date,
    opportunity_p05,
    opportunity_p50,
    opportunity_p95,
    opportunity_pace,
    worth_since,
    case when is_money then 'money' when opportunity_p50 is not null then 'orders' end as value_unit,
    currency,
    p_gap,
    explained_share,
    -- In the same words wherever it is told.
    concat(
        previous_step_label, ' → ', step_label, ', ', scope_label, ': ',
        case
            when state = 'healed' then coalesce('healed on ' || strftime(recovered_date, '%-d %B %Y'), 'healed')
            when state = 'improving'
                then concat(
                    coalesce('has leaked less since ' || strftime(recovered_date, '%-d %B %Y'), 'leaks less'),
                    '; it began on ' || strftime(since_date, '%-d %B %Y')
                )
            when since_date is null then 'has leaked for as long as there is data and still does'
            else concat('has leaked since ', strftime(since_date, '%-d %B %Y'), ' and still does')
        end,
        '.'
    ) as title,
    concat(
        step_label, ' after ', previous_step_label, ', ', scope_label, ': ',
        case
            when since_date is not null
                then concat(
                    format('{:.1f} % of {:,} sessions ', 100 * since_rate, try_cast(since_denominator as bigint)),
                    case when recovered_date is null then 'since ' else 'from ' end,
                    strftime(since_date, '%-d %B %Y'),
                    ' to ' || strftime(recovered_date - 1, '%-d %B %Y'),
                    format(', {:.1f} % before', 100 * before_rate)
                )
            else format('{:.1f} % of {:,} sessions in 28 days', 100 * rate, try_cast(denominator as bigint))
        end,
        format(', {:.1f} % now', 100 * now_rate),
        format(', {:.1f} % elsewhere', 100 * outside_rate),
        format('; usual is {:.0f} to {:.0f} %.', 100 * benchmark_low, 100 * benchmark_high)
    ) as headline,
    case
        when opportunity_p50 is null then 'Of unknown worth, for orders are not counted.'
        else format(
            'Worth about {:,.0f} {} in these 28 days ({:,.0f} to {:,.0f}), {:,.0f} {} in 28 days at today''s pace.',
            opportunity_p50, coalesce(currency, 'orders'), opportunity_p05, opportunity_p95, opportunity_pace,
            coalesce(currency, 'orders')
        )
    end as worth_sentence,
    case
        when least(lacking, beyond) >= 1
            then format(
                '{} lacks {:,.0f} sessions to the floor; the rest of the shop has {:,.0f} more than it, so the whole lacks {}.',
                upper(scope_label[1]) || scope_label[2:], lacking, beyond,
                case when lacking - beyond >= 1 then format('{:,.0f}', lacking - beyond) else 'none' end
            )
    end as surplus_sentence,
    source,
    source_date,
    {{ quality_columns() }}
from rated
