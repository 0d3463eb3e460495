"""What was pulled, what may still grow, and which checks failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipelines.report.rows.properties import NEWEST_RUN

COMPLETENESS = """
    with newest as (
        select *, max(date) over () - 27 as first_date
        from marts.fct_data_completeness where property_id = $property
    )
    select report, count(*) as days, count_if(is_complete) as complete_days,
        min(date) filter (maturity = 'provisional' and is_loaded) as provisional_from,
        min(date) filter (maturity = 'settled') as settled_from,
        count_if(is_sampled) as sampled, count_if(is_thresholded) as thresholded,
        count_if(has_other_row) as other, count_if(is_restricted) as restricted,
        count_if(is_truncated) as truncated,
        coalesce(sum(restatement_count), 0)::bigint as restatements
    from newest where date >= first_date group by report order by report
"""
# Days are pulled again and again: what earlier ones grew by is what these still have to come.
GROWING = """
    select count(*) as days, max(usual_growth) as usual_growth from marts.fct_data_completeness
    where property_id = $property and report = 'sessions_by_all' and window_name = '1d'
        and maturity = 'provisional' and is_loaded
"""
# Days of the newest eight weeks (28 and the 28 before them) that were pulled in another currency or
# time zone than the newest one, and not again since.
SETTINGS = """
    with days as (
        select date, unnest(['currency', 'time zone']) as setting,
            unnest([currency, time_zone]) as value
        from marts.fct_data_completeness
        where property_id = $property and report = 'sessions_by_all' and window_name = '1d'
            and is_loaded
        qualify date > max(date) over () - 56
    ),
    told as (select *, last(value order by date) over (partition by setting) as now from days)
    select setting, value as before, now, max(date) as last_date
    from told where value <> now group by setting, value, now order by setting, last_date
"""
GATES = f"""
    select gate, count(*) as expectations, count_if(not is_success) as failed
    from ops.gate_results where run_id = {NEWEST_RUN} and property_id = $property
    group by gate order by min(checked_at), gate
"""
# Those that every pull of the report tells of itself come last.
WARNINGS = f"""
    select gate, table_name, expectation, observed, coalesce(array_to_string(
        list_transform(from_json(sample, '["json"]'), lambda key: key ->> '$.date'), ', '
    ), '') as days
    from ops.gate_results
    where run_id = {NEWEST_RUN} and property_id = $property and not is_success
    order by expectation like 'is_not_%', checked_at, table_name, expectation
"""


@dataclass(frozen=True)
class Completeness:
    """A report over the newest 28 days."""

    report: str
    days: int
    complete_days: int
    provisional_from: date | None
    settled_from: date | None
    sampled: int
    thresholded: int
    other: int
    restricted: int
    truncated: int
    restatements: int


@dataclass(frozen=True)
class Growing:
    """Days whose numbers GA4 still adds to, and by which share such days usually grow, 0-1."""

    days: int
    usual_growth: float | None


@dataclass(frozen=True)
class OtherSetting:
    """Days up to `last_date` were pulled while GA4's `setting` of the property was `before`."""

    setting: str
    before: str
    now: str
    last_date: date


@dataclass(frozen=True)
class Gate:
    """A gate of the last run."""

    gate: str
    expectations: int
    failed: int


@dataclass(frozen=True)
class GateWarning:
    """A check of the last run that failed: `days`, up to five of them, as text."""

    gate: str
    table_name: str
    expectation: str
    days: str
    observed: str
