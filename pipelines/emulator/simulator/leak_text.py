"""A leak as the command line names it: step, factor, conditions, dates."""

from __future__ import annotations

import re
from datetime import date

from pipelines.emulator.simulator.scenarios import Leak, SimulationError
from pipelines.emulator.simulator.visitors import SEGMENT_VALUES

# Steps that a leak can be planted in, each with the benchmark that it then misses.
_STEPS = {
    "add_to_cart": "add_to_cart_rate",
    "checkout_start": "cart_to_checkout_rate",
    "purchase": "checkout_to_purchase_rate",
    "email_capture": "email_capture_rate",
}
_CONDITION = r"(\w+)=(\S.*?)(?= +\w+=|$)"
_LEAK = re.compile(
    r"(?P<step>\w+)\*(?P<factor>0?\.\d+|0|\d+)(?P<scope>( +\w+=\S.*?)*?)"
    r"( +(?P<first>\d{4}-\d\d-\d\d)(\.\.(?P<last>\d{4}-\d\d-\d\d)?)?)?"
)


def read_leak(text: str) -> Leak:
    """The leak of a text: step, factor, conditions, first and last date.

    `purchase*0.12 device=mobile channel=Paid Social 2026-05-01..2026-05-20`; conditions and dates
    may be left out, as may the last date. Raises SimulationError.
    """
    match = _LEAK.fullmatch(text.strip())
    conditions = re.findall(_CONDITION, match["scope"]) if match else []
    if match is None or match["step"] not in _STEPS or float(match["factor"]) >= 1:
        raise SimulationError(
            f"The leak {text!r} cannot be read: write a step ({', '.join(_STEPS)}), '*' and a "
            "factor below 1, then conditions and dates if any, such as "
            "'purchase*0.12 device=mobile channel=Paid Social 2026-05-01..2026-05-20'."
        )
    for name, value in conditions:
        if value not in SEGMENT_VALUES.get(name, ()):
            known = ", ".join(SEGMENT_VALUES.get(name, tuple(SEGMENT_VALUES)))
            raise SimulationError(
                f"The leak {text!r} has the condition {name}={value}, which no simulated session "
                f"meets: choose one of {known}."
            )
    first, last = (read_day(match[name], f"The leak {text!r}") for name in ("first", "last"))
    return Leak(
        "chosen", _STEPS[match["step"]], match["step"], float(match["factor"]),
        tuple(conditions), first=first, last=last,
    )  # fmt: skip


def read_day(text: str | None, said: str) -> date | None:
    """The date of a text, if there is one; raises SimulationError, which `said` begins."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise SimulationError(f"{said} has the date {text}, which there is not.") from None
