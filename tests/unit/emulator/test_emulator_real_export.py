"""The emulator over 460 real rows of Google's public sample, in the export's real shape."""

import json
from pathlib import Path

import duckdb
import pytest
from google.analytics.data_v1beta import types as ga4

from pipelines.emulator.server import serve
from tests.support.emulated_shop import Shop

DATA = Path(__file__).parents[4] / "shared" / "data" / "ga4_export"
ALL_DAYS = [ga4.DateRange(start_date="2020-11-01", end_date="2021-01-31")]
# Counted by others: the README beside the data.
EVENT_COUNTS = {
    ("page_view", "151"),
    ("user_engagement", "82"),
    ("session_start", "69"),
    ("first_visit", "61"),
    ("scroll", "36"),
    ("view_item", "22"),
    ("view_promotion", "17"),
    ("view_search_results", "10"),
    ("add_to_cart", "7"),
    ("select_item", "4"),
    ("add_shipping_info", "1"),
}


def bigquery_type(kind: str) -> str:
    """BigQuery's type as DuckDB's: ARRAY<STRUCT<a STRING>> → STRUCT(a VARCHAR)[]."""
    if kind.startswith("ARRAY<"):
        return f"{bigquery_type(kind[len('ARRAY<') : -1])}[]"
    if kind.startswith("STRUCT<"):
        fields, depth, start = [], 0, 0
        inner = kind[len("STRUCT<") : -1] + ","
        for place, letter in enumerate(inner):
            depth += (letter == "<") - (letter == ">")
            if letter == "," and not depth:
                name, field_type = inner[start:place].strip().split(" ", 1)
                fields.append(f'"{name}" {bigquery_type(field_type)}')
                start = place + 1
        return f"STRUCT({', '.join(fields)})"
    return {"STRING": "VARCHAR", "INT64": "BIGINT", "FLOAT64": "DOUBLE"}[kind]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    if not DATA.exists():
        pytest.skip("the real GA4 sample rows are not at ../shared/data/ga4_export")
    folder = tmp_path_factory.mktemp("sample")
    text = (DATA / "events_sample.ndjson").read_text()
    # The file writes missing numbers as NaN, and `ecommerce` as the word "null".
    lines = [json.loads(line, parse_constant=lambda _: None) for line in text.splitlines()]
    for line in lines:
        line["ecommerce"] = None if line["ecommerce"] == "null" else line["ecommerce"]
    (folder / "rows.ndjson").write_text("\n".join(json.dumps(line) for line in lines))
    schema = json.loads((DATA / "schema_columns.json").read_text())
    columns = {
        name: bigquery_type(kind)
        for name, kind in zip(schema["column_names"], schema["column_types"], strict=True)
    }
    with duckdb.connect() as connection:
        connection.read_json(
            str(folder / "rows.ndjson"), columns=columns, format="newline_delimited"
        ).create_view("rows")
        for (day,) in connection.execute("SELECT DISTINCT event_date FROM rows").fetchall():
            connection.execute(
                f"COPY (SELECT * FROM rows WHERE event_date = '{day}') "
                f"TO '{folder}/events_{day}.parquet'"
            )
    with serve([folder], exact=True) as emulator:
        yield Shop(emulator.endpoint)


def test_event_counts(sample: Shop):
    assert sample.rows("eventName", "eventCount", date_ranges=ALL_DAYS) == EVENT_COUNTS


def test_users_and_days(sample: Shop):
    assert sample.rows("", "totalUsers newUsers", date_ranges=ALL_DAYS) == {("167", "61")}
    days = sample.report("date", "eventCount", date_ranges=ALL_DAYS).rows
    assert [row.metric_values[0].value for row in days] == ["5"] * 92


def test_columns_that_old_exports_lack_are_not_set(sample: Shop):
    rows = sample.rows("sessionDefaultChannelGroup", "eventCount", date_ranges=ALL_DAYS)
    assert rows == {("(not set)", "460")}
