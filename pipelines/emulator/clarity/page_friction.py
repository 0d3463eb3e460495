"""What Clarity would tell of a simulated shop: sessions by page and device, and friction.

The relation is closed, so that a test can work it out. Sessions of a page are shared among devices
as the shop's are; of them `USUAL` percent have each sign of friction, and `LEAKING` on the pages
and devices of a leak that is open on that day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.emulator.simulated_shop import SimulatedShop

SHOP = "https://www.demo-shop.example"
# Percent of the sessions of a page with each sign, and on what a leak is felt.
USUAL = {
    "DeadClickCount": 6,
    "RageClickCount": 1,
    "QuickbackClick": 8,
    "ExcessiveScroll": 2,
    "ScriptErrorCount": 2,
    "ErrorClickCount": 1,
}
LEAKING = {"RageClickCount": 30, "ErrorClickCount": 40}
# Step that leaks → how the paths begin on which its visitors are stopped.
PLACES = {
    "add_to_cart": ("/products/",),
    "checkout_start": ("/cart",),
    "purchase": ("/checkout/payment",),
    "email_capture": ("/",),
}
DEVICES = {"mobile": "Mobile", "desktop": "PC", "tablet": "Tablet"}
# One in five comes by an advertisement, whose address has a query; ids of advertisers are there,
# too, and a mail address.
QUERIES = ("", "?utm_source=news&email=jane%40mail.example&fbclid=IwAR0demo")
TAGGED_EVERY = 5


@dataclass(frozen=True)
class Friction:
    """`sessions`: (day, page) → sessions; `devices`: day → GA4's device → sessions."""

    sessions: Mapping[tuple[str, str], int]
    devices: Mapping[str, Mapping[str, int]]
    leaks: Sequence[Mapping[str, Any]]
    zone: ZoneInfo

    def answer(self, now: datetime, number: int, dimensions: Sequence[str]) -> list[dict[str, Any]]:
        """Metrics of the `number` whole days before `now`, by URL and Device or without either."""
        last = now.astimezone(self.zone).date() - timedelta(days=1)
        days = [str(last - timedelta(days=back)) for back in range(number)]
        cells = self._cells(days)
        if not dimensions:
            cells = {("", ""): _together(cells, sum(self._all(day) for day in days))}
        traffic = [
            {
                **_about(place),
                "totalSessionCount": str(one["sessions"]),
                "totalBotSessionCount": str(one["sessions"] // 10),
                "distinctUserCount": str(one["sessions"] * 9 // 10),
                "pagesPerSessionPercentage": 2.5,
            }
            for place, one in cells.items()
        ]
        depths = [{**_about(place), "averageScrollDepth": 41.5} for place in cells]
        return [
            *({"metricName": name, "information": _signs(cells, name)} for name in USUAL),
            {"metricName": "Traffic", "information": traffic},
            {"metricName": "ScrollDepth", "information": depths},
        ]

    def _all(self, day: str) -> int:
        return sum(self.devices.get(day, {}).values())

    def _cells(self, days: Sequence[str]) -> dict[tuple[str, str], dict[str, int]]:
        """(address, device) → sessions, and those with each sign."""
        cells: dict[tuple[str, str], dict[str, int]] = {}
        # What is left of a sign where its share of a page is no whole session goes to the next.
        left = dict.fromkeys(USUAL, 0)
        for (day, path), whole in self.sessions.items():
            if day not in days:
                continue
            for device, name in DEVICES.items():
                count = whole * self.devices[day].get(device, 0) // max(self._all(day), 1)
                percent = {**USUAL, **(LEAKING if self._leaks(day, path, device) else {})}
                counts = {"sessions": count}
                for sign, share in percent.items():
                    counts[sign], left[sign] = divmod(left[sign] + count * share, 100)
                for query, is_tagged in zip(QUERIES, (False, True), strict=True):
                    place = (f"{SHOP}{path}{query}", name)
                    cell = cells.setdefault(place, dict.fromkeys(counts, 0))
                    for what, number in counts.items():
                        tagged = number // TAGGED_EVERY
                        cell[what] += tagged if is_tagged else number - tagged
        return {place: cell for place, cell in sorted(cells.items()) if cell["sessions"]}

    def _leaks(self, day: str, path: str, device: str) -> bool:
        return any(
            leak["start_date"] <= day <= leak["end_date"]
            and path.startswith(PLACES[leak["step_key"]])
            and all(value == device for name, value in leak["scope"] if name == "device")
            for leak in self.leaks
        )


def read_friction(folder: Path) -> Friction:
    """From the truth beside simulated events; raises EmulatorError without one."""
    shop = SimulatedShop.read(folder)
    devices: dict[str, dict[str, int]] = {}
    for row in shop.rows("sessions", "device"):
        devices.setdefault(row["date"], {})[row["segment_value"]] = row["sessions"]
    sessions = {(row["date"], row["page_path"]): row["sessions"] for row in shop.rows("pages")}
    return Friction(sessions, devices, shop.truth["leaks"], shop.zone)


def _about(place: tuple[str, str]) -> dict[str, str]:
    address, device = place
    return {"Url": address, "Device": device} if address else {}


def _together(cells: Mapping[Any, Mapping[str, int]], sessions: int) -> dict[str, int]:
    """The whole project: every session once, and at most one sign of a kind in each."""
    signs = {name: sum(cell[name] for cell in cells.values()) for name in USUAL}
    return {"sessions": sessions, **{name: min(n, sessions) for name, n in signs.items()}}


def _signs(cells: Mapping[tuple[str, str], Mapping[str, int]], name: str) -> list[dict[str, Any]]:
    rows = []
    for place, cell in cells.items():
        share = 100 * cell[name] / cell["sessions"] if cell["sessions"] else 0.0
        rows.append(
            {
                **_about(place),
                "sessionsCount": str(cell["sessions"]),
                "sessionsWithMetricPercentage": round(share, 2),
                "sessionsWithoutMetricPercentage": round(100 - share, 2),
                "pagesViews": str(cell[name]),
                "subTotal": str(2 * cell[name]),
            }
        )
    return rows
