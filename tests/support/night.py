"""A night's ingestion over the wire, for tests: a server with a small shop, and what was stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from pipelines.clock import pin_clock
from pipelines.config.settings import Ga4, Property, Settings
from pipelines.config.tracking_plan import (
    Funnel,
    FunnelStep,
    MicroConversion,
    ParameterCondition,
    Segment,
    TrackingPlan,
)
from pipelines.ga4.client import Ga4Client, connect
from pipelines.ga4.rate_limit import NIGHTLY, Governor
from pipelines.ga4.report_catalog import ReportSpec, build_reports
from pipelines.ingest.day_window import DayWindow
from pipelines.ingest.ingest_run import Outcome, Run, ingest
from pipelines.warehouse.connect import build_database
from tests.support.hand_clock import MORNING, HandClock
from tests.support.protocol_server import ProtocolServer, Row, asks_for, serving

ALL_REPORTS = build_reports(
    TrackingPlan(
        (
            MicroConversion("purchase", ("purchase",), ()),
            MicroConversion("video", ("video_start", 'it\'s 100% "video"'), ()),
            MicroConversion(
                "scroll_50", ("scroll",), (ParameterCondition("percent_scrolled", ">=", "50"),)
            ),
        ),
        (Segment("all", None), Segment("device", "deviceCategory")),
    )
)
# The seven that SHOP has rows for.
_NOT_IN_SHOP = {"pages", "page_events", "page_micro", "item_lists", "event_params"}
REPORTS = tuple(
    spec for spec in ALL_REPORTS if spec.kind == "daily" and spec.name not in _NOT_IN_SHOP
)
# Reports of methods that a server may lack.
FUNNEL_REPORTS = tuple(
    spec
    for spec in build_reports(TrackingPlan((), (), (Funnel("core", (FunnelStep(0, None),)),)))
    if spec.kind in {"funnel", "next_action", "metadata"}
)
WINDOW = DayWindow(date(2026, 3, 1), date(2026, 3, 2))
# 3 March 01:00 in Auckland, 2 March in Los Angeles.
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
# The composite keys have the same dimensions, so a metric tells the report.
BY_DEVICE = asks_for("date", "deviceCategory", metric="engagedSessions")


def sessions(day: int, device: str | None, count: int) -> Row:
    row = {
        "date": f"202603{day:02}", "sessions": str(count), "engagedSessions": str(count // 2),
        "screenPageViews": str(3 * count), "userEngagementDuration": "12.5",
        "transactions": "1", "purchaseRevenue": "19.9",
    }  # fmt: skip
    return row if device is None else {**row, "deviceCategory": device}


def events(day: int, name: str, device: str | None, count: int) -> Row:
    row = {"date": f"202603{day:02}", "eventName": name}
    numbers = {"eventCount": str(2 * count), "sessions": str(count)}
    return {**row, **numbers, **({} if device is None else {"deviceCategory": device})}


def micro(day: int, name: str, percent: str, count: int) -> Row:
    return {
        "date": f"202603{day:02}", "eventCount": str(2 * count), "sessions": str(count),
        "~eventName": name, "~customEvent:percent_scrolled": percent,
    }  # fmt: skip


def item(day: int, name: str, units: int) -> Row:
    metrics = ("itemsViewed", "itemsAddedToCart", "itemsCheckedOut", "itemsPurchased")
    return {
        "date": f"202603{day:02}", "itemId": f"SKU {name}", "itemName": name,
        **dict.fromkeys(metrics, str(units)), "itemRevenue": "49.5",
    }  # fmt: skip


SHOP = [
    sessions(1, None, 100), sessions(2, None, 110),
    sessions(1, "mobile", 60), sessions(1, "desktop", 40), sessions(2, "mobile", 110),
    events(1, "purchase", None, 5), events(2, "it's 100% \"video\"", None, 7),
    events(1, "purchase", "mobile", 2), events(1, "purchase", "desktop", 3),
    micro(2, "it's 100% \"video\"", "(not set)", 7), micro(2, "scroll", "90", 4),
    item(1, "Tee", 3), item(2, "(not set)", 1),
]  # fmt: skip


@dataclass
class Night:
    """A server and a home; `run` ingests WINDOW and returns what was stored."""

    server: ProtocolServer
    settings: Settings
    clock: HandClock
    count: int = 0

    def run(
        self,
        window: DayWindow = WINDOW,
        reports: tuple[ReportSpec, ...] = REPORTS,
        backfill_id: str | None = None,
    ) -> Outcome:
        self.count += 1
        run = Run(f"run{self.count}", "test", backfill_id)
        return ingest(self.settings, self.client(), reports, window, run)

    def client(self) -> Ga4Client:
        return connect(self.settings.ga4, Governor(NIGHTLY, self.clock))

    def at(self, moment: datetime) -> None:
        """Whatever day it really is: in this home it is `moment`."""
        pin_clock(self.settings.home, moment, ["42", "43"])

    def configure(self, *properties: Property) -> None:
        self.settings = self.settings.model_copy(update={"properties": properties})

    def query(self, text: str) -> list[tuple]:
        with build_database(self.settings.build_db, read_only=True) as connection:
            return connection.execute(text).fetchall()

    def by_device(self, property_id: str = "42") -> list[tuple]:
        return self.query(
            "select date, device_category, sessions from raw.ga4_sessions_by_device "
            f"where property_id = '{property_id}' order by all"
        )


@contextmanager
def open_night(home: Path) -> Iterator[Night]:
    """Property 42 with SHOP behind it."""
    with serving() as server:
        server.put("42", SHOP)
        settings = Settings(
            home=home,
            ga4=Ga4(endpoint=server.endpoint),
            properties=(Property(id="42", name="Main"),),
        )
        night = Night(server, settings, HandClock())
        night.at(MORNING)
        yield night


MOBILE_AND_DESKTOP = [
    (date(2026, 3, 1), "desktop", 40),
    (date(2026, 3, 1), "mobile", 60),
    (date(2026, 3, 2), "mobile", 110),
]
