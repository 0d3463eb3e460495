"""Signs of friction by Clarity: where they are clearly more often than in all visits, and gaps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipelines.warehouse.newest_fetches import NEWEST_FETCHES

FRICTION_SHOWN, SIGNS_SHOWN, DAYS_SHOWN = 10, 3, 28
_CLEAR = "is_newest and is_clear"
_EXCESS = "sessions_with_signal - sessions * all_share"
_COLUMNS = """page_path, device, signal, sessions, sessions_with_signal, signal_share,
        all_sessions, all_sessions_with_signal, all_share"""
FRICTION = f"""
    select null as finding_id, {_COLUMNS}
    from marts.fct_page_friction where property_id = $property and {_CLEAR}
    order by {_EXCESS} desc, page_path, device, signal limit {FRICTION_SHOWN}
"""
# On the pages (a place that ends with / is a folder, but the home page itself) and devices whose
# recordings are to be watched.
FRICTION_OF_FINDINGS = f"""
    with places as (
        select finding_id, page_path as place, device as seen_on
        from marts.fct_finding_recording where property_id = $property and tool = 'clarity'
    )
    select finding_id, {_COLUMNS}
    from marts.fct_page_friction
    inner join places
        on (page_path = place or (place like '_%/' and starts_with(page_path, place)))
        and (seen_on is null or device = seen_on)
    where property_id = $property and {_CLEAR}
    qualify {SIGNS_SHOWN} >= row_number() over (
        partition by finding_id order by {_EXCESS} desc, page_path, device, signal
    )
    order by finding_id, {_EXCESS} desc, page_path, device, signal
"""
SNAPSHOTS = f"""
    with snapshots as (
        select distinct window_end, window_hours, hours_lost_before, is_newest, is_complete
        from marts.fct_page_friction where property_id = $property
    ),
    newest as (
        select problem from {NEWEST_FETCHES}
        where property_id = $property and source = 'clarity' and not is_left_out
    )
    select max(window_end) as window_end, max(window_hours) filter (is_newest) as window_hours,
        count(*) as snapshots, coalesce(sum(hours_lost_before), 0)::bigint as hours_lost,
        bool_and(is_complete) filter (is_newest) as is_complete,
        any_value(problem) as problem
    from snapshots full join newest on true
    where window_end is null
        or window_end > (select max(window_end) from snapshots) - interval {DAYS_SHOWN} day
    having count(window_end) > 0 or any_value(problem) is not null
"""


@dataclass(frozen=True)
class Sign:
    """A sign of friction on a page; `finding_id`: of whose place it is, None for any page."""

    finding_id: str | None
    page_path: str
    device: str
    signal: str
    sessions: int
    sessions_with_signal: int
    signal_share: float
    all_sessions: int
    all_sessions_with_signal: int
    all_share: float


@dataclass(frozen=True)
class Snapshots:
    """The newest snapshot, and what the last four weeks lack; `problem`: why a newer one failed."""

    window_end: datetime | None
    window_hours: int | None
    snapshots: int
    hours_lost: int
    is_complete: bool | None
    problem: str | None
