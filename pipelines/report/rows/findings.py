"""Findings, their days, and the likely causes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipelines.report.rows.funnel import LABELS

FINDINGS_SHOWN = 5
DAYS_SHOWN = 90
DETAILS_SHOWN = 3
_CONDITIONS = 'from_json(scope, \'[{"segment_name": "VARCHAR", "segment_value": "VARCHAR"}]\')'
FINDINGS = f"""
    with {LABELS},
    earlier as (
        select finding_id, state from ops.findings
        where property_id = $property and window_end < (
            select max(window_end) from marts.fct_finding where property_id = $property
        )
        qualify rank() over (order by window_end desc) = 1
    )
    select finding.finding_id, finding.state, earlier.state as earlier_state, finding.step_key,
        (select stage from marts.dim_micro_conversion where key = finding.step_key) as stage,
        (select stage from marts.dim_micro_conversion where key = finding.previous_step_key)
            as previous_stage,
        step_label, labels.label as previous_label, scope_label, title, headline, worth_sentence,
        surplus_sentence, window_start, benchmark_low, benchmark_high, since_date,
        since_earliest, since_latest, recovered_date, numerator, denominator, rate,
        before_numerator, before_denominator, before_rate,
        since_numerator, since_denominator, since_rate, now_numerator, now_denominator, now_rate,
        outside_numerator, outside_denominator, outside_rate, worth_since, currency,
        explained_share,
        array_to_string(list_transform(
            {_CONDITIONS}, lambda part: part.segment_name || ' = ' || part.segment_value
        ), ', ') as conditions
    from marts.fct_finding as finding
    inner join labels on finding.previous_step_key = labels.key
    left join earlier on finding.finding_id = earlier.finding_id
    where property_id = $property order by finding_rank
"""
# A part of one condition in the days of its segment, which are known for longest; of more, in the
# cells that have all of them.
FINDING_DAYS = f"""
    with findings as (
        select finding_id, step_key, {_CONDITIONS} as conditions,
            case
                when len(conditions) = 0 then 'all'
                when len(conditions) = 1 then conditions[1].segment_name
                when list_contains(list_transform(
                    conditions, lambda part: part.segment_name
                ), 'country') then 'device_country'
                else 'device_channel_visitor'
            end as source
        from marts.fct_finding where property_id = $property and state <> 'healed'
        qualify row_number() over (order by finding_rank) <= {FINDINGS_SHOWN}
    ),
    shown as (
        select max(window_end) - {DAYS_SHOWN} as before
        from marts.fct_finding where property_id = $property
    ),
    counts as (
        select date, step_key, reached, previous_reached, cube as source,
            {{'device': device, 'channel': channel, 'visitor': visitor, 'country': country}} as cell
        from marts.fct_cell_funnel, shown where property_id = $property and date > before
        union all by name
        select date, step_key, reached, previous_reached, segment_name as source, {{
            'device': segment_value, 'channel': segment_value, 'visitor': segment_value,
            'country': segment_value
        }} as cell
        from marts.fct_funnel_daily, shown
        where property_id = $property and funnel = 'core' and date > before
    ),
    placed as (
        select finding_id, date, reached, previous_reached,
            len(list_filter(conditions, lambda part: part.segment_value <> case part.segment_name
                when 'device' then cell.device when 'channel' then cell.channel
                when 'visitor' then cell.visitor else cell.country end)) = 0 as is_inside
        from findings inner join counts using (step_key, source)
        where reached is not null and previous_reached is not null
    )
    select finding_id, date,
        sum(reached) filter (is_inside)::bigint as numerator,
        sum(previous_reached) filter (is_inside)::bigint as denominator,
        sum(reached) filter (not is_inside)::bigint as outside_numerator,
        sum(previous_reached) filter (not is_inside)::bigint as outside_denominator
    from placed group by finding_id, date order by finding_id, date
"""
FINDING_DETAILS = f"""
    select finding_id, kind, detail_name, numerator, denominator, rate, outside_rate
    from marts.fct_finding_detail where property_id = $property
    qualify {DETAILS_SHOWN} >= row_number() over (
        partition by finding_id, kind order by detail_rank
    )
    order by finding_id, detail_rank
"""
RECORDINGS = """
    select finding_id, tool, recipe, link
    from marts.fct_finding_recording where property_id = $property order by finding_id, tool
"""
DIAGNOSES = """
    select finding_id, segment_value, likely_cause, fix, confirm_with, evidence,
        recoverable_value, currency
    from marts.fct_diagnosis where property_id = $property and window_name = '28d'
    order by diagnosis_rank
"""


@dataclass(frozen=True)
class Finding:
    """The part of the shop that explains why a step leaks: what there is to put right.

    `earlier_state` is that of the last night before; None where that had no such finding.
    """

    finding_id: str
    state: str
    earlier_state: str | None
    step_key: str
    stage: str
    previous_stage: str | None
    step_label: str
    previous_label: str
    scope_label: str
    conditions: str | None
    title: str
    headline: str
    worth_sentence: str
    surplus_sentence: str | None
    window_start: date
    benchmark_low: float
    benchmark_high: float
    since_date: date | None
    since_earliest: date | None
    since_latest: date | None
    recovered_date: date | None
    numerator: int | None
    denominator: int | None
    rate: float | None
    before_numerator: int | None
    before_denominator: int | None
    before_rate: float | None
    since_numerator: int | None
    since_denominator: int | None
    since_rate: float | None
    now_numerator: int | None
    now_denominator: int | None
    now_rate: float | None
    outside_numerator: int | None
    outside_denominator: int | None
    outside_rate: float | None
    worth_since: float | None
    currency: str | None
    explained_share: float | None


@dataclass(frozen=True)
class FindingDay:
    """Counts of the step on one day, in the scope of a finding and elsewhere."""

    finding_id: str
    date: date
    numerator: int | None
    denominator: int | None
    outside_numerator: int | None
    outside_denominator: int | None


@dataclass(frozen=True)
class FindingDetail:
    """A product or landing page that does clearly worse at the finding's step than the others."""

    finding_id: str
    kind: str
    detail_name: str
    numerator: int | None
    denominator: int | None
    rate: float | None
    outside_rate: float | None


@dataclass(frozen=True)
class Recording:
    """Which session recordings to watch of a finding, in one tool."""

    finding_id: str
    tool: str
    recipe: str
    link: str | None


@dataclass(frozen=True)
class Diagnosis:
    """A likely cause, of a finding or (None) of a step that has none."""

    finding_id: str | None
    segment_value: str
    likely_cause: str
    fix: str
    confirm_with: str | None
    evidence: str
    recoverable_value: float | None
    currency: str | None
