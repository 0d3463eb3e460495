"""A hand-made shop of 15 counted events over two days, behind the emulator.

The `test_emulator_*` modules ask about it through the real client; the numbers they expect were
worked out by hand from `EVENTS`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import grpc
import pyarrow as pa
import pyarrow.parquet as pq
from google.analytics.data_v1alpha import AlphaAnalyticsDataClient
from google.analytics.data_v1alpha.services.alpha_analytics_data.transports import (
    AlphaAnalyticsDataGrpcTransport,
)
from google.analytics.data_v1beta import BetaAnalyticsDataClient
from google.analytics.data_v1beta import types as ga4
from google.analytics.data_v1beta.services.beta_analytics_data.transports import (
    BetaAnalyticsDataGrpcTransport,
)

from pipelines.emulator.server import serve

PROPERTY = "properties/100000001"
BERLIN = ZoneInfo("Europe/Berlin")
# 23:30 UTC on 11 March is half past midnight of 12 March in Berlin.
NOW = datetime(2026, 3, 11, 23, 30, tzinfo=UTC)
ABOUT = {
    "property_id": "100000001",
    "display_name": "Hand-made shop",
    "time_zone": "Europe/Berlin",
    "currency_code": "EUR",
    "custom_dimensions": ["page_type", "percent_scrolled"],
}
_VALUE = pa.struct(
    {
        "string_value": pa.string(),
        "int_value": pa.int64(),
        "float_value": pa.float64(),
        "double_value": pa.float64(),
    }
)
_ITEM = pa.struct(
    {
        "item_id": pa.string(),
        "item_name": pa.string(),
        "item_category": pa.string(),
        "item_list_name": pa.string(),
        "price": pa.float64(),
        "quantity": pa.int64(),
    }
)
_CLICK = pa.struct(
    dict.fromkeys(("source", "medium", "campaign_name", "default_channel_group"), pa.string())
)
SCHEMA = pa.schema(
    {
        "event_date": pa.string(),
        "event_timestamp": pa.int64(),
        "event_name": pa.string(),
        "event_params": pa.list_(pa.struct({"key": pa.string(), "value": _VALUE})),
        "user_pseudo_id": pa.string(),
        "device": pa.struct({"category": pa.string()}),
        "geo": pa.struct({"country": pa.string()}),
        "session_traffic_source_last_click": pa.struct({"cross_channel_campaign": _CLICK}),
        "ecommerce": pa.struct({"transaction_id": pa.string(), "purchase_revenue": pa.float64()}),
        "items": pa.list_(_ITEM),
    }
)
# user, ga_session_id, ga_session_number, device, country, channel. Two users share the number 101:
# a session is the pair.
A = ("u1", 101, 1, "mobile", "Germany", "Organic Search")
B = ("u2", 101, 3, "desktop", "Austria", "Direct")
B_LATER = ("u2", 102, 4, "desktop", "Austria", "Direct")
C = ("u3", 300, 1, None, None, None)
NOBODY = (None, 400, 1, "desktop", "Germany", "Direct")  # consent denied: never in an answer
HOME, PRODUCT = "https://shop.example/?utm_source=x", "https://shop.example/p/1?x=2"
SKU1 = {"item_id": "sku1", "item_name": "Boot", "price": 10.0}
SKU2 = {"item_id": "sku2", "item_name": "Sock", "price": 5.0, "quantity": 2}
ORDER_1 = {"items": [SKU1 | {"price": 10.1, "quantity": 1}], "order": ("t1", 10.1)}
ORDER_2 = {"items": [{"item_id": "sku2", "price": 10.1, "quantity": 2}], "order": ("t2", 20.2)}
ON_PRODUCT = {"page_location": PRODUCT, "page_title": "Boot", "page_type": "product"}
EVENTS: tuple[tuple, ...] = (  # local time, session, event name, parameters, items and order
    ("10 23:50:00", A, "session_start", {"page_location": HOME, "session_engaged": "0"}, {}),
    ("10 23:50:01", A, "page_view", {"page_location": HOME, "page_type": "home"}, {}),
    ("10 23:51:00", A, "first_visit", {}, {}),
    (
        "11 00:05:00",
        A,
        "view_item",
        ON_PRODUCT | {"session_engaged": "1", "engagement_time_msec": 1500},
        {"items": [SKU1, SKU2]},
    ),
    (
        "11 00:06:00",
        A,
        "add_to_cart",
        ON_PRODUCT | {"session_engaged": "1"},
        {"items": [SKU1 | {"quantity": 2}]},
    ),
    (
        "10 12:00:00",
        B,
        "page_view",
        ON_PRODUCT | {"session_engaged": 1, "engagement_time_msec": 500},
        {},
    ),
    ("10 12:01:00", B, "view_item", ON_PRODUCT, {"items": [SKU1]}),
    ("10 12:02:00", B, "begin_checkout", {}, {"items": [SKU1]}),
    ("10 12:03:00", B, "purchase", {}, ORDER_1),
    ("10 12:04:00", B, "scroll_depth", ON_PRODUCT | {"percent_scrolled": 50}, {}),
    ("11 09:00:00", B_LATER, "purchase", {}, ORDER_1),  # the same order once more
    ("11 10:00:00", C, "it's 100%", {"page_location": "https://shop.example"}, {}),
    ("11 10:01:00", C, "page_view", {"page_location": "https://shop.example"}, {}),
    ("11 10:02:00", C, "purchase", {}, ORDER_2),
    ("11 10:03:00", C, "scroll_depth", {"percent_scrolled": 100.0}, {}),
    ("11 11:00:00", NOBODY, "page_view", {"page_location": HOME}, {}),
)


def write_shop(
    folder: Path, about: dict | None = None, times: int = 1, events: tuple = EVENTS
) -> Path:
    """The hand-made shop as an event store; `about` replaces entries of property.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "property.json").write_text(json.dumps(ABOUT | (about or {})))
    rows = [_row(*event) for event in events] * times
    for day in ("20260310", "20260311"):
        chosen = [row for row in rows if row["event_date"] == day]
        pq.write_table(pa.Table.from_pylist(chosen, SCHEMA), folder / f"events_{day}.parquet")
    return folder


def _row(time: str, session: tuple, name: str, parameters: dict, more: dict) -> dict:
    user, session_id, number, device, country, channel = session
    moment = datetime.strptime(f"2026-03-{time}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=BERLIN)
    parameters = {"ga_session_id": session_id, "ga_session_number": number} | parameters
    transaction, revenue = more.get("order", (None, None))
    campaign = {"default_channel_group": channel} if channel else None
    return {
        "event_date": f"{moment:%Y%m%d}",
        "event_timestamp": int(moment.timestamp() * 1_000_000),
        "event_name": name,
        "event_params": [{"key": key, "value": _value(v)} for key, v in parameters.items()],
        "user_pseudo_id": user,
        "device": {"category": device},
        "geo": {"country": country},
        "session_traffic_source_last_click": {"cross_channel_campaign": campaign},
        "ecommerce": {"transaction_id": transaction, "purchase_revenue": revenue},
        "items": more.get("items", []),
    }


def _value(value: str | float) -> dict:
    kinds = {str: "string_value", int: "int_value", float: "double_value"}
    return {kinds[type(value)]: value}


class Shop:
    """Asks a served shop through Google's clients, and lays answers out as plain text."""

    def __init__(self, endpoint: str) -> None:
        channel = grpc.insecure_channel(endpoint, [("grpc.max_receive_message_length", -1)])
        transport = BetaAnalyticsDataGrpcTransport(channel=channel)
        self.client = BetaAnalyticsDataClient(transport=transport)
        self.alpha = AlphaAnalyticsDataClient(
            transport=AlphaAnalyticsDataGrpcTransport(channel=channel)
        )

    def report(self, dimensions: str = "", metrics: str = "", **more: object) -> Any:
        """The raw response of a report; fields are words of a text, dates both days by default."""
        days = [ga4.DateRange(start_date="2026-03-10", end_date="2026-03-11")]
        request = {"property": PROPERTY, "date_ranges": days} | more
        return self.client.run_report(
            ga4.RunReportRequest(
                dimensions=[ga4.Dimension(name=name) for name in dimensions.split()],
                metrics=[ga4.Metric(name=name) for name in metrics.split()],
                **request,
            )
        )._pb

    def rows(self, dimensions: str = "", metrics: str = "", **more: object) -> set[tuple]:
        """The rows of a report as tuples of text, dimensions first."""
        return {values(row) for row in self.report(dimensions, metrics, **more).rows}


def values(row: Any) -> tuple[str, ...]:
    """A row's dimensions and metrics as text."""
    return tuple(one.value for one in (*row.dimension_values, *row.metric_values))


@contextmanager
def served_shop(folder: Path) -> Iterator[Shop]:
    """The hand-made shop behind a running emulator whose clock stands at `NOW`."""
    with serve([write_shop(folder)], now=lambda: NOW, exact=True) as emulator:
        yield Shop(emulator.endpoint)
