"""What the shortfall of a part of the shop is worth in the window.

What belongs here: a single segment's worth is looked up among the leaks, another's is drawn in the
same way. Money in the currency of the shop's orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipelines.analysis.findings.cubes import Scope, as_json
from pipelines.analysis.findings.property_days import SHOP
from pipelines.analysis.findings.rates import Counted
from pipelines.analysis.stats.leak_table import score_leaks

# What int_leaks__scored and int_leaks__chained know of a step's worth.
WORTHS = ("p_gap", "opportunity_p05", "opportunity_p50", "opportunity_p95")


@dataclass(frozen=True)
class Leaks:
    """One property's steps by segment, with their worth."""

    steps: pd.DataFrame

    @property
    def chain(self) -> pd.DataFrame:
        """The shop's own steps, in order."""
        return self.steps[self.steps["segment_name"] == SHOP].sort_values("step_number")

    def of(self, row: dict[str, Any], scope: Scope, counted: Counted) -> dict[str, Any]:
        """Counts, n_eff, downstream_rate, end_value and `WORTHS` of a scope at the shop's step
        `row`: the leak's own where a row of the leaks is about just this part, else drawn for its
        `counted`.
        """
        name, value = scope[0] if scope else (SHOP, SHOP)
        same = self.steps[
            (self.steps["segment_name"] == name)
            & (self.steps["segment_value"] == value)
            & (self.steps["step_key"] == row["step_key"])
            & (self.steps["previous_step_key"] == row["previous_step_key"])
        ]
        if len(scope) > 1 or same.empty or np.isnan(same["p_gap"].iloc[0]):
            return self._drawn(row, scope, counted)
        return {str(column): value for column, value in same.iloc[0].items()}

    def _drawn(self, row: dict[str, Any], scope: Scope, counted: Counted) -> dict[str, Any]:
        """At the shop's order value; those who are won go on like the shop's, for a part has few
        sessions in the steps after its leak.
        """
        own = {
            **row,
            "numerator": counted.successes,
            "denominator": counted.trials,
            "n_eff": counted.trials * row["n_eff"] / row["denominator"],
        }
        later = self.chain[self.chain["step_number"] > row["step_number"]].to_dict("records")
        steps = pd.DataFrame([own, *later]).assign(
            segment_name="scope", segment_value=as_json(scope)
        )
        worth = score_leaks(steps).iloc[0]
        return {**own, **{name: worth[name] for name in WORTHS}}
