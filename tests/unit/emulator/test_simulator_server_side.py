"""Orders that the shop's server sends: no session, and nothing a browser would say."""

import json
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines.emulator.simulator import simulate

# What an event is told by; a parameter's value is read from its record.
ORDERS = """
    select
        user_pseudo_id, event_timestamp, ecommerce.transaction_id,
        ecommerce.purchase_revenue as revenue,
        list_transform(event_params, lambda one: one.key) as keys,
        device is null and geo is null and traffic_source is null
            and session_traffic_source_last_click is null as is_bare
    from read_parquet('{folder}/events_*.parquet') where event_name = 'purchase'
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("events")
    simulate(
        made, start=date(2026, 3, 2), days=5, sessions_per_day=2000, scenario="server_side_orders"
    )
    return made


@pytest.fixture(scope="module")
def orders(folder: Path) -> duckdb.DuckDBPyRelation:
    return duckdb.sql(ORDERS.format(folder=folder))


def truth(folder: Path, table: str) -> list[dict]:
    stored = json.loads((folder / "truth.json").read_text())[table]
    return [dict(zip(stored["columns"], row, strict=True)) for row in stored["rows"]]


def test_nine_of_ten_orders_come_from_the_server(orders: duckdb.DuckDBPyRelation) -> None:
    ((sent, count),) = orders.aggregate(
        "count(distinct transaction_id) filter (not list_contains(keys, 'ga_session_id')), "
        "count(distinct transaction_id)"
    ).fetchall()
    # About 130 orders: 0.9, give or take four times 0.026.
    assert count > 80
    assert sent / count == pytest.approx(0.9, abs=0.11)


def test_the_server_knows_visitor_and_order_and_nothing_else(
    orders: duckdb.DuckDBPyRelation, folder: Path
) -> None:
    sent = orders.filter("not list_contains(keys, 'ga_session_id')")
    assert sent.filter("not is_bare or revenue is null or user_pseudo_id is null").fetchall() == []
    assert sent.project("keys").distinct().fetchall() == [
        (["currency", "value", "transaction_id"],)
    ]
    # Once each, and by a visitor who was there before.
    assert sent.aggregate("count(*) - count(distinct transaction_id)").fetchall() == [(0,)]
    strangers = duckdb.sql(
        "select * from sent anti join "
        f"read_parquet('{folder}/events_*.parquet') as seen "
        "on seen.user_pseudo_id = sent.user_pseudo_id and seen.event_name = 'page_view' "
        "and seen.event_timestamp < sent.event_timestamp"
    )
    assert len(strangers.fetchall()) == 0


def test_the_truth_has_their_money_and_no_session(
    orders: duckdb.DuckDBPyRelation, folder: Path
) -> None:
    each = orders.aggregate("transaction_id, any_value(revenue) as revenue")
    ((count, cents),) = each.aggregate("count(*), sum(round(revenue * 100))").fetchall()
    whole = [row for row in truth(folder, "sessions") if row["segment_name"] == "all"]
    unknown = [row for row in truth(folder, "sessions") if row["segment_value"] == "(not set)"]
    assert sum(row["transactions"] for row in whole) == count
    assert round(100 * sum(row["purchase_revenue"] for row in whole)) == round(cents)
    assert {row["segment_name"] for row in unknown} == {"device", "channel", "country", "visitor"}
    assert {row["sessions"] for row in unknown} == {0}
    keys = [row for row in truth(folder, "keys") if row["key"] == "purchase"]
    bought = sum(row["sessions"] for row in keys if row["segment_name"] == "all")
    assert 0 < bought < count / 4
