"""The parts of a segment against the shop's total, for every report that has both.

What a report of the whole and its report by segment say of one day must be the same number of
sessions, or of events. The side that falls short lacks rows.
"""

from __future__ import annotations

from data_checks.catalog import Catalog
from data_checks.model import WARNING, Pair, Slice, Suite
from data_checks.sql import IN_WINDOW
from pipelines.ga4.exactness import estimate_allowance_sql

# What is pulled one after the other may have grown meanwhile.
TOTALS_TOLERANCE = 0.02
# Family of reports -> what its parts add up to. The first two are required.
MEASURES = {"sessions_by": "sessions", "events_by": "event_count", "micro_by": "event_count"}
# Parts of the shop by several dimensions at once: these rows of the report are its sessions.
_CELLS, _OF_CELLS = "cells", "micro_key = 'sessions'"
_BESIDE = ("total", "parts")


def parted_reports(catalog: Catalog, required: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """(family, report) of every report whose rows add up to the total of the family."""
    by_segment = [
        (family, report)
        for family in _families(catalog, required)
        for report in _by(family, catalog)
        if family in required or _is_there(catalog, report)
    ]
    cells = [("sessions_by", _CELLS)] if _is_there(catalog, _CELLS) else []
    return (*by_segment, *cells)


def total_suites(catalog: Catalog, required: tuple[str, ...]) -> tuple[Suite, ...]:
    """Parts against the total, and the total against all of its segments; both only warn."""
    return (
        Suite(
            "totals",
            ("date",),
            tuple(_parts_slice(*parted) for parted in parted_reports(catalog, required)),
            (
                _at_least("parts_add_up_to_total", "missing"),
                _at_least("parts_stay_within_total", "surplus"),
            ),
        ),
        Suite(
            "whole",
            ("date",),
            tuple(
                _whole_slice(family, there)
                for family in _families(catalog, required)
                if (there := [name for name in _by(family, catalog) if _is_there(catalog, name)])
            ),
            (_at_least("total_holds_its_parts", "missing"),),
        ),
    )


def _families(catalog: Catalog, required: tuple[str, ...]) -> list[str]:
    return [name for name in MEASURES if name in required or _is_there(catalog, f"{name}_all")]


def _by(family: str, catalog: Catalog) -> list[str]:
    """The reports of a family by a segment whose values add up to the total."""
    return [f"{family}_{name}" for name in catalog.whole_segments if name != "all"]


def _at_least(name: str, difference: str) -> Pair:
    return Pair(name, "allowed_difference", difference, "at_least", WARNING, _BESIDE)


def _is_there(catalog: Catalog, report: str) -> bool:
    return catalog.has(f"raw.ga4_{report}")


def _parts_slice(family: str, report: str) -> Slice:
    """One row per property × date: all parts of the report against the total."""
    total = f"{family}_all"
    return Slice(
        f"raw.ga4_{report}",
        f"""
with {_loaded(total, report)},
whole as ({_sums(family, total)}),
parted as ({_sums(family, report)}),
joined as (
    select
        property_id, date, coalesce(whole.volume, 0) as total, coalesce(parted.volume, 0) as parts,
        parted.squares, parted.estimates
    from loaded
    left join whole using (property_id, date)
    left join parted using (property_id, date)
)
select
    property_id, date, total, parts, total - parts as missing, parts - total as surplus,
    {_allowed(family, "total")} as allowed_difference
from joined
order by property_id, date
""",
        may_be_empty=True,
    )


def _whole_slice(family: str, reports: list[str]) -> Slice:
    """One row per property × date: the total against the segment that adds up to the least.

    One segment alone may hold sessions twice; that each of them does is no accident.
    """
    parts = " union all ".join(_sums(family, report) for report in reports)
    total = f"{family}_all"
    return Slice(
        f"raw.ga4_{total}",
        f"""
with {_loaded(total)},
whole as ({_sums(family, total)}),
least_parts as (
    select
        property_id, date, min(volume) as parts,
        arg_min(squares, volume) as squares, arg_min(estimates, volume) as estimates
    from ({parts}) group by property_id, date having count(*) > 1
),
joined as (
    select
        property_id, date, coalesce(volume, 0) as total, parts,
        least_parts.squares, least_parts.estimates
    from loaded
    inner join least_parts using (property_id, date)
    left join whole using (property_id, date)
    where parts is not null
)
select
    property_id, date, total, parts, parts - total as missing,
    {_allowed(family, "parts")} as allowed_difference
from joined
order by property_id, date
""",
        may_be_empty=True,
    )


def _loaded(*reports: str) -> str:
    """SQL: `loaded`, days on which the reports are there, and neither is a sample's estimate.

    A day that was not loaded is told of as such, and two samples need not agree.
    """
    names = ", ".join(f"'{report}'" for report in reports)
    return f"""
last_pulls as (
    select property_id, date, report, is_sampled
    from ops.pulls
    where report in ({names}) and status = 'loaded' and window_name is null and {IN_WINDOW}
    qualify row_number() over (
        partition by property_id, date, report order by pulled_at desc, pull_id desc
    ) = 1
),
loaded as (
    select property_id, date from last_pulls
    group by property_id, date
    having count(*) = {len(reports)} and not bool_or(coalesce(is_sampled, false))
)"""


def _sums(family: str, report: str) -> str:
    """SQL: the day's sum over the rows of one report, and how exact it is."""
    measure = MEASURES[family]
    rows = f"{IN_WINDOW} and {_OF_CELLS}" if report == _CELLS else IN_WINDOW
    return (
        f"select property_id, date, sum({measure})::double as volume,"
        f" sum({measure} ** 2) as squares, count({measure}) as estimates"
        f" from raw.ga4_{report} where {rows} group by property_id, date"
    )


def _allowed(family: str, count: str) -> str:
    """SQL: how far two sums may be apart; sessions are estimates, events are counted."""
    if MEASURES[family] != "sessions":
        return f"greatest(1, {TOTALS_TOLERANCE} * {count})"
    noise = estimate_allowance_sql(
        "total ** 2 + coalesce(squares, 0)", "1 + coalesce(estimates, 0)"
    )
    return f"round({TOTALS_TOLERANCE} * {count} + {noise}, 1)"
