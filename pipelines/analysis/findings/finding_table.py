"""Findings of long frames: what the dbt model of `fct_finding` calls.

What belongs here: from rows to one property's arrays, and from findings back to rows. The methods
are in the modules beside it; docs/analytics.md, "Findings", has the formulas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.analysis.findings.change_points import Change
from pipelines.analysis.findings.cubes import WHOLE, Scope, as_json, from_json, label
from pipelines.analysis.findings.history import history
from pipelines.analysis.findings.identity import (
    Remembered,
    Sighting,
    State,
    new_id,
    same_as,
    state_of,
)
from pipelines.analysis.findings.property_days import SHOP, PropertyDays, StepDays
from pipelines.analysis.findings.rates import Counted, dispersion
from pipelines.analysis.findings.scope_worth import WORTHS, Leaks
from pipelines.analysis.findings.scopes import Judged, explained_share, told_scopes

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("property_id", "finding_id", "step_key", "scope")),
        *((name, pa.string()) for name in ("scope_label", "state", "window_name")),
        *((name, pa.date32()) for name in ("window_start", "window_end", "first_seen")),
        *((f"since_{name}", pa.date32()) for name in ("date", "earliest", "latest")),
        *((f"{name}_date", pa.date32()) for name in ("recovered", "healed")),
        ("is_joint", pa.bool_()),
        *(
            (f"{prefix}{name}", pa.float64())
            for prefix in ("", "outside_", "before_", "since_", "now_")
            for name in ("numerator", "denominator")
        ),
        *(
            (name, pa.float64())
            for name in (
                "n_eff", *WORTHS, "explained_share", "worth_since", "opportunity_pace",
            )
        ),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Frames:
    """Rows of all properties: `steps` of the core chain by segment, with their worth; `cells` and
    `segments`: sessions by day; `memory`: what earlier runs published.
    """

    steps: pd.DataFrame
    cells: pd.DataFrame
    segments: pd.DataFrame
    memory: pd.DataFrame


def find_findings(frames: Frames, least_p: float) -> pa.Table:
    """Findings of every property, `SCHEMA`, in no order.

    `steps` has property_id, window_name, window_start, window_end, segment_name, segment_value,
    step_number, step_key, previous_step_key, numerator, denominator, n_eff, benchmark, end_value,
    end_value_error, downstream_rate, p_gap and opportunity_p05, _p50, _p95: one window a property.
    `cells` has property_id, date, cube, the columns of `JOINT`, step_key and sessions; `segments`
    has property_id, date, segment_name, segment_value, step_key and sessions. `memory` has
    property_id, window_end, finding_id, step_key, scope, first_seen and healed_date. A step leaks
    from P(rate < floor) of `least_p` on.
    """
    # Parts of a shop of which nobody knows the whole have nothing to be measured by.
    whole = frames.segments[frames.segments["segment_name"] == SHOP]["property_id"]
    known = frames.steps[frames.steps["segment_name"] == SHOP]["property_id"]
    rows = [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for name in sorted({*whole} & {*known})
        for row in _Property.of(name, frames).rows(least_p)
    ]
    return pa.Table.from_pylist(rows, SCHEMA)


@dataclass(frozen=True)
class _Property:
    """What is known of one property."""

    name: str
    leaks: Leaks
    days: PropertyDays
    memory: list[Remembered]

    @classmethod
    def of(cls, name: str, frames: Frames) -> _Property:
        steps, cells, segments, memory = (
            frame[frame["property_id"] == name]
            for frame in (frames.steps, frames.cells, frames.segments, frames.memory)
        )
        leaks = Leaks(steps)
        days = PropertyDays.of(leaks.chain, cells, segments)
        return cls(name, leaks, days, _remembered(memory, days.night))

    def rows(self, least_p: float) -> Iterator[dict[str, Any]]:
        """The findings of every step that has a floor, and what became of earlier ones."""
        for found in self.leaks.chain.to_dict("records"):
            row = {str(name): value for name, value in found.items()}
            if np.isnan(row["benchmark"]) or not row["denominator"] > 0:
                continue
            step = self.days.step(row["step_key"], row["previous_step_key"])
            phi = dispersion(*step.single[SHOP].within(self.days.window).by_day(WHOLE))
            judged = Judged(row["benchmark"], row["p_gap"] >= least_p, phi, least_p)
            for scope, before in self._told(row["step_key"], step, judged):
                yield self._row(row, step, judged, scope, before)

    def _told(
        self, step_key: str, step: StepDays, judged: Judged
    ) -> Iterator[tuple[Scope, Remembered | None]]:
        """The scopes of a step, each with what is remembered of it; then what else is remembered,
        which is no scope any more: it improves, or it healed.
        """
        window = [one.within(self.days.window) for one in step.scanned]
        earlier = [one for one in self.memory if one.step_key == step_key]
        for scope in told_scopes(judged, step.scanned, self.days.window):
            before = same_as(scope, earlier, window)
            earlier = [one for one in earlier if one is not before]
            yield scope, before
        for before in earlier:
            there = step.telling(before.scope)
            if there and there.within(self.days.window).of(before.scope).trials > 0:
                yield before.scope, before

    def _row(
        self,
        row: dict[str, Any],
        step: StepDays,
        judged: Judged,
        scope: Scope,
        before: Remembered | None,
    ) -> dict[str, Any]:
        telling = step.telling(scope)
        assert telling is not None
        window = telling.within(self.days.window)
        inside = window.cube.members(scope)
        worth = self.leaks.of(row, scope, window.counted(inside))
        past = history(*step.by_day(scope), judged.floor)
        seen = Sighting(
            self._day(past.last_fall), self._day(past.rise), worth["p_gap"], past.p_below_now
        )
        state = state_of(seen, before, self.days.night, judged.least_p)
        healed = (before.healed_date if before else None) or seen.recovered or self.days.night
        value = worth["end_value"] * worth["downstream_rate"]
        per_window = len(self.days.days[self.days.window]) / past.now_days
        return {
            "property_id": self.name,
            "finding_id": before.finding_id
            if before
            else new_id(self.name, row["step_key"], scope, self.days.night),
            "step_key": row["step_key"],
            "scope": as_json(scope),
            "scope_label": label(scope),
            "state": str(state),
            **{name: row[name] for name in ("window_name", "window_start", "window_end")},
            "first_seen": before.first_seen if before else self.days.night,
            **self._since(past.fall),
            "recovered_date": seen.recovered,
            "healed_date": healed if state is State.HEALED else None,
            "is_joint": len(window.cube.dimensions) > 1,
            **_counts("", Counted(float(worth["numerator"]), float(worth["denominator"]))),
            **_counts("outside_", window.counted(~inside)),
            **_counts("before_", past.before),
            **_counts("since_", past.since),
            **_counts("now_", past.now),
            **{name: worth[name] for name in ("n_eff", *WORTHS)},
            "explained_share": explained_share(judged.floor, window, scope),
            "worth_since": past.since.shortfall(judged.floor) * value if past.fall else None,
            "opportunity_pace": past.now.shortfall(judged.floor) * value * per_window,
        }

    def _day(self, change: Change | None) -> date | None:
        return None if change is None else self.days.day(change.day)

    def _since(self, fall: Change | None) -> dict[str, date | None]:
        places = (fall.day, fall.earliest, fall.latest) if fall else (None, None, None)
        names = ("since_date", "since_earliest", "since_latest")
        return {
            name: None if place is None else self.days.day(place)
            for name, place in zip(names, places, strict=True)
        }


def _counts(prefix: str, counted: Counted) -> dict[str, float | None]:
    """NULL where there is nothing to count."""
    is_told = counted.trials > 0
    return {
        f"{prefix}numerator": counted.successes if is_told else None,
        f"{prefix}denominator": counted.trials if is_told else None,
    }


def _remembered(memory: pd.DataFrame, night: date) -> list[Remembered]:
    """Each finding as the last run before `night` published it, the oldest first."""
    earlier = memory[pd.to_datetime(memory["window_end"]) < pd.Timestamp(night)]
    newest = earlier.sort_values("window_end").drop_duplicates("finding_id", keep="last")
    told = [
        Remembered(
            str(row["finding_id"]), str(row["step_key"]), from_json(str(row["scope"])),
            pd.Timestamp(row["first_seen"]).date(),
            None if pd.isna(row["healed_date"]) else pd.Timestamp(row["healed_date"]).date(),
        )
        for row in newest.sort_values(["first_seen", "finding_id"]).to_dict("records")
    ]  # fmt: skip
    return [one for one in told if not one.is_over(night)]
