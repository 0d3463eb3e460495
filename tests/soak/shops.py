"""The shops of the soak: simulated once, read by every seed.

Two plain ones of different ages, one whose visitors send hostile names, and one most of whose
orders come without a session. What the simulator counted of them is the truth.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.emulator.simulator import simulate

# A Sunday: the night that ends on it pulls everything of the last weeks again.
LAST_DAY = date(2026, 6, 28)
# Any visitor can send these: measurement ids are public.
HOSTILE_EVENTS = (
    "all", "(all)", "RESERVED_TOTAL", "(other)", "(not set)", "sessions", "", "=HYPERLINK(1)",
    "'; drop table raw; --", "{{ run_started_at }}", "<script>alert(1)</script>", "%s {0} {x}",
    "Größe\u202e", "a" * 300,
)  # fmt: skip
HOSTILE_COUNTRY = '=1+1"; <b>{{ x }}</b>'
RENAMED_COUNTRY = "Austria"


@dataclass(frozen=True)
class Shop:
    """A property and how it is simulated. `mend`: what is done to the files of events."""

    property_id: str
    days: int
    sessions_per_day: int
    scenario: str = "none"
    mend: Callable[[pa.Table], pa.Table] | None = None

    def folder(self, folder: Path) -> Path:
        """Where its events lie."""
        return folder / self.property_id


def hostile_names(events: pa.Table) -> pa.Table:
    """A page view in twenty is followed by an event of a hostile name, and one country has one."""
    geo, place = events["geo"].combine_chunks(), events.schema.get_field_index("geo")
    country = pc.struct_field(geo, "country")
    is_renamed = pc.equal(country, RENAMED_COUNTRY)
    fields = [pc.struct_field(geo, field.name) for field in geo.type]
    fields[geo.type.get_field_index("country")] = pc.if_else(is_renamed, HOSTILE_COUNTRY, country)
    renamed = pa.StructArray.from_arrays(fields, fields=list(geo.type))
    events = events.set_column(place, events.schema.field(place), renamed)
    views = events.filter(pc.equal(events["event_name"], "page_view"))
    copies = views.take(pa.array(range(0, views.num_rows, 20), pa.int64()))
    names = [HOSTILE_EVENTS[row % len(HOSTILE_EVENTS)] for row in range(copies.num_rows)]
    place = events.schema.get_field_index("event_name")
    copies = copies.set_column(place, events.schema.field(place), pa.array(names, pa.string()))
    return pa.concat_tables([events, copies])


SHOPS = (
    Shop("100000001", days=31, sessions_per_day=60),
    Shop("100000002", days=14, sessions_per_day=120),
    Shop("100000003", days=31, sessions_per_day=60, mend=hostile_names),
    Shop("100000004", days=20, sessions_per_day=90, scenario="server_side_orders"),
)


def simulate_all(folder: Path) -> None:
    """Every shop up to LAST_DAY, each with a seed of its own."""
    for seed, shop in enumerate(SHOPS, start=1):
        own = shop.folder(folder)
        simulate(
            own, start=LAST_DAY - timedelta(days=shop.days - 1), days=shop.days, seed=seed,
            scenario=shop.scenario, sessions_per_day=shop.sessions_per_day,
            property_id=shop.property_id,
        )  # fmt: skip
        if shop.mend:
            for path in own.glob("events_*.parquet"):
                pq.write_table(shop.mend(pq.read_table(path)), path)
        if shop.mend is hostile_names:
            _rename_in_truth(own / "truth.json")


def _rename_in_truth(path: Path) -> None:
    truth: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for table in truth.values():
        for row in table["rows"] if isinstance(table, dict) else ():
            row[:] = [HOSTILE_COUNTRY if value == RENAMED_COUNTRY else value for value in row]
    path.write_text(json.dumps(truth), encoding="utf-8")
