"""The core funnel, step by step, and where its sessions ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

WEEKS_SHOWN = 13
LABELS = """
    labels as (
        select distinct step_key as key, step_label as label
        from marts.fct_funnel_window where property_id = $property and funnel = 'core'
    )
"""
STEPS = f"""
    with {LABELS}
    select segment_name, segment_value, step_key, step_label, previous_step_key,
        labels.label as previous_label,
        reached, previous_reached, step_rate as rate, ci_low, ci_high,
        case when tracking_state <> 'tracked' then tracking_state
            when status = 'sessionless' then 'previous_sessionless'
            else status end as state,
        benchmark_low, benchmark_high, benchmark_status as verdict, weeks_to_know,
        directional_evidence, benchmark_source as source, prior_step_rate as prior_rate,
        step_rate_change as change, change_ci_low as change_low, change_ci_high as change_high,
        window_start, window_end, window_days, days_loaded, is_complete
    from marts.fct_funnel_window as funnel
    left join labels on funnel.previous_step_key = labels.key
    where property_id = $property and window_name = $window
        and funnel = 'core' and segment_name in ('all', 'device')
    order by segment_name, step_number, segment_value
"""
STEP_WEEKS = f"""
    select step_key, window_start as start, window_end as end, step_rate as rate
    from marts.fct_funnel_period
    where property_id = $property and window_name = 'week' and segment_name = 'all'
        and days_loaded = window_days
    qualify dense_rank() over (order by window_start desc) <= {WEEKS_SHOWN}
    order by step_key, window_start
"""
ENDS = f"""
    with {LABELS}
    select step_label, labels.label as next_label, ended_sessions, ended_share, status
    from marts.fct_furthest_stage as ended left join labels on ended.next_step_key = labels.key
    where property_id = $property and window_name = $window and segment_name = 'all'
    order by step_number
"""


@dataclass(frozen=True)
class Step:
    """A step of the core funnel, of the whole shop or of one device."""

    segment_name: str
    segment_value: str
    step_key: str
    step_label: str
    previous_step_key: str | None
    previous_label: str | None
    reached: int | None
    previous_reached: int | None
    rate: float | None
    ci_low: float | None
    ci_high: float | None
    state: str
    benchmark_low: float | None
    benchmark_high: float | None
    verdict: str | None
    weeks_to_know: float | None
    directional_evidence: str | None
    source: str | None
    prior_rate: float | None
    change: float | None
    change_low: float | None
    change_high: float | None
    window_start: date
    window_end: date
    window_days: int
    days_loaded: int
    is_complete: bool


@dataclass(frozen=True)
class StepWeek:
    """A step's rate in a calendar week that is whole."""

    step_key: str
    start: date
    end: date
    rate: float | None


@dataclass(frozen=True)
class End:
    """Sessions that came to a step and not to the next; over all steps they add up to all."""

    step_label: str
    next_label: str | None
    ended_sessions: int | None
    ended_share: float | None
    status: str
