"""The truth about experiments: what the users of each variant did after it was shown to them.

Independent on purpose, as truth.py is: counted from the simulator's own arrays. The first variant
that a user sees on a day of the experiment decides; who sees several is left out. What counts is
later than that, up to the experiment's last day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.emulator.simulator.events import CODES, Batch
from pipelines.emulator.simulator.experiments import Experiment
from pipelines.emulator.simulator.truth import KEY_EVENTS, is_first_order
from pipelines.emulator.simulator.visitors import session_ids, user_numbers

EXPERIMENT_COLUMNS = (
    "experiment", "date", "variant", "exposed", "converted", "macro_converted", "revenue",
    "sessions", "converted_sessions",
)  # fmt: skip
"""Of the users that were first exposed on `date`: how many, those with the step and with an order
after it, the orders' worth, sessions from the exposure on, and those of them with the step."""

_OUTCOMES = EXPERIMENT_COLUMNS[1:-2]


@dataclass
class ExperimentTruth:
    """What users did so far that bears upon an experiment; nothing where there is none."""

    experiments: Sequence[Experiment]
    _acts: list[pd.DataFrame] = field(default_factory=list)
    _visits: list[pd.DataFrame] = field(default_factory=list)

    def add_day(self, day: date, batch: Batch) -> None:
        """Takes one local date: `batch` holds every event of it and no other."""
        if not self.experiments:
            return
        events, sessions = batch.events, batch.sessions
        keys = {"purchase", *(one.step_key for one in self.experiments)}
        wanted = np.isin(events.code, [CODES[name] for key in keys for name in KEY_EVENTS[key]])
        frame = pd.DataFrame(
            {
                "date": day,
                "user": user_numbers(sessions)[events.session],
                "visit": session_ids(sessions)[events.session],
                "time_us": events.time_us,
                "code": events.code,
                "exposure": events.exposure,
                "cents": np.where(is_first_order(batch), batch.value_cents(), 0),
                "is_sessionless": events.is_sessionless,
            }
        )
        self._acts.append(frame[wanted | (events.exposure >= 0)])
        own = frame[~events.is_sessionless]
        self._visits.append(own.groupby(["user", "visit", "date"])["time_us"].max().reset_index())

    def close(self) -> tuple[pd.DataFrame, dict[str, int]]:
        """`EXPERIMENT_COLUMNS`, a row for each experiment, open day and variant; and how many users
        of each experiment saw several variants.
        """
        tables, several, code = [], {}, 0
        for one in self.experiments:
            table, several[one.name] = self._rows(one, code)
            tables.append(table)
            code += len(one.arms)
        return pd.concat(tables) if tables else pd.DataFrame(columns=EXPERIMENT_COLUMNS), several

    def _rows(self, one: Experiment, first_code: int) -> tuple[pd.DataFrame, int]:
        acts, visits = (
            table[table["date"].map(one.is_open)]
            for table in (pd.concat(self._acts), pd.concat(self._visits))
        )
        arm = acts["exposure"] - first_code
        shown = acts.assign(variant=arm)[arm.between(0, len(one.arms) - 1)]
        by_user = shown.sort_values("time_us", kind="stable").groupby("user")
        first = by_user[["date", "time_us", "variant"]].first()
        is_mixed = by_user["variant"].nunique() > 1
        first = first[~is_mixed]
        later = acts.merge(first, on="user", suffixes=("", "_shown"))
        later = later[later["time_us"] > later["time_us_shown"]]
        step = later[later["code"].isin([CODES[name] for name in KEY_EVENTS[one.step_key]])]
        orders = later[later["code"] == CODES["purchase"]]
        seen = visits.merge(first, on="user", suffixes=("", "_shown"))
        seen = seen[seen["time_us"] >= seen["time_us_shown"]]
        cohort = ["date_shown", "variant"]
        users_of = {"converted": step, "macro_converted": orders}
        table = pd.DataFrame(
            {
                "exposed": first.groupby(["date", "variant"]).size(),
                **{name: rows.groupby(cohort)["user"].nunique() for name, rows in users_of.items()},
                "revenue": orders.groupby(cohort)["cents"].sum() / 100,
                "sessions": _visits(seen, cohort),
                "converted_sessions": _visits(step[~step["is_sessionless"]], cohort),
            }
        )
        days = sorted(set(acts["date"]))
        every = pd.MultiIndex.from_product([days, range(len(one.arms))], names=["date", "variant"])
        table = table.reindex(every).fillna(0).reset_index()
        table["variant"] = [one.arms[place].name for place in table["variant"]]
        counts = [name for name in EXPERIMENT_COLUMNS[3:] if name != "revenue"]
        table = table.astype(dict.fromkeys(counts, "int64"))
        return table.assign(experiment=one.name)[list(EXPERIMENT_COLUMNS)], int(is_mixed.sum())


def _visits(rows: pd.DataFrame, cohort: list[str]) -> pd.Series:
    return rows.drop_duplicates(["user", "visit"]).groupby(cohort).size()


def write_outcomes(folder: Path, table: pd.DataFrame) -> None:
    """Writes `outcomes_<experiment>.csv` of each experiment, as a testing tool exports it: one row
    a day and variant, counts of the users that it was first shown to on that day.
    """
    for name, rows in table.groupby("experiment"):
        rows[list(_OUTCOMES)].to_csv(folder / f"outcomes_{name}.csv", index=False)
