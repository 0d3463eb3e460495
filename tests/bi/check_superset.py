"""Superset on the published file: its charts show what SQL says. Run by `make bi-test`.

Every query here is written anew, from other columns than the chart's where there are others.
"""

import json
from collections.abc import Iterable
from typing import Any

import duckdb
import pytest

from pipelines.config.settings import Settings
from pipelines.publishing.publication import Publication
from pipelines.publishing.publish import publish
from tests.bi.server import Superset
from tests.e2e.shop import published, published_rows
from tests.support.hand_clock import MORNING

WINDOW = "window_name = '28d' and segment_name = 'all'"
CORE = f"from marts.fct_funnel_window where funnel = 'core' and {WINDOW}"
WEEKS = (
    "from marts.fct_funnel_period where window_name = 'week' and segment_name = 'all' "
    "and window_end - window_start = 6 and days_loaded = window_days"
)
QUERIES = {
    "Findings": "select title, headline, worth_sentence from marts.fct_finding "
    "where state in ('new', 'ongoing', 'worse', 'improving')",
    "Conversion rate": "select max(reached) filter (where step_key = 'purchase') "
    f"/ max(reached) filter (where step_key = 'sessions') {CORE}",
    "Sales of 28 days": "select sum(purchase_revenue), any_value(currency), "
    "sum(transactions)::bigint, sum(purchase_revenue) / sum(transactions) "
    "from marts.fct_sales_daily where segment_name = 'all' "
    "and date > (select max(date) from marts.fct_sales_daily) - 28",
    "Revenue by day": "select epoch_ms(date), currency, purchase_revenue "
    "from marts.fct_sales_daily where segment_name = 'all'",
    "Conversion rate by week": f"select epoch_ms(window_start), reached / entry_reached {WEEKS} "
    "and step_key = 'purchase'",
    "Sessions by step": f"select step_label, reached {CORE} and reached is not null",
    "Step rates with their intervals": "select step_number, step_label, reached, "
    f"previous_reached, reached / previous_reached, ci_low, ci_high, status {CORE}",
    "Step rates by week": "select epoch_ms(window_start), step_label, "
    f"reached / nullif(previous_reached, 0) {WEEKS} and step_number > 0",
    "Step rates by device": "select step_number || ' ' || step_label, segment_value, "
    "reached / previous_reached from marts.fct_funnel_window "
    "where funnel = 'core' and window_name = '28d' and segment_name = 'device' and step_number > 0",
    "Against the benchmarks": "select benchmark_key, numerator, denominator, "
    "numerator / denominator, ci_low, ci_high, benchmark_low, benchmark_high, status, source_text "
    f"from marts.fct_benchmark_comparison where {WINDOW} and source_kind <> 'own_history'",
    "What other shops have": "select numerator_key, denominator_key, statistic_text, value, "
    f"publisher, sample, period, scope, link from marts.fct_benchmark_figure where {WINDOW}",
    "Leaks by what they cost": "select leak_order, segment_name, segment_value, step_label, "
    "numerator / denominator, benchmark_low, opportunity_p50, opportunity_p05, opportunity_p95, "
    "value_unit, currency from marts.fct_leak where window_name = '28d' and is_leak "
    "order by leak_order limit 50",
    "Micro-conversions": "select stage, key, sessions, parent_key, parent_sessions, "
    "sessions / nullif(parent_sessions, 0), ci_low, ci_high, status "
    f"from marts.fct_micro_conversion_window where {WINDOW}",
    "Tracking: what is to be done": "select key, stage, tracking_state, is_expected, fix "
    "from marts.fct_tracking_coverage where fix is not null",
    "What the metrics mean": "select label, description, formula, denominator, unit, table_name, "
    "column_name from marts.dim_metric",
}


def in_file(home: Settings, query: str) -> list[tuple[Any, ...]]:
    return published_rows(home, query)


def in_chart(bi: Superset, name: str) -> list[tuple[Any, ...]]:
    """Rows that the chart of the dashboard draws."""
    (chart,) = (one for one in charts(bi) if one["slice_name"] == name)
    return rows_of(bi, chart["id"])


def charts(bi: Superset) -> list[dict[str, Any]]:
    return bi.get("dashboard/shop-funnel/charts")["result"]


def rows_of(bi: Superset, chart: int) -> list[tuple[Any, ...]]:
    (answer,) = bi.get(f"chart/{chart}/data/", force="true")["result"]
    assert answer["status"] == "success"
    return [tuple(row[name] for name in answer["colnames"]) for row in answer["data"]]


def comparable(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Sorted; numbers to 12 digits, as JSON and a quotient may differ in the last bit."""
    plain = [
        tuple(float(f"{value:.12g}") if isinstance(value, float) else value for value in row)
        for row in rows
    ]
    return sorted(plain, key=str)


def test_the_dashboard_holds_all_charts(dashboard: Superset) -> None:
    assert {one["slice_name"] for one in charts(dashboard)} == QUERIES.keys()


@pytest.mark.parametrize("name", QUERIES)
def test_a_chart_of_the_dashboard_equals_sql(
    dashboard: Superset, home: Settings, name: str
) -> None:
    wanted = in_file(home, QUERIES[name])
    assert wanted
    assert any(value is not None for row in wanted for value in row)
    assert comparable(in_chart(dashboard, name)) == comparable(wanted)


def test_datasets_bring_the_descriptions_of_the_contracts(
    dashboard: Superset, home: Settings
) -> None:
    found = {one["table_name"]: one["id"] for one in dashboard.get("dataset/")["result"]}
    dataset = dashboard.get(f"dataset/{found['fct_funnel_window']}")["result"]
    told = {one["column_name"]: one["description"] for one in dataset["columns"]}
    comments = in_file(
        home,
        "select column_name, comment from duckdb_columns() where table_name = 'fct_funnel_window'",
    )
    assert told == dict(comments)


@pytest.fixture(scope="module")
def own_database(home: Settings, bi: Superset) -> int:
    """A connection made by hand as docs/bi.md says, but one that Superset itself lets write."""
    path = home.published_dir.absolute() / "current" / "sluice.duckdb"
    body = {
        "database_name": "By hand",
        "sqlalchemy_uri": f"duckdb:///{path}?access_mode=read_only",
        "allow_dml": True,
    }
    return bi.post("database/", body)["id"]


def test_the_file_refuses_to_be_written(bi: Superset, own_database: int, home: Settings) -> None:
    body = {"database_id": own_database, "sql": "delete from marts.dim_stage", "schema": "marts"}
    assert "read-only" in bi.refused("sqllab/execute/", body)
    assert in_file(home, "select count(*) from marts.dim_stage") != [(0,)]


def test_a_chart_made_through_the_api_equals_sql(
    bi: Superset, own_database: int, home: Settings
) -> None:
    table = {
        "database": own_database,
        "schema": "marts",
        "table_name": "fct_micro_conversion_daily",
    }
    dataset = bi.post("dataset/", table)["id"]
    query = {
        "columns": ["key"],
        "metrics": [{"expressionType": "SQL", "sqlExpression": "SUM(sessions)", "label": "total"}],
        "filters": [{"col": "segment_name", "op": "==", "val": "device"}],
    }
    context = {"datasource": {"id": dataset, "type": "table"}, "queries": [query]}
    chart = {
        "slice_name": "Sessions by key",
        "viz_type": "table",
        "datasource_id": dataset,
        "datasource_type": "table",
        "params": json.dumps({"viz_type": "table"}),
        "query_context": json.dumps(context),
    }
    made = rows_of(bi, bi.post("chart/", chart)["id"])
    wanted = in_file(
        home,
        "select key, sum(sessions)::bigint from marts.fct_micro_conversion_daily "
        "where segment_name = 'device' group by key",
    )
    assert len(wanted) > 20
    assert comparable(made) == comparable(wanted)


def test_the_next_version_shows_at_once_and_a_reader_keeps_its_own(
    dashboard: Superset, home: Settings
) -> None:
    """Last: it publishes. Purchases are halved in the build database, and only there."""
    ((before,),) = in_chart(dashboard, "Conversion rate")
    with published(home) as reader:
        read = "select count(*), sum(reached) from marts.fct_funnel_window"
        kept = reader.execute(read).fetchall()
        with duckdb.connect(str(home.build_db)) as connection:
            connection.execute(
                "update marts.fct_funnel_window set cumulative_rate = cumulative_rate / 2, "
                "reached = 0"
            )
        assert in_chart(dashboard, "Conversion rate") == [(before,)]
        publish(
            Publication(
                home.build_db, home.published_dir, "bi", "test", "", "", 3, True, now=MORNING
            )
        )
        assert reader.execute(read).fetchall() == kept
    assert in_chart(dashboard, "Conversion rate") == [(pytest.approx(before / 2),)]
