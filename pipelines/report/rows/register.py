"""The register: what was changed and tried, what came of it, and what could be tried next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipelines.analysis.experiments.register import OVER

CHANGES = """
    select change_id, kind, description, entries.stage, stage_label, page, device, start_date,
        end_date, state, overlaps_with, confounded
    from marts.fct_change_overlap as entries
    inner join marts.dim_stage as stages on entries.stage = stages.stage
    where property_id = $property
    order by start_date desc, change_id
"""
EXPERIMENTS = f"""
    select experiment_id, variant, control, hypothesis, state, start_date, end_date,
        primary_metric, numerator, denominator, rate, control_numerator, control_denominator,
        control_rate, difference, first_date is not null as is_nightly,
        method <> 'delta method' as is_share,
        if(first_date is null, difference_ci_low, sequential_ci_low) as ci_low,
        if(first_date is null, difference_ci_high, sequential_ci_high) as ci_high,
        verdict, reason, weeks_left, experiment_verdict, experiment_reason,
        users_left_out, naive_variance, note, edits
    from marts.fct_experiment where property_id = $property
    order by state in {OVER}, start_date desc, experiment_id, variant
"""

# What visitors do besides may rise by itself: no test is planned with it.
PLANNED = """
    select key, parent_key, numerator, denominator, rate, lift, weeks, detectable_lift, recommended
    from marts.fct_experiment_plan where property_id = $property and family <> 'engagement'
    order by recommended = 'primary' desc nulls last, recommended is null, weeks nulls last, key
"""


@dataclass(frozen=True)
class Change:
    """An entry of the register: a change of the site, or an experiment."""

    change_id: str
    kind: str
    description: str
    stage: str
    stage_label: str
    page: str | None
    device: str
    start_date: date
    end_date: date | None
    state: str
    overlaps_with: str
    confounded: bool


@dataclass(frozen=True)
class Experiment:
    """A variant against the control; `ci_` is the interval that decides, of the difference."""

    experiment_id: str
    variant: str
    control: str
    hypothesis: str
    state: str
    start_date: date
    end_date: date | None
    primary_metric: str
    numerator: float | None
    denominator: float | None
    rate: float | None
    control_numerator: float | None
    control_denominator: float | None
    control_rate: float | None
    difference: float | None
    is_nightly: bool
    is_share: bool | None
    ci_low: float | None
    ci_high: float | None
    verdict: str | None
    reason: str
    weeks_left: int | None
    experiment_verdict: str | None
    experiment_reason: str
    users_left_out: int | None
    naive_variance: bool
    note: str | None
    edits: str | None


@dataclass(frozen=True)
class Planned:
    """A metric that could be tested: `weeks` until a relative `lift` of it is seen, and the lift
    that four weeks show; None where there is none. The primary stands first, then the guardrail.
    """

    key: str
    parent_key: str
    numerator: int
    denominator: int
    rate: float
    lift: float
    weeks: int | None
    detectable_lift: float | None
    recommended: str | None
