"""Turns a day's plan and pages into event rows, in the order each session lived them."""

from __future__ import annotations

from datetime import date

import numpy as np

from pipelines.emulator.simulator.attention import from_server, with_attention, with_repeats
from pipelines.emulator.simulator.catalogue import CHECKOUT, HOME
from pipelines.emulator.simulator.columns import take
from pipelines.emulator.simulator.emitter import Emitter
from pipelines.emulator.simulator.events import Batch, code_table
from pipelines.emulator.simulator.experiments import EXPOSURE_EVENT, SHOWN_ON, Assigned
from pipelines.emulator.simulator.goods import emit_goods
from pipelines.emulator.simulator.localtime import SECOND_US
from pipelines.emulator.simulator.pages import Pages
from pipelines.emulator.simulator.plan import EMAIL_EVENTS, Plan
from pipelines.emulator.simulator.scenarios import Scenario
from pipelines.emulator.simulator.visitors import Sessions

# Chance that a page is scrolled past 25, 50, 75 and 90 %, each given the one before.
_SCROLL_RATES = {25: 0.72, 50: 0.68, 75: 0.62, 90: 0.60}
# Shorter visits to a page leave no scroll and no user_engagement.
_GLANCE_US = 3 * SECOND_US


def emit_events(
    rng: np.random.Generator,
    day: date,
    sessions: Sessions,
    plan: Plan,
    pages: Pages,
    scenario: Scenario,
    assigned: tuple[Assigned, ...] = (),
) -> Batch:
    """All event rows of the sessions that start on `day`, sorted by session and time."""
    emitter = Emitter(rng, sessions, plan, pages)
    _emit_page_basics(emitter)
    _emit_scrolling(emitter)
    _emit_home(emitter)
    _emit_email(emitter)
    lines = emit_goods(emitter, day)
    for one in assigned:
        _emit_exposures(emitter, one)
    events = with_repeats(rng, emitter.table())
    if scenario.missing_events:
        events = take(events, ~code_table(scenario.missing_events)[events.code])
    events = with_attention(events, sessions, pages)
    events = from_server(rng, events, scenario.server_side_orders, len(sessions))
    return Batch(sessions, events, lines)


def _emit_page_basics(emitter: Emitter) -> None:
    pages, sessions = emitter.pages, emitter.sessions
    first = np.flatnonzero(pages.is_first)
    emitter.add("session_start", first, 0.0, 0.0)
    emitter.add("first_visit", first[sessions.number[pages.session[first]] == 1], 0.0, 0.0)
    emitter.add("page_view", np.arange(len(pages.session)), 0.0, 0.0)
    seen = np.flatnonzero(pages.dwell_us > _GLANCE_US)
    emitter.add("user_engagement", emitter.some(seen, 0.8), 0.97, 1.0)


def _emit_scrolling(emitter: Emitter) -> None:
    """scroll_depth at every mark that is passed, and GA4's own scroll (90 %, once a page)."""
    pages = emitter.pages
    rows = np.flatnonzero((pages.dwell_us > _GLANCE_US) & (pages.page_type != CHECKOUT))
    lift = np.clip(0.06 * emitter.plan.intent[pages.session], -0.15, 0.15)
    for position, (mark, rate) in enumerate(_SCROLL_RATES.items()):
        rows = emitter.some(rows, rate + lift[rows])
        begin = 0.05 + 0.2 * position
        emitter.add("scroll_depth", rows, begin, begin + 0.18, percent=mark)
    emitter.add("scroll", rows, 0.83, 0.9, percent=90)


def _emit_home(emitter: Emitter) -> None:
    """Those who browse on left the home page through its hero or its navigation."""
    home = emitter.pages.of_type(HOME)
    browses = emitter.plan.collections[emitter.pages.session] > 0
    shown = emitter.some(home, 0.85)
    emitter.add("view_promotion", shown, 0.01, 0.05)
    clicked = emitter.some(shown, np.where(browses[shown], 0.24, 0.02))
    emitter.add("select_promotion", clicked, 0.4, 0.9)
    moved = emitter.some(home, np.where(browses[home], 0.6, 0.12))
    emitter.add("navigation_click", moved, 0.5, 0.95)


def _emit_exposures(emitter: Emitter, assigned: Assigned) -> None:
    """Once a session, as soon as the first page opens that the variants differ on."""
    pages, page_type = emitter.pages, SHOWN_ON[assigned.experiment.step_key]
    rows = np.flatnonzero(pages.is_first) if page_type is None else pages.of_type(page_type)
    rows = rows[np.diff(pages.session[rows], prepend=-1) != 0]
    codes = assigned.first_code + assigned.arm[pages.session[rows]]
    emitter.add(EXPOSURE_EVENT, rows, 0.0, 0.005, exposure=codes)


def _emit_email(emitter: Emitter) -> None:
    """An address left on the landing page or a later one, at most one kind a session."""
    first = np.flatnonzero(emitter.pages.is_first)
    page_count = np.bincount(emitter.pages.session)
    chosen = first + (emitter.rng.random(len(first)) * page_count).astype(np.int64)
    for kind, name in enumerate(EMAIL_EVENTS):
        emitter.add(name, chosen[emitter.plan.email == kind], 0.3, 0.9)
