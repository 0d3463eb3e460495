"""The raw gate: is everything that was pulled there, once, unharmed, and about as much as usual.

One slice per raw table (property × date, or × window), judged together; then what a day holds
against the total of its parts (`raw_totals`) and against the weeks before it (`raw_volume`). Only
reports of the whole, by segments that add up, are required: what GA4 refused or was not asked for
of any other is a warning.
"""

from __future__ import annotations

from data_checks.catalog import Catalog
from data_checks.model import WARNING, Bound, Pair, Slice, Suite, never
from data_checks.sql import IN_WINDOW
from data_checks.suites import second_sources
from data_checks.suites.raw_export import export_suite
from data_checks.suites.raw_partitions import is_by_window, partition_slice
from data_checks.suites.raw_totals import parted_reports, total_suites
from data_checks.suites.raw_volume import volume_suite
from pipelines.config.thresholds import threshold

REQUIRED_FAMILIES = ("sessions_by", "events_by")

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
)


def build_suites(catalog: Catalog) -> tuple[Suite, ...]:
    """Suites of the raw gate for the reports that are required or were pulled."""
    whole = catalog.whole_segments
    required = [f"{family}_{name}" for family in REQUIRED_FAMILIES for name in whole]
    optional = sorted((set(catalog.reports()) | catalog.pulled) - set(required))
    other_share = threshold("max_other_share")
    expectations = (
        *PARTITION_EXPECTATIONS,
        Bound("other_share_is_small", "other_share", maximum=other_share, severity=WARNING),
    )
    by_window = [report for report in optional if is_by_window(catalog, report)]
    partitions = tuple(
        partition_slice(catalog, report, is_required=report in required)
        for report in (*required, *optional)
        if report not in by_window
    )
    windows = tuple(partition_slice(catalog, report, is_required=False) for report in by_window)
    # Parts of the shop are held to its total instead, which knows more than last week does.
    parted = {report for _, report in parted_reports(catalog, REQUIRED_FAMILIES)}
    alone = [r for r in (*required, *optional) if r not in parted and r not in by_window]
    return (
        Suite("partitions", ("date",), partitions, expectations),
        Suite("windows", ("window_name", "date"), windows, expectations),
        Suite(
            "property",
            (),
            (_property_slice(),),
            (Bound("property_is_not_empty", "window_row_count", minimum=1),),
        ),
        export_suite(),
        volume_suite(catalog, alone),
        *total_suites(catalog, REQUIRED_FAMILIES),
        *second_sources.of_raw(catalog),
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
