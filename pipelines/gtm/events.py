"""Which events a container has to send, and when: from the tracking plan and what GA4 gets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pipelines.config.tracking_plan import MicroConversion, TrackingPlan, TriggerKind
from pipelines.config.tracking_plan.event_names import AUTOMATIC, RESERVED
from pipelines.errors import SeedError
from pipelines.gtm.variables import GA4_OWN, SCROLLED
from pipelines.wording import shown

# GA4's rules for names of events; what is longer than 40 characters it drops.
_NAME = re.compile(r"[^\W\d_]\w{0,39}")
# Of GA4's own kind, beside the ones that the plan asks for.
_DEPTHS = frozenset({25, 50, 75, 90})
_WHOLE_PAGE = 100


@dataclass(frozen=True)
class Coverage:
    """Keys by what GA4 gets of them: never or no more, lately, or too little traffic to tell."""

    missing: frozenset[str]
    received: frozenset[str] = frozenset()
    undecided: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SentEvent:
    """An event that is sent to GA4 when `kind` happens.

    `keys` count it; `parameters` are those that the plan reads of it. `selectors`: CSS, of what
    is clicked or comes into view. `depths`: per cent of the page, of a scroll.
    """

    name: str
    kind: TriggerKind
    keys: tuple[str, ...]
    parameters: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()
    depths: tuple[int, ...] = ()


@dataclass(frozen=True)
class Selection:
    """What a container is made of; `left_out`: key → why no tag of it could bring it.

    `has_page_views`: nothing arrives yet, so that the Google tag has to send GA4's own events, too;
    `page_keys` count nothing else, and `page_parameters` are what the plan reads of them.
    """

    events: tuple[SentEvent, ...]
    has_page_views: bool
    page_keys: tuple[str, ...] = ()
    page_parameters: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def is_needed(self) -> bool:
        """Whether a container would bring anything."""
        return bool(self.events or self.page_keys)


def whole_plan(plan: TrackingPlan) -> Coverage:
    """As of a shop of which GA4 gets nothing."""
    return Coverage(frozenset(micro.key for micro in plan.micro_conversions))


def select_events(plan: TrackingPlan, coverage: Coverage) -> Selection:
    """The missing events in the plan's order, one per event and kind of trigger.

    An event that arrives already is not sent twice, even if a missing key counts it, too. Raises
    SeedError: an event name that Tag Manager would take for a variable, or GA4 would not take.
    """
    arriving = {
        name
        for micro in plan.micro_conversions
        if micro.key in coverage.received
        for name in micro.event_names
    }
    missing = [
        micro
        for micro in plan.micro_conversions
        if micro.key in coverage.missing and micro.is_applicable
    ]
    sent = {micro.key: [n for n in _own_names(micro) if n not in arriving] for micro in missing}
    unsent = [micro for micro in missing if not sent[micro.key]]
    if arriving:
        return Selection(
            tuple(_events(plan, missing, sent)),
            has_page_views=False,
            left_out={micro.key: _why_left_out(micro, arriving) for micro in unsent},
        )
    return Selection(
        tuple(_events(plan, missing, sent)),
        has_page_views=True,
        page_keys=tuple(micro.key for micro in unsent),
        page_parameters=tuple(one for one in _parameters(plan, AUTOMATIC) if one not in GA4_OWN),
    )


def _own_names(micro: MicroConversion) -> list[str]:
    """Of its names, those to send: GA4 sends the automatic ones by itself, and what Tag Manager
    watches is sent once, as the first.
    """
    own = [name for name in micro.event_names if name not in AUTOMATIC]
    if micro.trigger is not None and micro.trigger.kind is not TriggerKind.EVENT:
        return own[:1] or list(micro.event_names[:1])
    return own


def _events(
    plan: TrackingPlan, missing: Iterable[MicroConversion], sent: dict[str, list[str]]
) -> Iterator[SentEvent]:
    users: dict[str, list[MicroConversion]] = {}
    for micro in missing:
        for name in sent[micro.key]:
            users.setdefault(name, []).append(micro)
    for name, keys in users.items():
        if "{{" in name:
            raise SeedError(
                f"The event {shown(name)} of the key '{keys[0].key}' cannot be sent by Tag "
                "Manager, to which {{ begins a variable: give it another name."
            )
        if not _NAME.fullmatch(name) or name in RESERVED:
            raise SeedError(
                f"The event {shown(name)} of the key '{keys[0].key}' has no name that GA4 takes "
                "(letters, digits and _, a letter first, 40 at most, none of its own names): give "
                "it another."
            )
        # What one key says of the event holds for all of them.
        kinds = dict.fromkeys(one.trigger.kind for one in keys if one.trigger is not None)
        for kind in kinds or (TriggerKind.EVENT,):
            yield SentEvent(
                name,
                kind,
                keys=tuple(one.key for one in keys),
                parameters=tuple(_parameters(plan, {name})),
                selectors=tuple(_selectors(keys, kind)),
                depths=_depths(plan, name) if kind is TriggerKind.SCROLL else (),
            )


def _selectors(keys: Iterable[MicroConversion], kind: TriggerKind) -> Iterable[str]:
    return dict.fromkeys(
        one.trigger.selector
        for one in keys
        if one.trigger is not None and one.trigger.kind is kind and one.trigger.selector
    )


def _parameters(plan: TrackingPlan, names: Iterable[str]) -> Iterator[str]:
    wanted = set(names)
    return (one for one, events in plan.parameters.items() if wanted.intersection(events))


def _depths(plan: TrackingPlan, name: str) -> tuple[int, ...]:
    """Every depth that a filter on the event asks for, and GA4's own kind of steps."""
    asked = {
        int(one.value)
        for micro in plan.micro_conversions
        if name in micro.event_names
        for one in micro.conditions
        if one.name == SCROLLED and one.value.isdecimal()
    }
    return tuple(sorted(_DEPTHS | {depth for depth in asked if 0 < depth <= _WHOLE_PAGE}))


def _why_left_out(micro: MicroConversion, arriving: set[str]) -> str:
    """What to do about a key that no further tag could bring."""
    filters = " and ".join(f"{one.name}{one.operator}{one.value}" for one in micro.conditions)
    names = " or ".join(micro.event_names)
    if arriving.intersection(micro.event_names):
        return f"{names} comes already, but never with {filters}: send that along with it"
    along = f", with {filters}" if filters else ""
    return f"GA4's own tag sends {names}: turn on Enhanced measurement{along}"
