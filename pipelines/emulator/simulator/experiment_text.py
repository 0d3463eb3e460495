"""An experiment as the command line names it: name, step, variants, dates."""

from __future__ import annotations

import re

from pipelines.emulator.simulator.experiments import SHOWN_ON, Arm, Experiment, check_experiments
from pipelines.emulator.simulator.leak_text import read_day
from pipelines.emulator.simulator.scenarios import SimulationError

_ARM = r"(\w+)=(0?\.\d+)(?:\*(\d+(?:\.\d+)?|\.\d+))?"
_EXPERIMENT = re.compile(
    rf"(?P<name>\w+) +(?P<step>\w+)(?P<arms>(?: +{_ARM})+)"
    r"( +(?P<first>\d{4}-\d\d-\d\d)(\.\.(?P<last>\d{4}-\d\d-\d\d)?)?)?"
)


def read_experiment(text: str) -> Experiment:
    """The experiment of a text: name, step, variants with shares, first and last date.

    `cart_button add_to_cart control=0.5 green=0.5*1.3 2026-05-01..2026-05-28`: in the variant
    `green` the chance of adding to the cart is 1.3 times as high. Factors and dates may be left
    out. Raises SimulationError.
    """
    match = _EXPERIMENT.fullmatch(text.strip())
    if match is None:
        raise SimulationError(
            f"The experiment {text!r} cannot be read: write a name, a step "
            f"({', '.join(SHOWN_ON)}), variants with their shares and, after '*', what they "
            "multiply the step's chance by, then dates if any, such as "
            "'cart_button add_to_cart control=0.5 green=0.5*1.3 2026-05-01..2026-05-28'."
        )
    arms = tuple(
        Arm(name, float(share), float(factor or 1))
        for name, share, factor in re.findall(_ARM, match["arms"])
    )
    first, last = (read_day(match[one], f"The experiment {text!r}") for one in ("first", "last"))
    experiment = Experiment(match["name"], match["step"], arms, first, last)
    check_experiments([experiment])
    return experiment
