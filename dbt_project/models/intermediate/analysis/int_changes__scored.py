"""What changed revenue (each factor, LMDI) and a step (its segments' rates, and their mix)."""

import pandas as pd

from pipelines.analysis.stats.change_table import score_segments, score_stages

NAMES = {"sessions": "numerator", "prior_sessions": "prior_numerator"}


def model(dbt, session):
    dbt.config(materialized="table")
    stages = score_stages(dbt.ref("int_changes__factored").df()).assign(effect="stage")
    steps = dbt.ref("int_changes__paired")
    parts = steps.filter("segment_name <> 'all' and previous_step_key is not null")
    split = score_segments(parts.df().rename(columns=NAMES))
    split = split.rename(columns={"step_number": "factor_number"})
    effects = [
        split.assign(effect=effect, contribution=split[f"{effect}_effect"])
        for effect in ("rate", "mix")
    ]
    marks = ["is_simpson", "is_mix_driven"]
    scored = pd.concat([stages, *effects])[[*stages.columns, *marks]]
    return scored.astype(dict.fromkeys(marks, "boolean"))
