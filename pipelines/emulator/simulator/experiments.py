"""A/B tests of the simulated shop: who gets which variant, and what that does to one step.

A user's variant is a hash of user, experiment and seed, as testing tools draw it. It takes nothing
from the shop's own random numbers: without an experiment the shop has exactly the events it had.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from zlib import crc32

import numpy as np

from pipelines.analysis.experiments.register import LEAST_VARIANTS, SHARE_TOLERANCE
from pipelines.emulator.simulator.catalogue import CHECKOUT, PRODUCT
from pipelines.emulator.simulator.columns import Bools, Floats, Ints
from pipelines.emulator.simulator.scenarios import SimulationError
from pipelines.emulator.simulator.visitors import Sessions, session_ids, user_numbers

EXPOSURE_EVENT = "experience_impression"
EXPOSURE_PARAMETER = "exp_variant_string"
_TOOL = "SIM"

# Page type on which a variant is shown: one that everybody passes before the step; None: any.
SHOWN_ON = {
    "add_to_cart": PRODUCT,
    "checkout_start": PRODUCT,
    "purchase": CHECKOUT,
    "email_capture": None,
}


@dataclass(frozen=True)
class Arm:
    """A variant: its share of the users, and what it multiplies the step's chance by."""

    name: str
    share: float
    factor: float = 1.0


@dataclass(frozen=True)
class Experiment:
    """A test of one step in `SHOWN_ON`, the control first; shares add up to 1.

    `first` and `last` None: as long as the simulation. In `switched_share` of the sessions the tool
    does not know the user again and draws anew.
    """

    name: str
    step_key: str
    arms: tuple[Arm, ...]
    first: date | None = None
    last: date | None = None
    switched_share: float = 0.01

    def is_open(self, day: date) -> bool:
        """Whether variants are shown to sessions that begin on this day."""
        return (self.first or day) <= day <= (self.last or day)

    @property
    def values(self) -> tuple[str, ...]:
        """What the exposure's parameter says of each arm: tool, experiment, variant."""
        return tuple(f"{_TOOL}-{self.name}-{arm.name}" for arm in self.arms)


@dataclass(frozen=True)
class Assigned:
    """An experiment on a day: the arm of each session, and the code of the first arm's value."""

    experiment: Experiment
    arm: Ints
    first_code: int

    @property
    def factor(self) -> Floats:
        """By which each session's chance of the step is multiplied. Shape (sessions,)."""
        factors: Floats = np.array([arm.factor for arm in self.experiment.arms])[self.arm]
        return factors


def exposure_values(experiments: Iterable[Experiment]) -> tuple[str, ...]:
    """The values of the exposure's parameter, by the code that events carry."""
    return tuple(value for one in experiments for value in one.values)


def assign(
    experiments: Sequence[Experiment], seed: int, day: date, sessions: Sessions
) -> tuple[Assigned, ...]:
    """The arms of a day's sessions in every experiment that is open."""
    first = np.cumsum([0, *(len(one.arms) for one in experiments)]).tolist()
    return tuple(
        Assigned(one, _arms(one, seed, sessions), code)
        for one, code in zip(experiments, first, strict=False)
        if one.is_open(day)
    )


def check_experiments(experiments: Sequence[Experiment]) -> None:
    """Raises SimulationError for what cannot be simulated."""
    names = Counter(one.name for one in experiments)
    for one in experiments:
        if names[one.name] > 1:
            raise SimulationError(f"The experiment {one.name!r} is there twice: rename one.")
        shares = {arm.name: arm.share for arm in one.arms}
        if one.step_key not in SHOWN_ON:
            raise SimulationError(
                f"The experiment {one.name!r} tests {one.step_key!r}: choose one of "
                f"{', '.join(SHOWN_ON)}."
            )
        if (
            len(shares) < max(LEAST_VARIANTS, len(one.arms))
            or min(shares.values()) <= 0
            or abs(sum(shares.values()) - 1) > SHARE_TOLERANCE
        ):
            raise SimulationError(
                f"The experiment {one.name!r} needs two variants or more, each once, with shares "
                "above 0 that add up to 1."
            )


def _arms(experiment: Experiment, seed: int, sessions: Sessions) -> Ints:
    salt = np.uint64(crc32(experiment.name.encode())) + np.uint64(seed) * np.uint64(2**32)
    user = user_numbers(sessions).astype(np.uint64) ^ salt
    visit = _mixed(user) ^ session_ids(sessions).astype(np.uint64)
    is_switched: Bools = _uniform(visit) < experiment.switched_share
    drawn = np.where(is_switched, _uniform(_mixed(visit)), _uniform(user))
    ends = np.cumsum([arm.share for arm in experiment.arms])[:-1]
    return np.searchsorted(ends, drawn, side="right")


def _mixed(keys: np.ndarray) -> np.ndarray:
    """SplitMix64 (Steele, Lea, Flood 2014): a well-mixed 64-bit hash of each key."""
    with np.errstate(over="ignore"):
        z = keys + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def _uniform(keys: np.ndarray) -> Floats:
    """In [0, 1), by the upper 53 bits."""
    return (_mixed(keys) >> np.uint64(11)) / 2.0**53
