"""Coverage of the tracking plan: which keys came in the last 28 days, and what came instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.config.thresholds import threshold
from pipelines.config.tracking_plan.suggestions import Suggestion, suggest, unknown_events
from pipelines.monitoring.doctor.expected_keys import SHOP_FILE, PlannedKey
from pipelines.monitoring.doctor.probes import DAYS, EventAnswer
from pipelines.monitoring.doctor.step_model import Step, right, wrong

TRACKING = "tracking"
UNKNOWN_SHOWN = 10


@dataclass(frozen=True)
class Coverage:
    """The plan against what came; events that GA4 sends by itself are not `unknown`.

    A key with a parameter filter counts as come when its event came.
    """

    came: tuple[str, ...]
    missing: tuple[PlannedKey, ...]
    unknown: Mapping[str, int]
    aliases: tuple[Suggestion, ...]
    event_names: frozenset[str]

    @property
    def missing_expected(self) -> tuple[PlannedKey, ...]:
        """Keys that the plan expects of every shop, and that never came."""
        return tuple(key for key in self.missing if key.is_expected)


def assess_coverage(keys: Sequence[PlannedKey], counts: Mapping[str, int]) -> Coverage:
    """`counts`: event name → events."""
    came = [key for key in keys if any(counts.get(name) for name in key.event_names)]
    planned = frozenset(name for key in keys for name in key.event_names)
    unknown = unknown_events(counts, planned)
    names = {key.key: key.event_names for key in keys if key.is_applicable}
    missing = tuple(key for key in keys if key.is_applicable and key not in came)
    keys_that_came = tuple(key.key for key in came)
    return Coverage(keys_that_came, missing, unknown, suggest(unknown, names), planned)


def tracking_step(
    coverage: Coverage,
    answer: EventAnswer,
    sessions: int,
    property_id: str,
    advice: Mapping[str, str],
) -> Step:
    """Every expected key came, with sessions. `advice`: origin of an event → what makes it come."""
    sessionless = _sessionless(coverage, answer)
    facts = {
        "sessionless": sorted(sessionless),
        "missing": [key.key for key in coverage.missing_expected],
        "missing_optional": [key.key for key in coverage.missing if not key.is_expected],
        "unknown_events": dict(coverage.unknown),
        "aliases": [
            {"event": one.event, "looks_like": one.looks_like, "keys": list(one.keys)}
            for one in coverage.aliases
        ],
    }
    if not answer.counts:
        return wrong(
            TRACKING,
            f"No event came in the last {DAYS} days: check that GA4's tag is on the shop's pages, "
            f"and that {property_id} is the shop's property.",
            facts=facts,
        )
    details = (
        *sessionless.values(),
        *_missing_lines(coverage, advice),
        *_alias_lines(coverage),
        *_unknown_lines(coverage),
    )
    total = len(coverage.came) + len(coverage.missing)
    if not coverage.missing_expected and sessionless:
        return wrong(TRACKING, f"{details[0]}.", details[1:], facts)
    if not coverage.missing_expected:
        message = f"{len(coverage.came)} of {total} keys of the plan came, all expected ones"
        return right(TRACKING, message, details, facts)
    number = len(coverage.missing_expected)
    return wrong(
        TRACKING,
        f"{number} expected {'key' if number == 1 else 'keys'} never came in the last {DAYS} days"
        f"{_doubt(answer, sessions)}: send what is listed, or put what the shop does not have "
        f"under not_applicable in {SHOP_FILE}.",
        details,
        facts,
    )


def _sessionless(coverage: Coverage, answer: EventAnswer) -> dict[str, str]:
    """Planned event → what to send, where its events came without sessions; orders first."""
    found = {}
    for name in sorted(coverage.event_names, key=lambda name: (not answer.orders.get(name), name)):
        events, sessions = answer.counts.get(name, 0), answer.sessions.get(name)
        orders = answer.orders.get(name, 0)
        if sessions is None or events < threshold("least_sessionless_events"):
            continue
        if sessions < threshold("least_ordering_share") * orders:
            said = f"{orders - sessions:,} of {orders:,} orders came without a session"
        elif sessions < threshold("least_session_share") * events:
            said = f"{events:,} {name} events came with {sessions:,} sessions"
        else:
            continue
        found[name] = (
            f"{said}: send session_id and client_id with each Measurement Protocol hit of {name}, "
            "or send it from the browser"
        )
    return found


def _missing_lines(coverage: Coverage, advice: Mapping[str, str]) -> list[str]:
    instead = {known: alias for alias in coverage.aliases for known in alias.keys}
    lines = []
    for key in coverage.missing_expected:
        what = " or ".join(key.event_names)
        if what != key.key:
            what += f" (key {key.key})"
        if alias := instead.get(key.key):
            lines.append(f"{what} never came, but {_alias(alias)}")
        else:
            lines.append(f"{what} never came: {advice.get(key.origin, 'send it')}")
    return lines


def _alias_lines(coverage: Coverage) -> list[str]:
    told = {key.key for key in coverage.missing_expected}
    return [_alias(one) for one in coverage.aliases if not told.intersection(one.keys)]


def _alias(alias: Suggestion) -> str:
    lines = " and ".join(f"'{line}'" for line in alias.lines)
    return (
        f"{alias.event} came {alias.count:,} times and looks like {alias.looks_like}: if it is, "
        f"put {lines} under micro_conversions in {SHOP_FILE}"
    )


def _unknown_lines(coverage: Coverage) -> list[str]:
    explained = {alias.event for alias in coverage.aliases}
    left = [(name, count) for name, count in coverage.unknown.items() if name not in explained]
    if not left:
        return []
    shown = ", ".join(f"{name} ({count:,})" for name, count in left[:UNKNOWN_SHOWN])
    more = len(left) - UNKNOWN_SHOWN
    return [f"not in the plan: {shown}" + (f" and {more:,} more" if more > 0 else "")]


def _doubt(answer: EventAnswer, sessions: int) -> str:
    # So rare may a key be that is sent: docs/analytics.md, "Tracking states".
    likely_silent = (1 - threshold("default_floor")) ** sessions
    if likely_silent >= threshold("silence_below"):
        return f" (of only {sessions:,} sessions, so this may be chance)"
    if answer.is_partial:
        return " (GA4 hid or folded rare events, so they may be among those)"
    return ""
