"""Micro-conversions beside the steps of the core funnel."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.report.rows.funnel import LABELS

# Steps of the core funnel have their rates there.
MICROS = f"""
    with {LABELS}
    select micro.key, coalesce(stages.stage_label, micro.stage) as stage_label,
        plan.description, sessions, micro.parent_key, parent_sessions, micro_rate as rate,
        ci_low, ci_high,
        case when tracking_state <> 'tracked' then tracking_state
            when status = 'sessionless' then 'previous_sessionless'
            else status end as state,
        prior_micro_rate as prior_rate, micro_rate_change as change,
        change_ci_low as change_low, change_ci_high as change_high
    from marts.fct_micro_conversion_window as micro
    left join marts.dim_micro_conversion as plan on micro.key = plan.key
    left join marts.dim_stage as stages on micro.stage = stages.stage
    where property_id = $property and window_name = $window and segment_name = 'all'
        and micro.key not in (select key from labels)
    order by stages.position, micro_rate desc nulls last, micro.key
"""


@dataclass(frozen=True)
class Micro:
    """A micro-conversion of the whole shop."""

    key: str
    stage_label: str
    description: str | None
    sessions: int | None
    parent_key: str | None
    parent_sessions: int | None
    rate: float | None
    ci_low: float | None
    ci_high: float | None
    state: str
    prior_rate: float | None
    change: float | None
    change_low: float | None
    change_high: float | None
