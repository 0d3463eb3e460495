"""Reads a property from the schemas `marts` and `ops` of a published version."""

from __future__ import annotations

import duckdb

from pipelines.config.thresholds import threshold
from pipelines.report.doubtful_days import DOUBTFUL_DAYS, DoubtfulDay
from pipelines.report.fetch import Row, fetch
from pipelines.report.page_data import PropertyData, Window
from pipelines.report.rows import (
    changes,
    findings,
    friction,
    funnel,
    heatmaps,
    items,
    left_out,
    micro,
    properties,
    quality,
    register,
    sales,
    shopify,
    sources,
    tracking,
)

MONTH, WEEK = ("28d", 28), ("7d", 7)


def property_ids(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """All properties in the order of the page; one without any row still has its place."""
    return tuple(name for (name,) in connection.execute(properties.PROPERTY_IDS).fetchall())


def read_shop(connection: duckdb.DuckDBPyConnection, property_id: str) -> PropertyData:
    """Everything the page says of one property.

    A version that was made by older code lacks tables and columns: what needs them is left out.
    """
    shop = fetch(connection, properties.Shop, properties.SHOP, {"property": property_id})[0]
    reason = connection.execute(properties.HELD_BACK, {"property": property_id}).fetchone()
    there = _tables_and_columns(connection)

    def ask(kind: type[Row], query: str, needs: str = "", **more: object) -> tuple[Row, ...]:
        if needs and needs not in there:
            return ()
        return fetch(connection, kind, query, {"property": property_id, **more})

    def ask_one(kind: type[Row], query: str, needs: str = "", **more: object) -> Row | None:
        return next(iter(ask(kind, query, needs, **more)), None)

    def window(name: str, days: int) -> Window:
        return Window(
            days=days,
            steps=ask(funnel.Step, funnel.STEPS, window=name),
            compared=ask(
                sources.Compared,
                sources.COMPARED,
                "fct_benchmark_comparison.source_text",
                window=name,
            ),
            shop_figures=ask(sources.Figure, sources.FIGURES, "fct_benchmark_figure", window=name),
            micros=ask(micro.Micro, micro.MICROS, window=name),
            sales=ask_one(sales.Sales, sales.SALES, "fct_sales_daily", days=days),
            ends=ask(funnel.End, funnel.ENDS, "fct_furthest_stage", window=name),
            carts=ask_one(items.Carts, items.CARTS, window=name),
            products=ask(
                items.Product,
                items.PRODUCTS,
                "fct_product_funnel_window.q_value",
                window=name,
                false_discovery_rate=threshold("false_discovery_rate"),
            ),
            pages=ask(items.Page, items.PAGES, window=name),
        )

    has_findings = "fct_finding.title" in there
    return PropertyData(
        shop=shop,
        held_back=reason[0] if reason else None,
        month=window(*MONTH),
        week=window(*WEEK),
        findings=ask(findings.Finding, findings.FINDINGS) if has_findings else (),
        finding_days=ask(findings.FindingDay, findings.FINDING_DAYS) if has_findings else (),
        finding_details=ask(findings.FindingDetail, findings.FINDING_DETAILS, "fct_finding_detail"),
        recordings=ask(findings.Recording, findings.RECORDINGS, "fct_finding_recording"),
        has_findings=has_findings,
        friction=ask(friction.Sign, friction.FRICTION, "fct_page_friction"),
        friction_of_findings=ask(friction.Sign, friction.FRICTION_OF_FINDINGS, "fct_page_friction"),
        snapshots=ask_one(friction.Snapshots, friction.SNAPSHOTS, "fct_page_friction"),
        clicks=ask(heatmaps.Click, heatmaps.CLICKS, "fct_heatmap_click"),
        scrolls=ask(heatmaps.Scroll, heatmaps.SCROLLS, "fct_scroll_depth"),
        refused_heatmaps=ask(heatmaps.Refused, heatmaps.REFUSED, "fct_heatmap_click"),
        sales_weeks=ask(sales.SalesWeek, sales.SALES_WEEKS, "fct_sales_daily"),
        step_weeks=ask(funnel.StepWeek, funnel.STEP_WEEKS, "fct_funnel_period"),
        factors=ask(changes.Factor, changes.FACTORS),
        shifts=ask(changes.Shift, changes.SHIFTS),
        changes=ask(register.Change, register.CHANGES, "fct_change_overlap"),
        experiments=ask(register.Experiment, register.EXPERIMENTS, "fct_experiment.edits"),
        planned=ask(register.Planned, register.PLANNED, "fct_experiment_plan"),
        alerts=ask(changes.Alert, changes.ALERTS, "fct_anomaly.is_news"),
        judged=ask(changes.Judged, changes.JUDGED)[0],
        diagnoses=ask(findings.Diagnosis, findings.DIAGNOSES, "fct_diagnosis.finding_id"),
        coverage=ask(tracking.Coverage, tracking.COVERAGE),
        silences=ask(tracking.Silence, tracking.SILENCES, "fct_tracking_coverage.is_passed"),
        suggestions=ask(tracking.Suggestion, tracking.SUGGESTIONS),
        completeness=ask(quality.Completeness, quality.COMPLETENESS),
        growing=ask_one(quality.Growing, quality.GROWING, "fct_data_completeness.usual_growth")
        or quality.Growing(0, None),
        doubtful_days=doubtful_days(connection, shop.property_id),
        settings=ask(quality.OtherSetting, quality.SETTINGS, "fct_data_completeness.time_zone"),
        gates=ask(quality.Gate, quality.GATES),
        warnings=ask(quality.GateWarning, quality.WARNINGS),
        shop_steps=ask(shopify.ShopStep, shopify.FUNNEL, "fct_shopify_funnel_daily"),
        shop_sales=ask_one(shopify.ShopSales, shopify.SALES, "fct_shopify_sales_daily"),
        ratios=ask(shopify.Ratio, shopify.RATIOS, "fct_shopify_funnel_daily"),
        left_out=ask(left_out.LeftOut, left_out.LEFT_OUT, "fct_reconciliation"),
        failed_fetches=ask(shopify.FailedFetch, shopify.FAILED_FETCHES, "fct_shopify_funnel_daily"),
    )


def doubtful_days(
    connection: duckdb.DuckDBPyConnection, property_id: str
) -> tuple[DoubtfulDay, ...]:
    """Those of one property, newest first; none in a version made before they were told."""
    if "fct_data_completeness.has_missing_rows" not in _tables_and_columns(connection):
        return ()
    days = fetch(connection, DoubtfulDay, DOUBTFUL_DAYS)
    return tuple(day for day in days if day.property_id == property_id)


def _tables_and_columns(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Marts that the version has, and `mart.column`: one that was made before they came has not."""
    found = connection.execute(
        "select table_name, column_name from information_schema.columns "
        "where table_schema = 'marts'"
    ).fetchall()
    return frozenset(name for table, column in found for name in (table, f"{table}.{column}"))
