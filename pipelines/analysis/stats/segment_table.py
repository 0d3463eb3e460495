"""Shortfalls by segment of a long frame: what the dbt model of `fct_leak` calls for its segments.

What belongs here: from rows to matrices and back. The formulas are in `segments`.
"""

import numpy as np
import pandas as pd

from pipelines.analysis.stats.arrays import Floats, codes, floats, places, spread
from pipelines.analysis.stats.frame_keys import STAGE
from pipelines.analysis.stats.segments import Parts, balance


def score_segments(frame: pd.DataFrame) -> pd.DataFrame:
    """Signed value, shortfall and surplus of each segment, one row per row of `frame`.

    Reads `STAGE`, segment_value, numerator, denominator, and of the shop, the same in all rows of a
    step: shop_numerator, shop_denominator, benchmark and value (money per success more: the shop's
    downstream rate and order value). Gives `STAGE`, segment_value, signed, shortfall,
    surplus, and of the step rest and total: signed values and rest add up to the total exactly.
    """
    step = codes(frame, STAGE)
    place = places(step, codes(frame, ["segment_value"]).astype(np.float64))

    def matrix(name: str) -> Floats:
        return spread(floats(frame[name]), step, place)

    parts = Parts(
        successes=matrix("numerator"),
        trials=matrix("denominator"),
        shop_successes=matrix("shop_numerator")[:, 0],
        shop_trials=matrix("shop_denominator")[:, 0],
    )
    found = balance(parts, matrix("benchmark")[:, 0], matrix("value")[:, 0])
    return frame[[*STAGE, "segment_value"]].assign(
        signed=found.signed[step, place],
        shortfall=found.shortfall[step, place],
        surplus=found.surplus[step, place],
        rest=found.rest[step],
        total=found.total[step],
    )
