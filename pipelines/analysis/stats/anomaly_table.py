"""Anomalies of a long frame of days: what the dbt model of `fct_anomaly` calls.

What belongs here: from rows to matrices and back, night after night. The formulas are in
`anomalies` and `anomaly_baseline`.
"""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pandas as pd

from pipelines.analysis.stats.anomalies import (
    HISTORY_DAYS,
    WINDOWS,
    Days,
    Signals,
    Surprise,
    judge,
    surprise,
)
from pipelines.analysis.stats.anomaly_baseline import Levels
from pipelines.analysis.stats.arrays import Bools, Floats, Ints, Objects, codes, floats, spread

SERIES = ["property_id", "segment_name", "segment_value", "key"]
"""Columns that tell one rate from another; a day is a row within it, told by date."""

RESULTS = [
    *("numerator", "denominator", "is_declared"),
    *("expected_rate", "relative_change", "p_value", "weeks", "q_value"),
]
LOOKBACK_DAYS = HISTORY_DAYS + max(WINDOWS) - 1


def score_days(frame: pd.DataFrame, first_date: str) -> pd.DataFrame:
    """Anomalies of the days from `first_date` (ISO) on: a row per row of `frame` from then on and
    number of days (`WINDOWS`) that end with it.

    Reads `SERIES`, date, numerator, denominator and the booleans is_declared (a sale, a change),
    is_lost (tracking_lost) and is_flawed (incomplete or thresholded). Give it the 62 days before
    `first_date` too; earlier ones do not matter. Gives `SERIES`, date, window_days, `RESULTS` (sums
    of the counts, is_declared 1 where one of the days is) and alert_kind (missing for no alert). A
    night is a date of a property; nights go in turn, so that an alerted day is no baseline for the
    next.
    """
    dates = pd.to_datetime(frame["date"])
    wanted = (dates >= pd.Timestamp(first_date)).to_numpy()
    scored = frame.loc[wanted, [*SERIES, "date"]]
    if not wanted.any():
        return scored.assign(
            window_days=0,
            **dict.fromkeys(RESULTS, np.nan),
            alert_kind=pd.array([], dtype="string"),
        )
    first = pd.Timestamp(first_date) - pd.Timedelta(days=LOOKBACK_DAYS)
    day = np.asarray((dates - first).dt.days, dtype=np.int64)
    is_near = day >= 0
    series = codes(frame, SERIES)
    board = _Board(frame[is_near], series[is_near], day[is_near])
    scores = [board.score(night) for night in range(LOOKBACK_DAYS, board.successes.shape[1])]
    found, kinds = (np.stack(part) for part in zip(*scores, strict=True))
    nights, rows = day[wanted] - LOOKBACK_DAYS, series[wanted]
    return pd.concat(
        [
            scored.assign(
                window_days=window,
                **dict(zip(RESULTS, found[nights, :, place, rows].T, strict=True)),
                alert_kind=pd.array(kinds[nights, place, rows], dtype="string"),
            )
            for place, window in enumerate(WINDOWS)
        ]
    )


class _Board:
    """Matrices (series, days), the first 62 days being history only."""

    def __init__(self, frame: pd.DataFrame, series: Ints, day: Ints) -> None:
        self.successes: Floats = spread(floats(frame["numerator"]), series, day)
        self.trials: Floats = spread(floats(frame["denominator"]), series, day)
        self._property = spread(codes(frame, ["property_id"]).astype(np.float64), series, day)
        self._is_lost, self._is_flawed, self._is_declared = (
            spread(floats(frame[name].astype("float64")), series, day) > 0
            for name in ("is_lost", "is_flawed", "is_declared")
        )
        self._is_sound: Bools = ~(self._is_lost | self._is_flawed)
        self._is_usable: Bools = self._is_sound & ~self._is_declared
        self._levels = Levels.of(self.successes, self.trials, self._is_usable)

    def score(self, night: int) -> tuple[Floats, Objects]:
        """`RESULTS` (results, windows, series) and alerts (windows, series) of a night, whose
        windows are one family of tests. From then on an alerted day is no baseline.
        """
        windows = [self._days(night, window) for window in WINDOWS]
        found = Surprise(*np.hstack([astuple(surprise(days)) for days in windows]))
        alerts = judge(found, self._signals(night))
        kinds = alerts.kind.reshape(len(WINDOWS), -1)
        self._is_usable[:, night] &= pd.isna(kinds[0])
        counted = [(days.successes.sum(axis=1), days.trials.sum(axis=1)) for days in windows]
        declared = [self._is_declared[:, _last(night, window)].any(axis=1) for window in WINDOWS]
        results = (*np.hstack(counted), np.hstack(declared), *astuple(found), alerts.q_value)
        return np.stack(results).reshape(len(RESULTS), len(WINDOWS), -1), kinds

    def _days(self, night: int, window: int) -> Days:
        """The counts of the window that ends on the night, and of the 56 days before it. Several
        days are told together only where each of them is sound.
        """
        own = _last(night, window)
        past = slice(own.start - HISTORY_DAYS, own.start)
        is_told = self._is_sound[:, own] | (window == 1)
        return Days(
            successes=np.where(is_told, self.successes[:, own], np.nan),
            trials=np.where(is_told, self.trials[:, own], np.nan),
            past_successes=self.successes[:, past],
            past_trials=self.trials[:, past],
            is_usable=self._levels.baseline(past, self._is_usable[:, past]),
        )

    def _signals(self, night: int) -> Signals:
        """The properties of the rows of all windows, and the flaws of the night's own day."""
        family = np.nan_to_num(self._property[:, night], nan=-1).astype(np.int64)
        others: Bools = np.zeros(len(family) * (len(WINDOWS) - 1), dtype=np.bool_)
        return Signals(
            np.tile(family, len(WINDOWS)),
            np.concatenate([self._is_lost[:, night], others]),
            np.concatenate([self._is_flawed[:, night], others]),
        )


def _last(night: int, window: int) -> slice:
    """The places of the last `window` days."""
    return slice(night - window + 1, night + 1)
