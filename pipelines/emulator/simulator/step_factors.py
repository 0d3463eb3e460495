"""What leaks and variants multiply a session's chance of a step by."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pipelines.emulator.simulator.columns import Floats
from pipelines.emulator.simulator.experiments import Assigned
from pipelines.emulator.simulator.scenarios import Leak
from pipelines.emulator.simulator.visitors import SEGMENT_VALUES, Sessions


def step_factors(
    sessions: Sessions, leaks: Iterable[Leak], assigned: Iterable[Assigned]
) -> dict[str, Floats]:
    """Step → factor of each session, shape (sessions,), by the day's open leaks and experiments."""
    factors: dict[str, Floats] = {}
    for step_key, factor in (
        *((leak.step_key, _of_leak(leak, sessions)) for leak in leaks),
        *((one.experiment.step_key, one.factor) for one in assigned),
    ):
        factors[step_key] = factors.get(step_key, np.ones(len(sessions))) * factor
    return factors


def _of_leak(leak: Leak, sessions: Sessions) -> Floats:
    hit = np.ones(len(sessions), dtype=np.bool_)
    for name, value in leak.scope:
        hit &= sessions.segment_codes(name) == SEGMENT_VALUES[name].index(value)
    return np.where(hit, leak.multiplier, 1.0)
