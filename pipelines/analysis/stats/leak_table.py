"""Leaks of a long frame: what the dbt model of `fct_leak` calls.

What belongs here: from rows to matrices and back. The formulas are in `leaks` and
`leak_draws`.
"""

import numpy as np
import pandas as pd

from pipelines.analysis.stats.arrays import Floats, codes, floats, places, spread
from pipelines.analysis.stats.attribution import in_cents, round_to_total
from pipelines.analysis.stats.frame_keys import CELL
from pipelines.analysis.stats.leak_draws import Draws, simulate
from pipelines.analysis.stats.leaks import Chains, allocated, joint_gain, stand_alone

GRAIN = [*CELL, "step_number"]


def score_leaks(frame: pd.DataFrame, draws: Draws | None = None) -> pd.DataFrame:
    """Leaks of funnels, one row per row of `frame`, in its order.

    Reads `GRAIN`, numerator, denominator (the step before in the chain), benchmark (floor or
    midpoint, missing where there is none), end_value (per cell, what one more at its last step
    brings, in its currency) and, where there is any, n_eff (else the denominator) and
    end_value_error (else the value is certain). Only tracked steps may be given, the first of a
    cell being the one from all visits. Gives `GRAIN`, opportunity (at the observed rates),
    opportunity_p05, _p50, _p95, p_gap, p_biggest, leak_rank, allocated, and joint_gain of the cell;
    rounded so that the allocated values add up to it.
    """
    cell = codes(frame, CELL)
    step = places(cell, floats(frame["step_number"]))

    def matrix(name: str) -> Floats:
        values = floats(frame[name]) if name in frame else np.full(len(frame), np.nan)
        return spread(values, cell, step)

    trials, n_eff = matrix("denominator"), matrix("n_eff")
    chains = Chains(
        successes=matrix("numerator"),
        trials=trials,
        n_eff=np.where(np.isnan(n_eff), trials, n_eff),
        benchmark=matrix("benchmark"),
        order_value=matrix("end_value")[:, 0],
        order_value_error=matrix("end_value_error")[:, 0],
    )
    found = simulate(chains, draws)
    visits = trials[:, 0]
    joint = joint_gain(chains, visits)
    shared = round_to_total(allocated(chains, visits), joint)
    columns = {
        "opportunity": stand_alone(chains),
        "opportunity_p05": found.p05,
        "opportunity_p50": found.p50,
        "opportunity_p95": found.p95,
        "p_gap": found.p_gap,
        "p_biggest": found.p_biggest,
        "leak_rank": found.rank,
        "allocated": shared,
    }
    scored = frame[GRAIN].assign(**{name: values[cell, step] for name, values in columns.items()})
    return scored.assign(joint_gain=in_cents(joint)[cell])
