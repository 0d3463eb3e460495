"""What a request is matched by: its method, property, fields, events, page and dates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pipelines.emulator.server.dates import DateRange, read_date_ranges
from pipelines.emulator.server.errors import ApiError
from pipelines.emulator.server.faults.matching import When
from pipelines.emulator.server.validate import DEFAULT_LIMIT, MAX_LIMIT


@dataclass(frozen=True)
class Facts:
    """A request as rules see it. `events` are the names its filters and funnel steps mention."""

    method: str
    property_id: str
    now: datetime
    dimensions: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    events: frozenset[str] = frozenset()
    date_ranges: tuple[DateRange, ...] = ()
    limit: int = DEFAULT_LIMIT
    offset: int = 0

    def match(self, when: When) -> bool:
        """Whether everything a rule says is true of this request, its number apart."""
        return (
            (when.method is None or self.method in when.method)
            and (when.property_id is None or self.property_id in when.property_id)
            and (when.since is None or self.now >= when.since)
            and (when.until is None or self.now < when.until)
            and (when.limit_above is None or self.limit > when.limit_above)
            and (when.offset_above is None or self.offset > when.offset_above)
            and self._match_fields(when)
        )

    def _match_fields(self, when: When) -> bool:
        exact = when.exact_dimensions
        return (
            (when.dimensions is None or set(when.dimensions) <= set(self.dimensions))
            and (exact is None or sorted(exact) == sorted(self.dimensions))
            and (when.metrics is None or set(when.metrics) <= set(self.metrics))
            and (when.events is None or not self.events.isdisjoint(when.events))
            and (
                when.dates is None
                or any(when.dates.touches(one.start, one.end) for one in self.date_ranges)
            )
        )


def request_facts(method: str, property_id: str, request: Any, now: datetime, today: date) -> Facts:
    """The facts of any raw request; what its kind has not stays empty."""
    names = {one.name for one in request.DESCRIPTOR.fields}
    ranges: tuple[DateRange, ...] = ()
    if "date_ranges" in names:
        # A range that cannot be read is refused a little later.
        with suppress(ApiError):
            ranges = read_date_ranges(request.date_ranges, today)
    dimensions = [one.name for one in request.dimensions] if "dimensions" in names else []
    for split, dimension in (
        ("funnel_breakdown", "breakdown_dimension"),
        ("funnel_next_action", "next_action_dimension"),
    ):
        if split in names and request.HasField(split):
            dimensions.append(getattr(getattr(request, split), dimension).name)
    limit = request.limit if "limit" in names else 0
    return Facts(
        method=method,
        property_id=property_id,
        now=now,
        dimensions=tuple(dimensions),
        metrics=tuple(one.name for one in request.metrics) if "metrics" in names else (),
        events=frozenset(_events(request)),
        date_ranges=ranges,
        limit=min(limit or DEFAULT_LIMIT, MAX_LIMIT),
        offset=request.offset if "offset" in names else 0,
    )


def _events(message: Any) -> Iterator[str]:
    """Event names anywhere in a message: funnel event filters, and filters on `eventName`."""
    names = {one.name for one in message.DESCRIPTOR.fields}
    if "event_name" in names:
        yield message.event_name
    if "field_name" in names and message.field_name == "eventName":
        yield message.string_filter.value
        yield from message.in_list_filter.values
    for one, value in message.ListFields():
        if one.message_type is not None:
            for part in [value] if hasattr(value, "DESCRIPTOR") else value:
                yield from _events(part)
