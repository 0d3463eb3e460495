"""An answer of the Data Export API as rows. What is not as documented is refused, never guessed.

Names of metrics and keys come in several spellings, counts as text, pages as whole addresses of
which only the path is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.sources.clarity.tables import ALL_PAGES, SIGNALS, TRAFFIC
from pipelines.sources.contract import SourceError
from pipelines.sources.device_names import ALL, UNKNOWN, device_name
from pipelines.sources.page_path import page_path

# An answer has no further page: one with so many rows of a metric may lack others.
MOST_ROWS = 1_000
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]+)?")
_WHOLE_PERCENT = 100


@dataclass
class Counts:
    """What was counted of one page, device and signal, over all addresses of the page."""

    sessions: int = 0
    sessions_with_signal: int | None = None
    page_views: int | None = None
    occurrences: int | None = None
    bot_sessions: int | None = None
    # Depth × sessions: the mean over addresses is weighted by their sessions.
    depth_sum: float = 0.0
    depth_sessions: int = 0

    def add(self, **more: int) -> None:
        """Of another address of the same page."""
        for name, value in more.items():
            setattr(self, name, (getattr(self, name) or 0) + value)


@dataclass(frozen=True)
class Answered:
    """Rows of one answer: columns of the raw table without the window."""

    rows: list[dict[str, Any]]
    is_complete: bool
    without_page: int = 0


@dataclass
class _Pages:
    """Counts by page, device and signal."""

    by_page: bool
    counts: dict[tuple[str, str, str], Counts] = field(default_factory=dict)
    without_page: int = 0

    def of(self, row: Mapping[str, Any], signal: str, metric: str) -> Counts | None:
        """The counts that a row belongs to; None where it has no page."""
        if not self.by_page:
            key = (ALL_PAGES, ALL, signal)
        else:
            address, device = _place(row)
            path = page_path(address) if isinstance(address, str) else None
            if path is None:
                self.without_page += 1
                return None
            if not isinstance(device, str):
                raise _wrong(f"a row of {metric} has no Device")
            key = (path, device_name(device or UNKNOWN), signal)
        return self.counts.setdefault(key, Counts())


def read_answer(body: bytes, *, by_page: bool) -> Answered:
    """The rows; raises SourceError for what is no answer. `by_page`: it was asked by URL and
    Device, and so each row has both.
    """
    metrics = _metrics(body)
    pages = _Pages(by_page)
    for metric, signal in SIGNALS.items():
        for row in metrics.get(metric, ()):
            _add_signal(pages, row, signal, metric)
    for row in metrics["traffic"]:
        found = pages.of(row, TRAFFIC, "traffic")
        if found is not None:
            found.add(
                sessions=_count(row, "totalsessioncount", "traffic"),
                bot_sessions=_count(row, "totalbotsessioncount", "traffic"),
            )
    _add_depths(pages, metrics)
    rows = [
        {
            "page_path": path,
            "device": device,
            "signal": signal,
            "sessions": one.sessions,
            "sessions_with_signal": one.sessions_with_signal,
            "page_views": one.page_views,
            "occurrences": one.occurrences,
            "bot_sessions": one.bot_sessions,
            "scroll_depth": one.depth_sum / one.depth_sessions if one.depth_sessions else None,
        }
        for (path, device, signal), one in sorted(pages.counts.items())
    ]
    return Answered(rows, max(map(len, metrics.values())) < MOST_ROWS, pages.without_page)


def _metrics(body: bytes) -> dict[str, list[dict[str, Any]]]:
    """Metric → rows, both by their names in small letters."""
    if not body.strip():
        raise _wrong("it was empty, as for a dimension that there is not")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise _wrong("it is no JSON") from None
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        raise _wrong("it is no list of metrics")
    found: dict[str, list[dict[str, Any]]] = {}
    for one in content:
        plain = _plain(one)
        name, rows = plain.get("metricname"), plain.get("information")
        if not isinstance(name, str) or not _are_rows(rows):
            raise _wrong("a metric has no name or no list of rows")
        metric = name.replace(" ", "").casefold()
        if metric in found:
            raise _wrong("a metric is there twice")
        found[metric] = [_plain(row) for row in rows or []]
    if not found.get("traffic"):
        raise SourceError(
            "Clarity has no visit of these hours: see in Clarity that its tag still records.",
            is_general=True,
        )
    return found


def _are_rows(rows: Any) -> bool:
    return rows is None or (isinstance(rows, list) and all(isinstance(row, dict) for row in rows))


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Keys in small letters, of which none is there twice."""
    found = {str(key).casefold(): value for key, value in row.items()}
    if len(found) < len(row):
        raise _wrong("a key is there in two spellings")
    return found


def _add_signal(pages: _Pages, row: Mapping[str, Any], signal: str, metric: str) -> None:
    found = pages.of(row, signal, metric)
    if found is None:
        return
    sessions = _count(row, "sessionscount", metric)
    percent = _percent(row, "sessionswithmetricpercentage", metric)
    found.add(
        sessions=sessions,
        sessions_with_signal=round(sessions * percent / _WHOLE_PERCENT),
        page_views=_count(row, "pagesviews", metric),
        occurrences=_count(row, "subtotal", metric),
    )


def _add_depths(pages: _Pages, metrics: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
    """Each address' depth by the sessions that it has in `traffic`."""
    sessions = {
        _place(row): _count(row, "totalsessioncount", "traffic") for row in metrics["traffic"]
    }
    for row in metrics.get("scrolldepth", ()):
        number = sessions.get(_place(row))
        found = pages.of(row, TRAFFIC, "scrolldepth") if number else None
        if found is not None and number:
            found.depth_sum += _percent(row, "averagescrolldepth", "scrolldepth") * number
            found.depth_sessions += number


def _place(row: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Address and device, where they are texts."""
    url, device = (
        value if isinstance(value := row.get(name), str) else None for name in ("url", "device")
    )
    return url, device


def _percent(row: Mapping[str, Any], key: str, metric: str) -> float:
    percent = _number(row, key, metric)
    if percent > _WHOLE_PERCENT:
        raise _wrong(f"{key} of {metric} is above 100")
    return percent


def _count(row: Mapping[str, Any], key: str, metric: str) -> int:
    number = _number(row, key, metric)
    if number % 1:
        raise _wrong(f"{key} of {metric} is no whole number")
    return int(number)


def _number(row: Mapping[str, Any], key: str, metric: str) -> float:
    value = row.get(key)
    text = str(value).strip()
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        raise _wrong(f"{key} of {metric} is {'missing' if value is None else 'no number'}")
    return float(text)


def _wrong(what: str) -> SourceError:
    return SourceError(
        f"Clarity's answer cannot be used ({what}): what was fetched before stays; the next night "
        "calls again.",
        is_general=True,
    )
