"""The slice of one raw table: every property × date beside the pull that it must come from.

Written once for all raw tables: key and measure columns follow from their types (`catalog.py`).
A report of whole windows has a partition per window that ends on the date.
"""

from __future__ import annotations

from data_checks.catalog import Catalog
from data_checks.model import Slice
from data_checks.sql import IN_WINDOW, counted, key_text

WINDOW = "window_name"
# What a report by day has for a window.
DAY = "'1d'"


def is_by_window(catalog: Catalog, report: str) -> bool:
    """Whether the report's table holds whole windows."""
    return WINDOW in catalog.dimensions(f"raw.ga4_{report}")


def partition_slice(catalog: Catalog, report: str, *, is_required: bool) -> Slice:
    """One row per property × date × window: the table's partition beside its last loaded pull.

    A required report answers for every asked date; any other for the dates that somebody pulled.
    """
    # Nothing stored and no pull loaded is a lost partition only where the report is required.
    is_present, partitions = (
        (
            _required_is_present(report),
            f"select property_id, date, {DAY} as window_name"
            " from asked_properties cross join asked_dates",
        )
        if is_required
        else (
            "loaded.pull_id is not null or stored.row_count is null",
            " union ".join(
                f"select property_id, date, window_name from {name}"
                for name in ("loaded", "newer", "stored")
            ),
        )
    )
    table = f"raw.ga4_{report}"
    return Slice(
        table,
        f"""
with {_pulls(report)},
{_stored(table, catalog.dimensions(table), catalog.metrics(table))},
partitions as ({partitions})
select
    property_id, date, window_name,
    ({is_present})::integer as loaded_pulls,
    coalesce(stored.row_count, 0) as row_count,
    case when loaded.pull_id is null then 0 else loaded.row_count end as pulled_row_count,
    coalesce(stored.duplicate_keys, 0) as duplicate_keys, stored.duplicate_keys_example,
    coalesce(stored.negative_counts, 0) as negative_counts, stored.negative_counts_example,
    coalesce(stored.negative_revenue, 0) as negative_revenue, stored.negative_revenue_example,
    coalesce(stored.foreign_rows, 0) as rows_of_other_pulls,
    coalesce(newer.pull_count, 0) as newer_pulls_not_loaded,
    coalesce(loaded.is_sampled, false)::integer as is_sampled,
    coalesce(loaded.is_thresholded, false)::integer as is_thresholded,
    (coalesce(loaded.restricted_metrics, '') <> '')::integer as is_restricted,
    (coalesce(loaded.truncation, '') <> '')::integer as is_truncated,
    coalesce(loaded.other_share, 0) as other_share
from partitions
left join loaded using (property_id, date, window_name)
left join stored using (property_id, date, window_name)
left join newer using (property_id, date, window_name)
order by property_id, date, window_name
""",
        may_be_empty=not is_required,
    )


def _required_is_present(report: str) -> str:
    """SQL: the partition was loaded, or is a dimension that was left out to spare the quota.

    GA4 limits requests that it may threshold, and those wait (docs/ga4.md): the segment is
    then incomplete. The whole property has no dimension to leave out. An export has days without
    a readable file, and none before its first, as dropped reports of Shopify have; and Shopify
    alone tells of no segment but devices.
    """
    is_skipped = "coalesce(newer.last_status, '') = 'skipped'"
    if not report.endswith("_by_all"):
        return f"loaded.pull_id is not null or {is_skipped} or {_BEFORE_EXPORT} or {_OF_SHOPIFY}"
    return (
        f"loaded.pull_id is not null or {_BEFORE_EXPORT} or ({is_skipped} and property_id in "
        "(select property_id from ops.properties where source <> 'data_api'))"
    )


_OF_SHOPIFY = "property_id in (select property_id from ops.properties where source = 'shopify')"
_BEFORE_EXPORT = """coalesce(date < (
    select min(first.date) from ops.pulls as first
    semi join (from ops.properties where source <> 'data_api') as apart using (property_id)
    where first.status = 'loaded' and first.property_id = partitions.property_id
), false)"""


def _pulls(report: str) -> str:
    """SQL: `loaded`, the last loaded pull per partition, and `newer`, what failed after it."""
    return f"""
pulls as (
    select * replace (coalesce(window_name, {DAY}) as window_name)
    from ops.pulls where report = '{report}' and {IN_WINDOW}
),
loaded as (
    select
        property_id, date, window_name, pull_id, row_count, is_sampled, is_thresholded, other_share,
        restricted_metrics, truncation, pulled_at
    from pulls
    where status = 'loaded'
    qualify row_number() over (
        partition by property_id, date, window_name order by pulled_at desc, pull_id desc
    ) = 1
),
newer as (
    select
        property_id, date, window_name, count(*) as pull_count,
        arg_max(status, pulls.pulled_at) as last_status
    from pulls
    left join loaded using (property_id, date, window_name)
    where status <> 'loaded'
        and (loaded.pulled_at is null or pulls.pulled_at > loaded.pulled_at)
    group by property_id, date, window_name
)"""


def _stored(table: str, dimensions: tuple[str, ...], metrics: tuple[str, ...]) -> str:
    """SQL: `stored`, what the table holds per partition; needs `loaded`.

    Rows are first grouped by their whole key, in which a duplicate shows. Refunds may turn
    revenue negative, so that it is counted apart from the counts.
    """
    grain = ", ".join(dict.fromkeys(("property_id", "date", WINDOW, *dimensions)))
    revenue = tuple(name for name in metrics if "revenue" in name)
    counts = tuple(name for name in metrics if name not in revenue)
    key = key_text(tuple(name for name in dimensions if name != WINDOW))
    own_window = "" if WINDOW in dimensions else f", {DAY} as {WINDOW}"
    return f"""
keyed as (
    select
        {grain}, count(*) as copies,
        count(*) filter (where {_any_negative(counts)}) as negative_counts,
        count(*) filter (where {_any_negative(revenue)}) as negative_revenue,
        count(*) filter (where loaded.pull_id is distinct from pulled.pull_id) as foreign_rows
    from (select *{own_window} from {table}) as pulled
    left join loaded using (property_id, date, window_name)
    where {IN_WINDOW}
    group by {grain}
),
stored as (
    select
        property_id, date, window_name, sum(copies) as row_count,
        sum(foreign_rows) as foreign_rows,
        {counted("duplicate_keys", "copies > 1", key)},
        {counted("negative_counts", "negative_counts > 0", key)},
        {counted("negative_revenue", "negative_revenue > 0", key)}
    from keyed
    group by property_id, date, window_name
)"""


def _any_negative(metrics: tuple[str, ...]) -> str:
    """SQL: any of the metrics is below zero (NULL, a restricted metric, is not)."""
    return " or ".join(f"{metric} < 0" for metric in metrics) or "false"
