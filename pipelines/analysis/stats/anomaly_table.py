"""Anomalies of a long frame of days: what the dbt model of `fct_anomaly` calls.

What belongs here: from rows to matrices and back, night after night. The formulas are in
`anomalies`.
"""

import numpy as np
import pandas as pd

from pipelines.analysis.stats.anomalies import (
    HISTORY_DAYS,
    Alerts,
    Days,
    Signals,
    judge,
    surprise,
)
from pipelines.analysis.stats.arrays import Bools, Floats, Ints, codes, floats, spread

SERIES = ["property_id", "segment_name", "segment_value", "key"]
"""Columns that tell one rate from another; a day is a row within it, told by date."""

RESULTS = ["expected_rate", "relative_change", "weeks", "p_value", "q_value"]


def score_days(frame: pd.DataFrame, first_date: str) -> pd.DataFrame:
    """Anomalies of the days from `first_date` (ISO) on, one row per row of `frame` from then on.

    Reads `SERIES`, date, numerator, denominator and the booleans is_declared (a sale, a change, an
    alert of before), is_lost (tracking_lost) and is_flawed (incomplete or thresholded). Give it the
    56 days before `first_date` too; earlier ones do not matter. Gives `SERIES`, date, `RESULTS` and
    alert_kind (missing for no alert). A night is a date of a property; nights go in turn, so that
    an alerted day is no baseline for the next.
    """
    dates = pd.to_datetime(frame["date"])
    wanted = (dates >= pd.Timestamp(first_date)).to_numpy()
    scored = frame.loc[wanted, [*SERIES, "date"]].copy()
    if not wanted.any():
        return scored.assign(**dict.fromkeys(RESULTS, np.nan), alert_kind=None)
    first = pd.Timestamp(first_date) - pd.Timedelta(days=HISTORY_DAYS)
    day = np.asarray((dates - first).dt.days, dtype=np.int64)
    is_near = day >= 0
    series = codes(frame, SERIES)
    board = _Board(frame[is_near], series[is_near], day[is_near])
    found = np.full((len(RESULTS), *board.successes.shape), np.nan)
    kinds = np.full(board.successes.shape, None, dtype=object)
    for night in range(HISTORY_DAYS, board.successes.shape[1]):
        days = board.days(night)
        surprises = surprise(days)
        alerts = judge(days, surprises, board.signals(night))
        found[:, :, night] = (
            *(surprises.expected, surprises.relative_change, surprises.weeks),
            *(surprises.p_value, alerts.q_value),
        )
        kinds[:, night] = alerts.kind
        board.leave_out(night, alerts)
    places = series[wanted], day[wanted]
    columns = {name: values[places] for name, values in zip(RESULTS, found, strict=True)}
    return scored.assign(**columns, alert_kind=kinds[places])


class _Board:
    """Matrices (series, days), the first 56 days being history only."""

    def __init__(self, frame: pd.DataFrame, series: Ints, day: Ints) -> None:
        self.successes: Floats = spread(floats(frame["numerator"]), series, day)
        self.trials: Floats = spread(floats(frame["denominator"]), series, day)
        self._property = spread(codes(frame, ["property_id"]).astype(np.float64), series, day)
        lost, flawed, declared = (
            spread(floats(frame[name].astype("float64")), series, day) > 0
            for name in ("is_lost", "is_flawed", "is_declared")
        )
        self._is_lost: Bools = lost
        self._is_flawed: Bools = flawed
        self._is_usable: Bools = ~(lost | flawed | declared)

    def days(self, night: int) -> Days:
        """The night's counts with the 56 days before."""
        past = slice(night - HISTORY_DAYS, night)
        return Days(
            successes=self.successes[:, night],
            trials=self.trials[:, night],
            past_successes=self.successes[:, past],
            past_trials=self.trials[:, past],
            is_usable=self._is_usable[:, past],
        )

    def signals(self, night: int) -> Signals:
        """The properties of the night's rows, and their flaws."""
        family = np.nan_to_num(self._property[:, night], nan=-1).astype(np.int64)
        return Signals(family, self._is_lost[:, night], self._is_flawed[:, night])

    def leave_out(self, night: int, alerts: Alerts) -> None:
        """An alerted day is no baseline."""
        self._is_usable[:, night] &= pd.isna(alerts.kind)
