"""A day's volume against the same weekday before it, for reports that no total can be held to."""

from __future__ import annotations

from collections.abc import Sequence

from data_checks.catalog import Catalog
from data_checks.model import WARNING, Bound, Slice, Suite
from data_checks.sql import ASKED

VOLUME_FACTOR = 3.0
VOLUME_WEEKS = 8
MIN_EARLIER_WEEKS = 2
# A third of less than this may be chance (house default): sessions come one by one, while views,
# events and items come in clumps, whose days scatter twice or three times as much.
LEAST_USUAL = {"sessions": 50}
LEAST_USUAL_ELSE = 200
# Nothing at all, where usually something is, is chance only below this.
LEAST_USUAL_OF_NOTHING = 30


def volume_suite(catalog: Catalog, reports: Sequence[str]) -> Suite:
    """Every report by day of `reports` that counts something, by its first metric."""
    measured = [
        (report, metrics[0])
        for report in reports
        if (metrics := catalog.metrics(f"raw.ga4_{report}"))
    ]
    return Suite(
        "volume",
        ("date",),
        tuple(_volume_slice(report, metric) for report, metric in measured),
        (
            _of_usual("volume_is_not_low", minimum=round(1 / VOLUME_FACTOR, 4)),
            _of_usual("volume_is_not_high", maximum=VOLUME_FACTOR),
        ),
    )


def _of_usual(name: str, minimum: float | None = None, maximum: float | None = None) -> Bound:
    beside = ("volume", "usual_volume")
    return Bound(name, "of_usual", minimum, maximum, WARNING, may_be_null=True, beside=beside)


def _volume_slice(report: str, metric: str) -> Slice:
    """One row per property × loaded date: the day against the mean of its weekday before it.

    While there are too few weeks to compare with, a day with nothing is held against the smaller
    of the days beside it. NULL where nothing can be told: too little is usual, or the metric may
    not be seen.
    """
    least = LEAST_USUAL.get(metric, LEAST_USUAL_ELSE)
    return Slice(
        f"raw.ga4_{report}",
        f"""
with loaded as (
    select distinct property_id, date from ops.pulls
    where report = '{report}' and status = 'loaded' and window_name is null
        and {ASKED} and date between $start::date - {7 * VOLUME_WEEKS} and $end
),
summed as (
    select property_id, date, count(*) as row_count, sum({metric})::double as volume
    from raw.ga4_{report}
    where {ASKED} and date between $start::date - {7 * VOLUME_WEEKS} and $end
    group by property_id, date
),
filled as (
    select property_id, date, case when row_count is null then 0 else volume end as volume
    from loaded
    left join summed using (property_id, date)
),
daily as (
    select *, least(lag(volume) over by_date, lead(volume) over by_date) as volume_beside
    from filled
    window by_date as (partition by property_id order by date)
),
compared as (
    select
        today.property_id, today.date, today.volume,
        case
            when count(earlier.volume) >= {MIN_EARLIER_WEEKS} then avg(earlier.volume)
            when today.volume = 0 then today.volume_beside
        end as usual_volume
    from daily as today
    left join daily as earlier
        on earlier.property_id = today.property_id
        and earlier.date between today.date - {7 * VOLUME_WEEKS} and today.date - 1
        and dayofweek(earlier.date) = dayofweek(today.date)
    where today.date between $start and $end
    group by today.property_id, today.date, today.volume, today.volume_beside
)
select
    property_id, date, volume, round(usual_volume, 1) as usual_volume,
    case
        when usual_volume >= case when volume = 0 then {LEAST_USUAL_OF_NOTHING} else {least} end
            then round(volume / usual_volume, 4)
    end as of_usual
from compared
order by property_id, date
""",
        may_be_empty=True,
    )
