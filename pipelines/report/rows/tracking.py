"""What is tracked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

# States of what nobody counts, and of what is counted without sessions.
UNTRACKED = {"not_tracked", "tracking_lost"}
SESSIONLESS = "sessionless"
COVERAGE = """
    select coverage.key, coalesce(stages.stage_label, coverage.stage) as stage_label,
        coverage.is_expected, tracking_state as state, sessions_28d as sessions,
        last_seen_date, fix
    from marts.fct_tracking_coverage as coverage
    left join marts.dim_stage as stages on coverage.stage = stages.stage
    where property_id = $property
    order by fix is null, not coverage.is_expected, stages.position, coverage.key
"""
SILENCES = """
    select key from marts.fct_tracking_coverage where property_id = $property and not is_passed
"""
SUGGESTIONS = """
    select words, plan_lines from marts.fct_event_suggestion
    where property_id = $property order by events_28d desc, event_name limit 5
"""


@dataclass(frozen=True)
class Coverage:
    """Whether a micro-conversion is tracked, and what to do if not."""

    key: str
    stage_label: str
    is_expected: bool
    state: str
    sessions: int | None
    last_seen_date: date | None
    fix: str | None


@dataclass(frozen=True)
class Silence:
    """A micro-conversion that came once: its tag is gone, or nobody can do it any more."""

    key: str


@dataclass(frozen=True)
class Suggestion:
    """An event that looks like a renamed one."""

    words: str
    plan_lines: str
