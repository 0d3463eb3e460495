"""Pages for the tests: the published one, and one with difficult shops beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from pipelines.report.page import write_page

# All that HTML, an attribute, a script and a narrow screen could stumble over.
NASTY = "</script><script>alert('x')</script> & Söhne \"Quoted\" " + "Donaudampfschifffahrt" * 6
NO_REVENUE, NASTY_ID, ONE_DAY, EMPTY = "200000001", "200000002", "200000003", "200000004"
TITLE = "Checkout started → Purchased, mobile: has leaked since 1 June 2026 and still does."
# A finding with numbers of its own, and what it is a part of, so that a test knows them without
# asking: 20 of 100 sessions a day went on before 20 June, 2 of 100 since.
_LEAKING = (
    "delete from marts.fct_finding where property_id = '{id}'",
    "insert into marts.fct_finding by name select '{id}' as property_id, '28d' as window_name, "
    "window_start, window_end, 'f1' as finding_id, 1 as finding_rank, 'new' as state, "
    "'purchase' as step_key, 'Purchased' as step_label, 'checkout_start' as previous_step_key, "
    '\'[{{"segment_name": "device", "segment_value": "mobile"}}]\' as scope, '
    "'mobile' as scope_label, 0.5 as benchmark_low, 0.7 as benchmark_high, "
    "window_end - 10 as since_date, window_end - 11 as since_earliest, "
    "window_end - 9 as since_latest, 'The headline.' as headline, 'Worth 12 orders.' "
    f"as worth_sentence, '{TITLE}' as title, 22 as since_numerator, 1100 as since_denominator, "
    "0.02 as since_rate from marts.fct_funnel_window where property_id = '{id}' "
    "and window_name = '28d' and funnel = 'core' and segment_name = 'all' "
    "and step_key = 'purchase'",
    "update marts.fct_funnel_daily set previous_reached = 100, reached = case when date > "
    "(select max(date) from marts.fct_funnel_daily) - 11 then 2 else 20 end "
    "where property_id = '{id}' and step_key = 'purchase' and segment_value = 'mobile'",
    "update marts.fct_funnel_daily set previous_reached = 40, reached = 24 where "
    "property_id = '{id}' and step_key = 'purchase' and segment_value = 'desktop'",
    "insert into marts.fct_finding_detail by name select '{id}' as property_id, "
    "'f1' as finding_id, '28d' as window_name, window_start, window_end, 'purchase' as step_key, "
    "'checkout_start' as previous_step_key, 'product' as kind, 'sku' as detail_id, "
    "'<b>Coat' as detail_name, 1 as detail_rank, 'items' as unit, 2 as numerator, "
    "100 as denominator, 0.02 as rate, 0.2 as outside_rate from marts.fct_finding "
    "where property_id = '{id}'",
    "insert into marts.fct_finding_recording by name select '{id}' as property_id, "
    "'f1' as finding_id, 'clarity' as tool, window_end - 10 as start_date, window_end as end_date, "
    "'Clarity, recordings of <b>; Device: Mobile.' as recipe, "
    "'https://clarity.microsoft.com/projects' as link from marts.fct_finding "
    "where property_id = '{id}'",
    "delete from marts.fct_diagnosis where property_id = '{id}'",
    "insert into marts.fct_diagnosis by name select '{id}' as property_id, '28d' as window_name, "
    "'device' as segment_name, 'mobile' as segment_value, 1 as diagnosis_rank, 'X4' as rule, "
    "'f1' as finding_id, 'Likely a <missing> wallet' as likely_cause, 'Offer a wallet' as fix, "
    "'Recordings' as confirm_with, 'Payment 20 of 90 sessions' as evidence",
)
_WITHOUT_REVENUE = (
    "delete from marts.fct_funnel_change where property_id = '{id}'",
    "insert into marts.fct_funnel_change by name select '{id}' as property_id, "
    "'28d' as window_name, window_start, window_end, 'all' as segment_name, "
    "'all' as segment_value, 'stage' as effect, factors.* from (values "
    "(0, 'sessions', 100, 120, 5.25, 'orders'), (4, 'purchase', 0.5, 0.4, -10.5, 'orders')) "
    "as factors (factor_number, factor_key, prior_value, value_now, contribution, unit), "
    "(select distinct window_start, window_end from marts.fct_funnel_window "
    "where window_name = '28d')",
    "update marts.dim_property set currency = null where property_id = '{id}'",
    "update marts.fct_sales_daily set currency = null, purchase_revenue = null "
    "where property_id = '{id}'",
    "update marts.fct_cart_recovery set recoverable_value = null where property_id = '{id}'",
)
_FIRST_DAY = (
    "update marts.fct_funnel_window set days_loaded = 1, prior_days_loaded = 0, "
    "prior_step_rate = null, step_rate_change = null, change_ci_low = null, "
    "change_ci_high = null, ci_low = null, ci_high = null where property_id = '{id}'",
    "update marts.fct_benchmark_comparison set status = 'insufficient_data' "
    "where property_id = '{id}'",
    "update marts.fct_funnel_window set benchmark_status = 'insufficient_data' "
    "where property_id = '{id}' and benchmark_key is not null",
    "delete from marts.fct_finding where property_id = '{id}'",
    "delete from marts.fct_funnel_change where property_id = '{id}'",
    "delete from marts.fct_anomaly where property_id = '{id}'",
)
_UNTRACKED = (
    "update marts.fct_funnel_window set tracking_state = 'not_tracked', status = 'not_tracked', "
    "reached = null, step_rate = null, ci_low = null, ci_high = null "
    "where property_id = '{id}' and step_key = 'checkout_start'",
    # The step after it is counted, but has no rate.
    "update marts.fct_funnel_window set tracking_state = 'not_tracked', status = 'not_tracked', "
    "previous_reached = null, step_rate = null, ci_low = null, ci_high = null "
    "where property_id = '{id}' and step_key = 'purchase' and funnel = 'core'",
    "update marts.fct_tracking_coverage set tracking_state = 'not_tracked', fix = 'Add a <tag>' "
    "where property_id = '{id}' and key = 'checkout_start'",
    "update marts.fct_micro_conversion_window set key = '<b>' || key where property_id = '{id}'",
    "update marts.fct_funnel_window set segment_value = '<i>mobile</i> & \"co\"' "
    "where property_id = '{id}' and segment_value = 'mobile'",
    "update marts.fct_page_engagement set page_path = '/<img src=x>' where property_id = '{id}'",
    "update marts.fct_finding set title = '<script>alert(1)</script>', scope_label = '<i>mobile' "
    "where property_id = '{id}'",
)


def difficult_page(published: Path, folder: Path) -> Path:
    """A page of five properties: the published one, and four made difficult with SQL."""
    database = folder / "sluice.duckdb"
    shutil.copyfile(published / "sluice.duckdb", database)
    page = folder / "report.html"
    with duckdb.connect(str(database)) as connection:
        names = {NO_REVENUE: "No revenue", NASTY_ID: NASTY, ONE_DAY: "One day"}
        _copy_property(connection, names)
        for identity, changes in (
            (NO_REVENUE, _LEAKING), (NO_REVENUE, _WITHOUT_REVENUE),
            (NASTY_ID, _LEAKING), (NASTY_ID, _UNTRACKED), (ONE_DAY, _FIRST_DAY),
        ):  # fmt: skip
            for change in changes:
                connection.execute(change.format(id=identity))
        connection.execute(
            "insert into marts.dim_property (property_id, days_loaded) values (?, 0)", [EMPTY]
        )
        write_page(connection, page)
    return page


def crowded_page(published: Path, folder: Path, properties: int = 15) -> Path:
    """A page of so many properties."""
    database = folder / "sluice.duckdb"
    shutil.copyfile(published / "sluice.duckdb", database)
    page = folder / "report.html"
    with duckdb.connect(str(database)) as connection:
        numbers = range(1, properties)
        names = {f"{300_000_000 + one}": f"Shop <{one}>" for one in numbers}
        # Read for the days of a finding, and this shop has none.
        _copy_property(connection, names, without=("fct_funnel_daily",))
        write_page(connection, page)
    return page


def _copy_property(
    connection: duckdb.DuckDBPyConnection, names: dict[str, str], without: tuple[str, ...] = ()
) -> None:
    """Put the published property there once more for each id, under its name; but for its rows in
    the marts `without` and in two large ones that the page does not read.
    """
    tables = connection.execute(
        "select table_name from duckdb_columns() where schema_name = 'marts' "
        "and column_name = 'property_id' and table_name not in (select unnest($left_out))",
        {"left_out": ["fct_micro_conversion_daily", "fct_cell_funnel", *without]},
    ).fetchall()
    for (table,) in tables:
        connection.execute(
            f"insert into marts.{table} select t.* replace (id as property_id) "
            f"from marts.{table} as t, unnest($ids) as own (id) where property_id = $old",
            {"ids": list(names), "old": "100000001"},
        )
    connection.executemany(
        "update marts.dim_property set property_name = ? where property_id = ?",
        [(name, identity) for identity, name in names.items()],
    )
