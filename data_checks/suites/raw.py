"""The raw gate: is everything that was pulled there, once, unharmed, and about as much as usual.

One slice per raw table (property × date, or × window), judged together; then three suites on
totals. Only reports of the whole, by segments that add up, are required: what GA4 refused or was
not asked for of any other is a warning.
"""

from __future__ import annotations

from data_checks.catalog import Catalog
from data_checks.model import WARNING, Bound, Pair, Slice, Suite, never
from data_checks.sql import ASKED, IN_WINDOW
from data_checks.suites.raw_partitions import is_by_window, partition_slice
from pipelines.ga4.exactness import estimate_allowance_sql

REQUIRED_FAMILIES = ("sessions_by", "events_by")
MAX_OTHER_SHARE = 0.05
TOTALS_TOLERANCE = 0.02
VOLUME_FACTOR = 3.0
VOLUME_WEEKS = 8
MIN_EARLIER_WEEKS = 2

PARTITION_EXPECTATIONS = (
    Bound("partition_is_present", "loaded_pulls", minimum=1),
    Pair("row_count_equals_pull", "row_count", "pulled_row_count"),
    never("key_is_unique", "duplicate_keys"),
    never("counts_are_not_negative", "negative_counts"),
    never("rows_are_of_the_last_pull", "rows_of_other_pulls"),
    never("revenue_is_not_negative", "negative_revenue", WARNING),
    never("last_pull_was_loaded", "newer_pulls_not_loaded", WARNING),
    never("is_not_sampled", "is_sampled", WARNING),
    never("is_not_thresholded", "is_thresholded", WARNING),
    never("is_not_restricted", "is_restricted", WARNING),
    never("is_not_truncated", "is_truncated", WARNING),
    Bound("other_share_is_small", "other_share", maximum=MAX_OTHER_SHARE, severity=WARNING),
)


def build_suites(catalog: Catalog) -> tuple[Suite, ...]:
    """Suites of the raw gate for the reports that are required or were pulled."""
    whole = catalog.whole_segments
    required = [f"{family}_{name}" for family in REQUIRED_FAMILIES for name in whole]
    optional = sorted((set(catalog.reports()) | catalog.pulled) - set(required))
    by_window = [report for report in optional if is_by_window(catalog, report)]
    partitions = tuple(
        partition_slice(catalog, report, is_required=report in required)
        for report in (*required, *optional)
        if report not in by_window
    )
    windows = tuple(partition_slice(catalog, report, is_required=False) for report in by_window)
    volume = tuple(
        _volume_slice(report, metric)
        for report, metric in (("sessions_by_all", "sessions"), ("events_by_all", "event_count"))
    )
    parts = [name for name in whole if name != "all"]
    usual = Bound(
        "volume_is_usual",
        "of_usual",
        minimum=1 / VOLUME_FACTOR,
        maximum=VOLUME_FACTOR,
        severity=WARNING,
        may_be_null=True,
        beside=("volume", "usual_volume"),
    )
    return (
        Suite("partitions", ("date",), partitions, PARTITION_EXPECTATIONS),
        Suite("windows", ("window_name", "date"), windows, PARTITION_EXPECTATIONS),
        Suite(
            "property",
            (),
            (_property_slice(),),
            (Bound("property_is_not_empty", "window_row_count", minimum=1),),
        ),
        Suite(
            "volume",
            ("date",),
            volume,
            (usual,),
        ),
        Suite(
            "totals",
            ("date",),
            tuple(_totals_slice(name) for name in parts),
            (
                Pair(
                    "parts_add_up_to_total", "allowed_difference", "difference", "at_least", WARNING
                ),
            ),
        ),
    )


def _property_slice() -> Slice:
    """One row per property: rows of the whole window. A pull that finds nothing is no proof."""
    return Slice(
        "raw.ga4_sessions_by_all",
        f"""
select property_id, count(rows.date) as window_row_count
from asked_properties
left join (select property_id, date from raw.ga4_sessions_by_all where {IN_WINDOW}) as rows
    using (property_id)
group by property_id
""",
    )


def _volume_slice(report: str, metric: str) -> Slice:
    """One row per property × date: the day against the mean of the same weekday before it."""
    return Slice(
        f"raw.ga4_{report}",
        f"""
with daily as (
    select property_id, date, sum({metric}) as volume
    from raw.ga4_{report}
    where {ASKED} and date between $start::date - {7 * VOLUME_WEEKS} and $end
    group by all
),
compared as (
    select
        property_id, asked_dates.date, coalesce(any_value(today.volume), 0) as volume,
        count(earlier.volume) as earlier_weeks, avg(earlier.volume) as usual_volume
    from asked_properties
    cross join asked_dates
    left join daily as today using (property_id, date)
    left join daily as earlier
        on earlier.property_id = asked_properties.property_id
        and earlier.date between asked_dates.date - {7 * VOLUME_WEEKS} and asked_dates.date - 1
        and dayofweek(earlier.date) = dayofweek(asked_dates.date)
    group by all
)
select
    property_id, date, volume, usual_volume,
    case when earlier_weeks >= {MIN_EARLIER_WEEKS} and usual_volume > 0
        then volume / usual_volume end as of_usual
from compared
order by property_id, date
""",
    )


def _totals_slice(segment: str) -> Slice:
    """One row per property × date: sessions of all parts against the total."""
    noise = estimate_allowance_sql(
        "total ** 2 + coalesce(squares, 0)", "1 + coalesce(estimates, 0)"
    )
    return Slice(
        f"raw.ga4_sessions_by_{segment}",
        f"""
with whole as (
    select property_id, date, sum(sessions)::double as total
    from raw.ga4_sessions_by_all where {IN_WINDOW} group by all
),
parted as (
    select
        property_id, date, sum(sessions)::double as parts,
        sum(sessions ** 2) as squares, count(sessions) as estimates
    from raw.ga4_sessions_by_{segment} where {IN_WINDOW} group by all
),
joined as (
    select
        property_id, date, coalesce(total, 0) as total, coalesce(parts, 0) as parts,
        squares, estimates
    from whole full join parted using (property_id, date)
)
select
    property_id, date, total, parts, abs(total - parts) as difference,
    {TOTALS_TOLERANCE} * total + {noise} as allowed_difference
from joined
order by property_id, date
""",
        may_be_empty=True,
    )
