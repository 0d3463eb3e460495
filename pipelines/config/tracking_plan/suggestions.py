"""Events that no row of the plan counts, but that look like one that does: what to write for them.

The one rule for `sluice doctor`, which asks GA4, and for marts.fct_event_suggestion, whose dbt
model calls `suggestion_rows.suggest_rows`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pipelines.config.tracking_plan.event_names import AUTOMATIC, is_plain, looks_like

_PLAIN = re.compile(r"[A-Za-z_]\w{3,}")


@dataclass(frozen=True)
class Suggestion:
    """`event` came `count` times and looks like `looks_like`, which `keys` count.

    `lines`: what to put under micro_conversions in tracking_plan.yml, one line a key; it also
    takes the other events that look like the same key.
    """

    event: str
    count: int
    looks_like: str
    keys: tuple[str, ...]
    lines: tuple[str, ...]

    @property
    def words(self) -> str:
        """One question."""
        return f"`{self.event}` seen {self.count:,} times: alias of {self.looks_like}?"


def unknown_events(counts: Mapping[str, int], known: Collection[str]) -> dict[str, int]:
    """Events that neither the plan nor GA4 itself knows, the most frequent first."""
    names = sorted(counts, key=lambda name: (-counts[name], name))
    return {name: counts[name] for name in names if name not in known and name not in AUTOMATIC}


def suggest(
    counts: Mapping[str, int], keys: Mapping[str, tuple[str, ...]]
) -> tuple[Suggestion, ...]:
    """`counts`: unknown event → how often it came; `keys`: key → the event names it counts."""
    users: dict[str, list[str]] = {}
    for key, names in keys.items():
        for name in names:
            users.setdefault(name, []).append(key)
    found = {
        event: known
        for event in counts
        if is_plain(event) and (known := looks_like(event, users)) is not None
    }
    new_names: dict[str, list[str]] = {}
    for event, known in found.items():
        for key in users[known]:
            new_names.setdefault(key, list(keys[key])).append(event)
    return tuple(
        Suggestion(
            event,
            counts[event],
            known,
            tuple(users[known]),
            tuple(_line(key, new_names[key]) for key in users[known]),
        )
        for event, known in found.items()
    )


def _line(key: str, names: Collection[str]) -> str:
    return f"{key}: {{event_names: [{', '.join(map(_quoted, names))}]}}"


def _quoted(name: str) -> str:
    """As YAML reads it back: in quotes unless it is a plain word (`no`, `on` and 1 are not)."""
    return name if _PLAIN.fullmatch(name) and name.lower() not in {"true", "false", "null"} else (
        json.dumps(name, ensure_ascii=False)
    )  # fmt: skip
