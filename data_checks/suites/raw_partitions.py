"""The slice of one raw table: every property × date beside the pull that it must come from.

Written once for all raw tables: key and measure columns follow from their types (`catalog.py`).
"""

from __future__ import annotations

from data_checks.catalog import Catalog
from data_checks.model import Slice
from data_checks.sql import IN_WINDOW, counted, key_text


def partition_slice(catalog: Catalog, report: str, *, is_required: bool) -> Slice:
    """One row per property × date: the table's partition beside its last loaded pull.

    A required report answers for every asked date; any other for the dates that somebody pulled.
    """
    # Nothing stored and no pull loaded is a lost partition only where the report is required.
    is_present, partitions = (
        (
            "loaded.pull_id is not null",
            "select property_id, date from asked_properties cross join asked_dates",
        )
        if is_required
        else (
            "loaded.pull_id is not null or stored.row_count is null",
            "select property_id, date from loaded union select property_id, date from newer"
            " union select property_id, date from stored",
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
    property_id, date,
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
    coalesce(loaded.other_share, 0) as other_share
from partitions
left join loaded using (property_id, date)
left join stored using (property_id, date)
left join newer using (property_id, date)
order by property_id, date
""",
        may_be_empty=not is_required,
    )


def _pulls(report: str) -> str:
    """SQL: `loaded`, the last loaded pull per partition, and `newer`, what failed after it."""
    return f"""
pulls as (select * from ops.pulls where report = '{report}' and {IN_WINDOW}),
loaded as (
    select property_id, date, pull_id, row_count, is_sampled, is_thresholded, other_share, pulled_at
    from pulls
    where status = 'loaded'
    qualify row_number() over (
        partition by property_id, date order by pulled_at desc, pull_id desc
    ) = 1
),
newer as (
    select property_id, date, count(*) as pull_count
    from pulls
    left join loaded using (property_id, date)
    where status <> 'loaded'
        and (loaded.pulled_at is null or pulls.pulled_at > loaded.pulled_at)
    group by property_id, date
)"""


def _stored(table: str, dimensions: tuple[str, ...], metrics: tuple[str, ...]) -> str:
    """SQL: `stored`, what the table holds per partition; needs `loaded`.

    Rows are first grouped by their whole key, in which a duplicate shows. Refunds may turn
    revenue negative, so that it is counted apart from the counts.
    """
    grain = ", ".join(("property_id", "date", *dimensions))
    revenue = tuple(name for name in metrics if "revenue" in name)
    counts = tuple(name for name in metrics if name not in revenue)
    key = key_text(dimensions)
    return f"""
keyed as (
    select
        {grain}, count(*) as copies,
        count(*) filter (where {_any_negative(counts)}) as negative_counts,
        count(*) filter (where {_any_negative(revenue)}) as negative_revenue,
        count(*) filter (where loaded.pull_id is distinct from pulled.pull_id) as foreign_rows
    from {table} as pulled
    left join loaded using (property_id, date)
    where {IN_WINDOW}
    group by {grain}
),
stored as (
    select
        property_id, date, sum(copies) as row_count, sum(foreign_rows) as foreign_rows,
        {counted("duplicate_keys", "copies > 1", key)},
        {counted("negative_counts", "negative_counts > 0", key)},
        {counted("negative_revenue", "negative_revenue > 0", key)}
    from keyed
    group by property_id, date
)"""


def _any_negative(metrics: tuple[str, ...]) -> str:
    """SQL: any of the metrics is below zero (NULL, a restricted metric, is not)."""
    return " or ".join(f"{metric} < 0" for metric in metrics) or "false"
