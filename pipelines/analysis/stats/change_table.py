"""Changes of a long frame: what the dbt model of `fct_funnel_change` calls.

What belongs here: from rows to matrices and back. The formulas are in `change`.
"""

import pandas as pd

from pipelines.analysis.stats.arrays import codes, floats, places, spread
from pipelines.analysis.stats.change import Segments, rate_and_mix, stage_contributions
from pipelines.analysis.stats.frame_keys import CELL, STAGE

COUNTS = ("numerator", "denominator")


def score_stages(frame: pd.DataFrame) -> pd.DataFrame:
    """Contribution of each factor to the change of a cell's revenue, one row per row of `frame`.

    Reads `CELL`, factor_number (visits first, order value last), factor (now) and prior_factor.
    Gives `CELL`, factor_number and contribution, which add up to the change of the product.
    """
    cell = codes(frame, CELL)
    place = places(cell, floats(frame["factor_number"]))
    before = spread(floats(frame["prior_factor"]), cell, place)
    after = spread(floats(frame["factor"]), cell, place)
    parts = stage_contributions(before, after)
    return frame[[*CELL, "factor_number"]].assign(contribution=parts[cell, place])


def score_segments(frame: pd.DataFrame) -> pd.DataFrame:
    """Rate and mix effect of each segment on its stage, one row per row of `frame`.

    Reads `STAGE`, segment_value, numerator, denominator, prior_numerator and
    prior_denominator. Gives `STAGE`, segment_value, rate_effect and mix_effect, and of the stage
    total_rate_effect, total_mix_effect, change, is_simpson and is_mix_driven.
    """
    stage = codes(frame, STAGE)
    place = places(stage, codes(frame, ["segment_value"]).astype(float))
    now, past = (
        Segments(*(spread(floats(frame[prefix + name]), stage, place) for name in COUNTS))
        for prefix in ("", "prior_")
    )
    found = rate_and_mix(past, now)
    return frame[[*STAGE, "segment_value"]].assign(
        rate_effect=found.rate[stage, place],
        mix_effect=found.mix[stage, place],
        total_rate_effect=found.total_rate[stage],
        total_mix_effect=found.total_mix[stage],
        change=found.change[stage],
        is_simpson=found.is_simpson[stage],
        is_mix_driven=found.is_mix_driven[stage],
    )
