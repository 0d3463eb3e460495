"""What the demo's shop tried and changed: planted in its events, and registered as a shop does it.

An experiment that has ended, one that runs, and a change that healed a leak; each at a place of
its own, so that nothing overlaps, and away from the leak that goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from pipelines.emulator.simulator import Arm, Experiment, Leak
from pipelines.ingest.day_window import DayWindow


@dataclass(frozen=True)
class _Test:
    """An experiment from and to so many days before the demo's last one; `to` None: it runs."""

    planted: Experiment
    since: int
    to: int | None
    registered: dict[str, Any]


_TESTS = (
    _Test(
        Experiment("short_form", "purchase", (Arm("control", 0.5), Arm("one_page", 0.5, 1.2))),
        since=85,
        to=37,
        registered={
            "hypothesis": "A checkout form on one page brings more orders",
            "stage": "checkout",
            "elements": ["form"],
            "primary_metric": "purchase",
            "smallest_effect": 0.1,
        },
    ),
    _Test(
        Experiment("welcome", "email_capture", (Arm("control", 0.5), Arm("offer", 0.5, 1.15))),
        # More than a week before the leak that goes on: it is not to be blamed for it.
        since=29,
        to=None,
        registered={
            "hypothesis": "An offer on arrival brings more newsletter sign-ups",
            "stage": "home",
            "elements": ["banner"],
            "primary_metric": "email_capture",
            "smallest_effect": 0.008,
        },
    ),
)
_LEAK = Leak(
    "instagram_links",
    "add_to_cart_rate",
    "add_to_cart",
    0.1,
    scope=(("channel", "Paid Social"),),
)
_LEAK_SINCE, _REPAIRED = 33, 8
_REPAIR = {
    "description": "Instagram ads lead to products that are in stock again",
    "stage": "product",
    "elements": ["links"],
}


@dataclass(frozen=True)
class DemoRegister:
    """What is planted, and the entries of experiments.yml and changes.yml by their id."""

    experiments: tuple[Experiment, ...] = ()
    leaks: tuple[Leak, ...] = ()
    tried: dict[str, dict[str, Any]] = field(default_factory=dict)
    changed: dict[str, dict[str, Any]] = field(default_factory=dict)

    def write(self, folder: Path) -> dict[str, Path]:
        """Write both files; returns the settings that name them."""
        folder.mkdir(parents=True, exist_ok=True)
        files = {"experiments": self.tried, "changes": self.changed}
        for name, entries in files.items():
            text = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True)
            (folder / f"{name}.yml").write_text(text, encoding="utf-8")
        return {name: folder / f"{name}.yml" for name in files}


def demo_register(window: DayWindow, outcomes: Path | None) -> DemoRegister:
    """What lies as a whole in the demo's days; `outcomes` is where the testing tool's files will
    be, seen from the register, None where the night counts them from the events.
    """

    def day(before_end: int) -> date:
        return window.end - timedelta(days=before_end)

    made = DemoRegister()
    for one in _TESTS:
        if day(one.since) < window.start:
            continue
        last = None if one.to is None else day(one.to)
        planted = replace(one.planted, first=day(one.since), last=last)
        made = replace(
            made,
            experiments=(*made.experiments, planted),
            tried={**made.tried, planted.name: _entry(one, planted, outcomes)},
        )
    if day(_LEAK_SINCE) >= window.start:
        leak = replace(_LEAK, first=day(_LEAK_SINCE), last=day(_REPAIRED + 1))
        repair = {**_REPAIR, "start": day(_REPAIRED)}
        made = replace(made, leaks=(leak,), changed={_LEAK.name: repair})
    return made


def _entry(test: _Test, planted: Experiment, outcomes: Path | None) -> dict[str, Any]:
    """As experiments.yml has it."""
    end = {} if planted.last is None else {"end": planted.last}
    file = {} if outcomes is None else {"outcomes": f"{outcomes}/outcomes_{planted.name}.csv"}
    return {
        **test.registered,
        "start": planted.first,
        **end,
        "variants": {arm.name: arm.share for arm in planted.arms},
        **file,
    }
