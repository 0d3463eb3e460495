"""Small exports for tests: rows in the shape of BigQuery's tables, written as files of any kind."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.clock import Clock
from pipelines.config.settings import Property
from pipelines.config.tracking_plan import (
    Funnel,
    FunnelStep,
    MicroConversion,
    ParameterCondition,
    Segment,
    TrackingPlan,
)
from pipelines.export.engine import Engine
from pipelines.export.source import ExportSource
from pipelines.ga4.report_catalog import ReportSpec, build_reports
from tests.support.emulated_shop import SCHEMA

DAY = date(2026, 3, 10)
Row = dict[str, Any]

VIEW = MicroConversion("product_view", ("view_item",), ())
CART = MicroConversion("add_to_cart", ("add_to_cart",), ())
ORDER = MicroConversion("purchase", ("purchase",), ())
SCROLL = MicroConversion("scroll", ("scroll",), (ParameterCondition("percent", ">=", "50"),))
PLAN = TrackingPlan(
    (VIEW, CART, ORDER, SCROLL),
    (
        Segment("all", None),
        Segment("device", "deviceCategory"),
        Segment("channel", "sessionDefaultChannelGroup"),
        Segment("visitor", "newVsReturning"),
        Segment("landing_page", "landingPage"),
    ),
    (
        Funnel(
            "core",
            (FunnelStep(0, None), FunnelStep(1, VIEW), FunnelStep(2, CART), FunnelStep(3, ORDER)),
        ),
        Funnel("read", (FunnelStep(0, VIEW), FunnelStep(1, SCROLL), FunnelStep(2, VIEW))),
    ),
)
REPORTS = {spec.name: spec for spec in build_reports(PLAN)}


def event(
    name: str,
    *,
    at: float = 0,
    user: str | None = "u1",
    session: int | None = 1,
    day: date = DAY,
    more: Row | None = None,
    **parameters: str | float,
) -> Row:
    """A row of `day`, `at` seconds after its noon (UTC); `more` replaces whole columns."""
    moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
    known = {} if session is None else {"ga_session_id": session, "ga_session_number": 1}
    return {
        "event_date": f"{day:%Y%m%d}",
        "event_timestamp": int((moment + at) * 1_000_000),
        "event_name": name,
        "event_params": [
            {"key": key, "value": value_of(value)} for key, value in (known | parameters).items()
        ],
        "user_pseudo_id": user,
        "device": {"category": "mobile"},
        "geo": {"country": "Austria"},
        "session_traffic_source_last_click": {
            "cross_channel_campaign": {"default_channel_group": "Direct"}
        },
        "ecommerce": None,
        "items": [],
    } | (more or {})


def order(number: str | None, revenue: float | None, **more: Any) -> Row:
    """A purchase; `more` is what `event` takes."""
    told = {"transaction_id": number, "purchase_revenue": revenue}
    return event("purchase", **more) | {"ecommerce": told}


def value_of(value: str | float) -> Row:
    """As a parameter has it."""
    empty = dict.fromkeys(("string_value", "int_value", "float_value", "double_value"))
    kinds = {str: "string_value", int: "int_value", float: "double_value"}
    return empty | {kinds[type(value)]: value}


def write(path: Path, rows: Sequence[Row], schema: pa.Schema | None = SCHEMA) -> Path:
    """Rows as Parquet, newline JSON, or gzip of it, as the name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows), schema), path)
        return path
    text = "".join(json.dumps(row) + "\n" for row in rows)
    with gzip.open(path, "wt") if path.suffix == ".gz" else path.open("w") as file:
        file.write(text)
    return path


def opened(
    home: Path, path: Path | str, property_id: str = "42", engine: Engine | None = None
) -> ExportSource:
    """The export at `path` as a source, landed below `home`."""
    item = Property(
        id=property_id, source="export", path=str(path), time_zone="UTC", currency="EUR"
    )
    return ExportSource.open(home / "landed", item, REPORTS.values(), engine)


def rows_of(source: ExportSource, report: str, start: date = DAY, end: date = DAY) -> list[Row]:
    """A report of the landed days, counted, its own columns only."""
    spec: ReportSpec = REPORTS[report]
    pulled = source.pull(spec, start, end, clock=Clock())
    return pulled.rows.select(spec.own_columns).to_pylist()
