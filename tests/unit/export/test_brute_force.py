"""Thirty thousand random sessions, with ties, repeats and disorder, against plain Python.

One example is two days of three thousand sessions: as Parquet, as JSON, as files of both.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipelines.export.source import ExportSource
from tests.unit.export import reference
from tests.unit.export.reference import Event, parameter
from tests.unit.export.writing import DAY, PLAN, event, opened, rows_of, value_of, write

pytestmark = pytest.mark.slow

EXAMPLES, SESSIONS = 10, 3000
NEXT = DAY + timedelta(days=1)
NAMES = ("session_start", "view_item", "add_to_cart", "scroll", "purchase", "page_view")
SEGMENTS = {
    "all": ("all", None),
    "device": ("device", "device_category"),
    "channel": ("channel", "session_default_channel_group"),
    "visitor": ("visitor", "new_vs_returning"),
    "landing_page": ("landing_page", "landing_page"),
}


@dataclass(frozen=True)
class Shape:
    """How a shop's sessions are drawn. `ticks`: different moments a session has, at most."""

    seed: int
    users: int
    events: int
    ticks: int
    orders: int
    unknown: float
    over_midnight: float
    repeated: float
    files: tuple[str, ...]


SHAPES = st.builds(
    Shape,
    seed=st.integers(0, 2**32),
    users=st.sampled_from([30, 600, 3000]),
    events=st.integers(1, 8),
    ticks=st.sampled_from([1, 3, 20, 1000]),
    orders=st.sampled_from([1, 40, 4000]),
    unknown=st.sampled_from([0.0, 0.1, 0.6]),
    over_midnight=st.sampled_from([0.0, 0.2]),
    repeated=st.sampled_from([0.0, 0.05]),
    files=st.sampled_from(
        [("a.parquet",), ("a.ndjson",), ("a.parquet", "b.parquet"), ("a.ndjson.gz", "b.parquet")]
    ),
)


def drawn(shape: Shape) -> list[Event]:
    """Events of SESSIONS sessions in any order, none of them equal to another."""
    rng = random.Random(shape.seed)
    found: list[Event] = []
    for session in range(SESSIONS):
        user, device = f"u{rng.randrange(shape.users)}", f"device {rng.randrange(25)}"
        # A number of one user may be that of another.
        number = None if rng.random() < shape.unknown / 4 else session // 2
        first = rng.choice((DAY, NEXT))
        start = rng.randrange(50) * 60
        for place in range(rng.randint(1, shape.events)):
            later = first == DAY and rng.random() < shape.over_midnight
            at = (start + rng.randrange(shape.ticks)) * 1.0 - (40_000 if later else 0)
            found.append(_event(rng, shape, (session, place), user, number, device, at,
                                NEXT if later else first))  # fmt: skip
    rng.shuffle(found)
    return found


def _event(
    rng: random.Random, shape: Shape, which: tuple[int, int], user: str, number: int | None,
    device: str, at: float, day: Any,
) -> Event:  # fmt: skip
    def maybe(value: Any) -> Any:
        return None if rng.random() < shape.unknown else value

    name = rng.choice(NAMES)
    told = {
        "ga_session_number": maybe(rng.randint(1, 3)),
        "page_location": maybe(f"https://s.example/{rng.randrange(4)}?x={rng.randrange(3)}"),
        "session_engaged": maybe(rng.choice("01")),
        "percent": maybe(rng.choice((25, 50, 90))),
        # That no event is a duplicate of another.
        "which": f"{which}",
    }
    known = {key: value for key, value in told.items() if value is not None}
    row = event(name, at=at, user=user, session=None, day=day, **known)
    if number is not None:
        row["event_params"].append({"key": "ga_session_id", "value": value_of(number)})
    if rng.random() < shape.unknown:
        device = "other device"
    row["device"] = {"category": maybe(device)}
    group = maybe(rng.choice(("Direct", "Paid Search", "Email")))
    row["session_traffic_source_last_click"] = {
        "cross_channel_campaign": {"default_channel_group": group}
    }
    if name == "purchase":
        order = rng.choice((None, "", "(not set)", *[f"t{rng.randrange(shape.orders)}"] * 7))
        row["ecommerce"] = {
            "transaction_id": order, "purchase_revenue": maybe(rng.randrange(1, 9) / 4),
        }  # fmt: skip
    return row


def landed(folder: Path, shape: Shape, events: Sequence[Event]) -> tuple[ExportSource, list[Event]]:
    """The shop through its files; and its events as they lie there, repeats left out."""
    laid = []
    for day in (DAY, NEXT):
        own = [one for one in events if one["event_date"] == f"{day:%Y%m%d}"]
        size = -(-len(own) // len(shape.files))
        for number, name in enumerate(shape.files):
            part = own[number * size : (number + 1) * size]
            laid += part
            again = part[: int(len(part) * shape.repeated)]
            write(folder / "export" / f"events_{day:%Y%m%d}_{name}", [*part, *again])
    source = opened(folder, folder / "export")
    source.land(DAY, NEXT)
    assert source.failed == {}
    repeats = sum(one.duplicates for one in source.landed.values())
    assert (repeats > 0) == (shape.repeated > 0)
    return source, reference.read(laid)


def counted(source: ExportSource, report: str, column: str | None) -> dict[tuple[Any, ...], Any]:
    """(day, event if it is by event, value) → the first two counts."""
    found: dict[tuple[Any, ...], Any] = {}
    for row in rows_of(source, report, DAY, NEXT):
        day, value = f"{row['date']:%Y%m%d}", row[column] if column else "all"
        if "event_name" in row:
            found[day, row["event_name"], value] = (row["event_count"], row["sessions"])
        elif row["sessions"]:
            found[day, value] = (row["sessions"], row["engaged_sessions"])
    return found


def steps_of(name: str) -> list[reference.Test]:
    """The plan's funnels once more, in Python."""

    def named(*names: str) -> reference.Test:
        return lambda one: one["event_name"] in names

    def scrolled(one: Event) -> bool:
        return one["event_name"] == "scroll" and int(parameter(one, "percent") or 0) >= 50

    view = named("view_item")
    funnels = {
        "core": [named("session_start"), view, named("add_to_cart"), named("purchase")],
        "read": [view, scrolled, view],
    }
    return funnels[name]


@settings(max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(shape=SHAPES)
def test_random_sessions_are_counted_as_plain_python_counts_them(shape: Shape) -> None:
    with TemporaryDirectory() as folder:
        source, events = landed(Path(folder), shape, drawn(shape))
        sessions = reference.attributes(events)
        for name, (suffix, column) in SEGMENTS.items():
            expected: Any = reference.sessions_by(events, name, sessions)
            assert counted(source, f"sessions_by_{suffix}", column) == expected
            assert counted(source, f"events_by_{suffix}", column) == reference.reach_by(
                events, name, sessions
            )
        assert {
            f"{row['date']:%Y%m%d}": (row["transactions"], row["purchase_revenue"])
            for row in rows_of(source, "sessions_by_all", DAY, NEXT)
            if row["transactions"]
        } == reference.orders(events)
        reached = _reached(source)
        for funnel in PLAN.funnels:
            for window, own in {
                ("28d", NEXT): events,
                ("1d", DAY): _of(events, DAY),
                ("1d", NEXT): _of(events, NEXT),
            }.items():
                assert reached[funnel.name, *window] == reference.funnel(own, steps_of(funnel.name))


def _of(events: Sequence[Event], day: Any) -> list[Event]:
    return [one for one in events if one["event_date"] == f"{day:%Y%m%d}"]


def _reached(source: ExportSource) -> dict[tuple[Any, ...], dict[str, list[int]]]:
    found: dict[tuple[Any, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    rows = rows_of(source, "funnel", DAY, NEXT)
    for row in sorted(rows, key=lambda row: row["step_number"]):
        cell = row["funnel"], row["window_name"], row["date"]
        found[cell][row["device_category"]].append(row["active_users"])
    return {cell: dict(values) for cell, values in found.items()}
