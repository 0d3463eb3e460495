"""Findings of long frames: what the dbt model of `fct_finding` calls.

What belongs here: from rows to one property's arrays, and from findings back to rows. The methods
are in the modules beside it; docs/analytics.md, "Findings", has the formulas.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.analysis.findings.cubes import Cube, Scope, as_json, from_json, label
from pipelines.analysis.findings.history import PACE_DAYS, Counted, History, State, history
from pipelines.analysis.findings.identity import Remembered, Sighting, new_id, same_as, state_of
from pipelines.analysis.findings.scan import dispersion
from pipelines.analysis.findings.scopes import (
    Step,
    daily_counts,
    explained_share,
    told_scopes,
    window_counts,
)
from pipelines.analysis.stats.arrays import Bools, Floats
from pipelines.analysis.stats.leak_table import score_leaks

DAYS = 90
# Cubes of several dimensions at once, as int_cells__counted names them.
JOINT = {
    "device_channel_visitor": ("device", "channel", "visitor"),
    "device_country": ("device", "country"),
}
SHOP = "all"
# What int_leaks__scored and int_leaks__chained know of a step's worth.
WORTHS = ("p_gap", "opportunity_p05", "opportunity_p50", "opportunity_p95")
_TAKEN = ("n_eff", *WORTHS)
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
                "n_eff", "p_gap", "opportunity_p05", "opportunity_p50", "opportunity_p95",
                "explained_share", "worth_since", "opportunity_pace",
            )
        ),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Frames:
    """One property's rows: `steps` of the core chain by segment, with their worth; `cells` and
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
    downstream_rate, p_gap and opportunity_p05, _p50, _p95: one window a property. `cells` has
    property_id, date, cube, the columns of `JOINT`, step_key and sessions; `segments` has
    property_id, date, segment_name, segment_value, step_key and sessions. `memory` has property_id,
    window_end, finding_id, step_key, scope, first_seen and healed_date. A step leaks from P(rate <
    floor) of `least_p` on.
    """
    # Parts of a shop of which nobody knows the whole have nothing to be measured by.
    whole = frames.segments[frames.segments["segment_name"] == SHOP]["property_id"]
    known = frames.steps[frames.steps["segment_name"] == SHOP]["property_id"]
    rows = [
        {name: None if value != value else value for name, value in row.items()}  # noqa: PLR0124
        for name, steps in frames.steps.groupby("property_id", sort=True)
        if (whole == name).any() and (known == name).any()
        for row in _Property.of(str(name), steps, frames).rows(least_p)
    ]
    return pa.Table.from_pylist(rows, SCHEMA)


@dataclass(frozen=True)
class _Property:
    """Arrays of one property. `days`: up to `DAYS`, the last of them the window's end."""

    name: str
    steps: pd.DataFrame
    days: pd.DatetimeIndex
    keys: list[str]
    joint: list[Cube]
    single: dict[str, Cube]
    memory: list[Remembered]

    @classmethod
    def of(cls, name: str, steps: pd.DataFrame, frames: Frames) -> _Property:
        own = {
            frame: getattr(frames, frame)[lambda rows: rows["property_id"] == name]
            for frame in ("cells", "segments", "memory")
        }
        shop = steps[steps["segment_name"] == SHOP].sort_values("step_number")
        end = pd.Timestamp(shop["window_end"].iloc[0])
        days = pd.date_range(end - pd.Timedelta(DAYS - 1, "D"), end)
        keys = [str(shop["previous_step_key"].iloc[0]), *map(str, shop["step_key"])]
        joint = [
            Cube.of(rows, dimensions, days, keys)
            for cube, dimensions in JOINT.items()
            if len(rows := own["cells"][own["cells"]["cube"] == cube])
        ]
        single = {
            str(segment): Cube.of(
                rows.rename(columns={"segment_value": segment}), (str(segment),), days, keys
            )
            for segment, rows in own["segments"].groupby("segment_name", sort=True)
        }
        return cls(name, steps, days, keys, joint, single, _remembered(own["memory"], end.date()))

    @property
    def night(self) -> date:
        return self.days[-1].date()

    @property
    def window(self) -> slice:
        start = pd.Timestamp(self.steps["window_start"].iloc[0])
        return slice(max(0, int(self.days.searchsorted(start))), len(self.days))

    def rows(self, least_p: float) -> Iterator[dict[str, Any]]:
        """The findings of every step that has a floor, and what became of earlier ones."""
        shop = self.steps[self.steps["segment_name"] == SHOP].sort_values("step_number")
        for step in shop.to_dict("records"):
            if np.isnan(step["benchmark"]) or not step["denominator"] > 0:
                continue
            yield from self._of_step({str(name): value for name, value in step.items()}, least_p)

    def _of_step(self, row: dict[str, Any], least_p: float) -> Iterator[dict[str, Any]]:
        numerator, denominator = (
            self.keys.index(row[name]) for name in ("step_key", "previous_step_key")
        )
        successes, trials = self.single[SHOP].step(numerator, denominator)
        phi = dispersion(successes[0, self.window], trials[0, self.window])
        step = Step(numerator, denominator, row["benchmark"], row["p_gap"] >= least_p, phi)
        cubes = self._cubes(step)
        weights = [window_counts(cube, step, self.window)[1] for cube in cubes]
        earlier = [one for one in self.memory if one.step_key == row["step_key"]]
        for scope in told_scopes(step, cubes, self.window, least_p):
            before = same_as(scope, earlier, cubes, weights)
            earlier = [one for one in earlier if one is not before]
            yield self._row(row, step, cubes, scope, before, least_p)
        for before in earlier:
            # No scope any more: it improves, or it healed.
            if any(cube.has(before.scope) for cube in cubes):
                yield self._row(row, step, cubes, before.scope, before, least_p)

    def _cubes(self, step: Step) -> list[Cube]:
        """Joint cubes that know the step on every day of the window that the shop's total does,
        the segments that none of these has, and the shop as a whole.
        """
        days = self._told_days(self.single[SHOP], step)
        joint = [cube for cube in self.joint if not (days & ~self._told_days(cube, step)).any()]
        covered = {name for cube in joint for name in cube.dimensions}
        return [
            *joint,
            *(cube for name, cube in self.single.items() if name not in {SHOP, *covered}),
            self.single[SHOP],
        ]

    def _told_days(self, cube: Cube, step: Step) -> Bools:
        successes, _ = cube.step(step.numerator, step.denominator)
        return np.asarray(~np.isnan(successes[:, self.window]).all(axis=0), dtype=np.bool_)

    def _row(
        self,
        row: dict[str, Any],
        step: Step,
        cubes: Sequence[Cube],
        scope: Scope,
        before: Remembered | None,
        least_p: float,
    ) -> dict[str, Any]:
        cube = next(cube for cube in cubes if cube.has(scope))
        told = self._numbers(row, step, cube, scope)
        past = history(*self._series(step, cube, scope), step.floor)
        seen = Sighting(
            self._day(past.last_fall), self._day(past.rise), told["p_gap"], past.p_below_now
        )
        state = state_of(seen, before, self.night, least_p)
        healed = (before.healed_date if before else None) or seen.recovered or self.night
        value = row["end_value"] * told["downstream_rate"]
        return {
            "property_id": self.name,
            "finding_id": before.finding_id
            if before
            else new_id(self.name, row["step_key"], scope, self.night),
            "step_key": row["step_key"],
            "scope": as_json(scope),
            "scope_label": label(scope),
            "state": str(state),
            **{name: row[name] for name in ("window_name", "window_start", "window_end")},
            "first_seen": before.first_seen if before else self.night,
            **self._dates(past),
            "healed_date": healed if state is State.HEALED else None,
            "is_joint": len(cube.dimensions) > 1,
            **told["counts"],
            **_counts("before_", past.before),
            **_counts("since_", past.since),
            **_counts("now_", past.now),
            **{name: told[name] for name in _TAKEN},
            "explained_share": explained_share(step, cube, self.window, scope),
            "worth_since": _worth(past.since, step.floor) * value if past.fall else None,
            "opportunity_pace": _worth(past.now, step.floor) * value * self._pace(past),
        }

    def _numbers(self, row: dict[str, Any], step: Step, cube: Cube, scope: Scope) -> dict[str, Any]:
        """Counts and worth of the scope in the window: those of `fct_leak` where it has the part of
        the shop, else drawn in the same way, at the shop's order value.
        """
        name, value = scope[0] if scope else (SHOP, SHOP)
        same = self.steps[
            (self.steps["segment_name"] == name)
            & (self.steps["segment_value"] == value)
            & (self.steps["step_key"] == row["step_key"])
            & (self.steps["previous_step_key"] == row["previous_step_key"])
        ]
        if len(scope) > 1 or same.empty or np.isnan(same["p_gap"].iloc[0]):
            own = self._drawn(row, step, cube, scope)
        else:
            own = same.iloc[0].to_dict()
        inside = cube.members(scope)
        successes, trials = window_counts(cube, step, self.window)
        outside = Counted(float(successes[~inside].sum()), float(trials[~inside].sum()))
        counts = {name: float(own[name]) for name in ("numerator", "denominator")}
        return {**own, "counts": {**counts, **_counts("outside_", outside)}}

    def _drawn(self, row: dict[str, Any], step: Step, cube: Cube, scope: Scope) -> dict[str, Any]:
        """The step of a scope with its worth: those who are won go on like the shop's, for a part
        has few sessions in the steps after its leak.
        """
        shop = self.steps[self.steps["segment_name"] == SHOP].sort_values("step_number")
        place = list(shop["step_key"]).index(row["step_key"])
        successes, trials = (
            float(counts[cube.members(scope)].sum())
            for counts in window_counts(cube, step, self.window)
        )
        own = pd.DataFrame(
            {
                "segment_name": "scope",
                "segment_value": as_json(scope),
                "numerator": successes,
                "denominator": trials,
                "n_eff": trials * row["n_eff"] / row["denominator"],
            },
            index=shop.index[place : place + 1],
        )
        chain = shop[place:].assign(
            segment_name="scope", segment_value=as_json(scope), order_value=shop["end_value"]
        )
        chain.update(own)
        worth = score_leaks(chain).iloc[0]
        return {**row, **chain.iloc[0], **{name: worth[name] for name in WORTHS}}

    def _series(self, step: Step, cube: Cube, scope: Scope) -> tuple[Floats, Floats]:
        """Daily successes and trials of the scope: of its segment's own report where it is one
        value, which has the longest history. (days,) each.
        """
        if len(scope) <= 1:
            name = scope[0][0] if scope else SHOP
            own = self.single.get(name, cube)
            cube, scope = own, scope if scope else ((SHOP, SHOP),)
        return daily_counts(cube, step, scope)

    def _day(self, change: Any) -> date | None:
        return None if change is None else self.days[change.day].date()

    def _dates(self, past: History) -> dict[str, date | None]:
        fall = past.fall
        places = (
            {"date": fall.day, "earliest": fall.earliest, "latest": fall.latest} if fall else {}
        )
        since = {
            f"since_{name}": self.days[places[name]].date() if places else None
            for name in ("date", "earliest", "latest")
        }
        return {**since, "recovered_date": self._day(past.rise)}

    def _pace(self, past: History) -> float:
        """How often the days of `now` fit into the window."""
        last = max((change.day for change in (past.last_fall, past.rise) if change), default=0)
        days = min(PACE_DAYS, len(self.days) - last)
        return int(self.window.stop - self.window.start) / days


def _counts(prefix: str, counted: Counted) -> dict[str, float | None]:
    """NULL where there is nothing to count."""
    is_told = counted.trials > 0
    return {
        f"{prefix}numerator": counted.successes if is_told else None,
        f"{prefix}denominator": counted.trials if is_told else None,
    }


def _worth(counted: Counted, floor: float) -> float:
    """Successes that a stretch of days lacks to the floor."""
    return max(0.0, floor * counted.trials - counted.successes)


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
