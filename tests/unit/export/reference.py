"""What the export's numbers are, in plain Python: dictionaries and loops over rows.

From the definitions of docs/analytics.md alone. Slow on purpose: nothing here is shared with what
it judges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

Event = dict[str, Any]
NOT_SET = "(not set)"
Test = Callable[[Event], bool]


def read(events: Iterable[Event]) -> list[Event]:
    """The events with their parameters by name: of each name the first value."""
    found = []
    for event in events:
        told: Event = {}
        for one in event["event_params"]:
            values = [value for value in one["value"].values() if value is not None]
            told.setdefault(one["key"], values[0] if values else None)
        number = told.get("ga_session_id")
        # A session is a user and a number.
        session = None if number is None else (event["user_pseudo_id"], str(number))
        found.append({**event, "told": told, "session": session})
    return found


def parameter(event: Event, name: str) -> Any:
    """The first value of that name."""
    return event["told"].get(name)


def in_order(events: Iterable[Event]) -> list[Event]:
    """By time; events of one moment as they lie in the files."""
    return sorted(events, key=lambda event: event["event_timestamp"])


def attributes(events: Iterable[Event]) -> dict[tuple[Any, ...], Event]:
    """(day, session) → what it has as a whole: the first of each that its events have by that day.

    A day is not counted anew when the next one tells of its sessions what nobody knew.
    """
    by_day: dict[str, list[Event]] = defaultdict(list)
    for event in in_order(events):
        by_day[event["event_date"]].append(event)
    told: dict[Any, Event] = defaultdict(dict)
    found = {}
    for day in sorted(by_day):
        for event in by_day[day]:
            for name, value in _told(event).items():
                if value is not None:
                    told[event["session"]].setdefault(name, value)
        for event in by_day[day]:
            found[day, event["session"]] = dict(told[event["session"]])
    return found


def _told(event: Event) -> Event:
    campaign = (event["session_traffic_source_last_click"] or {}).get("cross_channel_campaign")
    page, number = parameter(event, "page_location"), parameter(event, "ga_session_number")
    return {
        "channel": (campaign or {}).get("default_channel_group"),
        "landing_page": None if page is None else urlsplit(page).path or "/",
        "visitor": None if number is None else "new" if int(number) == 1 else "returning",
    }


def segment(event: Event, name: str, sessions: dict[tuple[Any, ...], Event]) -> str:
    """The value of a segment at an event; sessions that say nothing, and events without one, are
    (not set).
    """
    if name == "all":
        return "all"
    if name == "device":
        return (event["device"] or {}).get("category") or NOT_SET
    session = event["session"]
    return (session and sessions[event["event_date"], session].get(name)) or NOT_SET


def sessions_by(
    events: Sequence[Event], name: str, sessions: dict[tuple[Any, ...], Event]
) -> dict[tuple[str, str], tuple[int, int]]:
    """(day, value) → sessions, and those that were engaged."""
    seen: dict[tuple[str, str], set[Any]] = defaultdict(set)
    engaged: dict[tuple[str, str], set[Any]] = defaultdict(set)
    for event in events:
        if event["session"]:
            cell = event["event_date"], segment(event, name, sessions)
            seen[cell].add(event["session"])
            if parameter(event, "session_engaged") == "1":
                engaged[cell].add(event["session"])
    return {cell: (len(found), len(engaged[cell])) for cell, found in seen.items()}


def reach_by(
    events: Sequence[Event], name: str, sessions: dict[tuple[Any, ...], Event]
) -> dict[tuple[str, str, str], tuple[int, int]]:
    """(day, event, value) → events, and sessions that have one of them."""
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    seen: dict[tuple[str, str, str], set[Any]] = defaultdict(set)
    for event in events:
        cell = event["event_date"], event["event_name"], segment(event, name, sessions)
        counts[cell] += 1
        if event["session"]:
            seen[cell].add(event["session"])
    return {cell: (count, len(seen[cell])) for cell, count in counts.items()}


def orders(events: Sequence[Event]) -> dict[str, tuple[int, float]]:
    """Day → orders and revenue: an order counts where it comes first, one without a name always."""
    known: set[str] = set()
    found: dict[str, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for event in sorted(events, key=lambda one: (one["event_date"], one["event_timestamp"])):
        told = event["ecommerce"]
        if event["event_name"] != "purchase" or (told or {}).get("transaction_id") in known:
            continue
        number = (told or {}).get("transaction_id")
        if number and number != NOT_SET:
            known.add(number)
        count, revenue = found[event["event_date"]]
        found[event["event_date"]] = (
            count + 1, revenue + ((told or {}).get("purchase_revenue") or 0.0),
        )  # fmt: skip
    return {day: (count, round(revenue, 6)) for day, (count, revenue) in found.items()}


def funnel(events: Sequence[Event], steps: Sequence[Test]) -> dict[str, list[int]]:
    """Device of the entry (and `all`) → users that reached each step.

    t_k is the first moment at or after t_(k−1) at which an event of step k was sent.
    """
    by_user: dict[str, list[Event]] = defaultdict(list)
    for event in in_order(events):
        by_user[event["user_pseudo_id"]].append(event)
    reached: dict[str, list[int]] = defaultdict(lambda: [0] * len(steps))
    for own in by_user.values():
        entry, moment = None, 0
        for place, is_step in enumerate(steps):
            found = next(
                (one for one in own if is_step(one) and one["event_timestamp"] >= moment), None
            )
            if found is None:
                break
            entry, moment = entry or found, found["event_timestamp"]
            for value in ("all", segment(entry, "device", {})):
                reached[value][place] += 1
    return dict(reached)
