"""What a side is to do, and how it tells what it counted and what that cost. No imports of ours."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# Event parameters that a landed day of the default tracking plan has, or that are made into what
# it has.
PARAMETERS = (
    "ga_session_number", "session_engaged", "engagement_time_msec", "page_location", "source",
    "medium", "campaign", "transaction_id", "value", "exp_variant_string", "page_type",
    "payment_type", "percent_scrolled",
)  # fmt: skip
# Flat column → its place in the export, beside them.
FIELDS = {
    "country": "geo.country",
    "device": "device.category",
    "is_active": "is_active_user",
    "order_id": "ecommerce.transaction_id",
    "revenue": "ecommerce.purchase_revenue",
    "manual_source": "collected_traffic_source.manual_source",
    "manual_medium": "collected_traffic_source.manual_medium",
    "manual_campaign": "collected_traffic_source.manual_campaign_name",
    **{
        name: f"session_traffic_source_last_click.cross_channel_campaign.{field}"
        for name, field in (
            ("channel", "default_channel_group"), ("session_source", "source"),
            ("session_medium", "medium"), ("session_campaign", "campaign_name"),
        )
    },
}  # fmt: skip


@dataclass(frozen=True)
class Task:
    """The raw files (a glob), where to land them ("" for `bare`), how many of the last days Sluice
    counts, the first day of the funnel (YYYYMMDD), and the event name of each of its steps.
    """

    files: str
    landed: str
    days: int
    funnel_from: str
    steps: list[str]


def task() -> Task:
    """The one that the command line holds."""
    return Task(**json.loads(sys.argv[1]))


def tell(
    reach: Iterable[Iterable[object]],
    sessions: Iterable[Iterable[object]],
    users_reached: list[int],
    sessions_reached: list[int],
    *,
    also: tuple[int, ...] = (),
) -> None:
    """Print the numbers, and CPU-seconds and peak kB of this process and of the processes `also`.

    `reach`: day, event, events, sessions. `sessions`: day, sessions.
    """
    cpu = time.process_time() + sum(map(_cpu, also))
    peak = sum(map(_peak, ("self", *map(str, also))))
    numbers = {
        "reach": sorted(map(list, reach)),
        "sessions": sorted(map(list, sessions)),
        "users_reached": users_reached,
        "sessions_reached": sessions_reached,
    }
    print(json.dumps({"cpu": cpu, "peak_kb": peak, "numbers": numbers}))


def _peak(process: str) -> int:
    # Not getrusage: a child's ru_maxrss starts at the size of the process that started it.
    text = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    assert found, text
    return int(found[1])


def _cpu(process: int) -> float:
    ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
