"""The truth about cells: who came to the steps of the core funnel, by several segments at once.

Independent on purpose, as truth.py is: counted from the simulator's own arrays.
"""

from __future__ import annotations

from datetime import date
from itertools import product

import numpy as np

from pipelines.emulator.simulator.columns import Ints, distinct
from pipelines.emulator.simulator.events import CODES, Batch
from pipelines.emulator.simulator.truth import KEY_EVENTS, Row
from pipelines.emulator.simulator.visitors import SEGMENT_VALUES

_SEGMENTS = ("device", "channel", "visitor", "country")
CELL_COLUMNS = ("date", "cube", *_SEGMENTS, "key", "sessions")
_CUBES = {
    "device_channel_visitor": ("device", "channel", "visitor"),
    "device_country": ("device", "country"),
}
_KEYS = ("product_view", "add_to_cart", "checkout_start", "purchase")


def cell_rows(day: date, batch: Batch) -> list[Row]:
    """Sessions of each cell × key that occurred: `batch` holds every event of that local date."""
    return [
        [day.isoformat(), cube, *(cell.get(name, "(all)") for name in _SEGMENTS), key, sessions]
        for cube, names in _CUBES.items()
        for key, reached in _reached(batch).items()
        for cell, sessions in _counts(names, batch, reached)
    ]


def _reached(batch: Batch) -> dict[str, Ints]:
    """Key → rows of the sessions that did it; an event without a session is nobody's."""
    own = ~batch.events.is_sessionless
    session, code = batch.events.session[own], batch.events.code[own]
    codes = {key: [CODES[name] for name in KEY_EVENTS[key]] for key in _KEYS}
    did = {key: session[np.isin(code, wanted)] for key, wanted in codes.items()}
    everyone = {"sessions": session, **did}
    return {key: distinct(rows, len(batch.sessions)) for key, rows in everyone.items()}


def _counts(
    names: tuple[str, ...], batch: Batch, reached: Ints
) -> list[tuple[dict[str, str], int]]:
    """Segment → value of each cell that one of the sessions `reached` is of, and how many are."""
    place = np.zeros(len(reached), dtype=np.int64)
    for name in names:
        place = place * len(SEGMENT_VALUES[name]) + batch.sessions.segment_codes(name)[reached]
    cells = list(product(*(SEGMENT_VALUES[name] for name in names)))
    counts = np.bincount(place, minlength=len(cells))
    return [
        (dict(zip(names, cells[cell], strict=True)), int(counts[cell]))
        for cell in np.flatnonzero(counts).tolist()
    ]
