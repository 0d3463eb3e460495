"""An analysis as JSON: names and order are what scripts rely on (docs/experiments.md, "JSON")."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from scipy import stats

from pipelines.analysis.experiments import sequential
from pipelines.analysis.experiments.analysis import Analysis
from pipelines.analysis.experiments.comparisons import Comparison
from pipelines.analysis.experiments.metrics import Outcomes
from pipelines.analysis.experiments.verdicts import Verdict
from pipelines.analysis.stats.intervals import CONFIDENCE, wilson

Z = float(stats.norm.ppf((1 + CONFIDENCE) / 2))


def as_dict(found: Analysis) -> dict[str, Any]:
    """A number that there is not is None; so are the rates where the split is broken."""
    is_shown = found.decision.verdict is not Verdict.INVALID
    made = {
        "name": found.plan.name,
        "variants": [
            _variant(found.outcomes, number, is_shown)
            for number in range(len(found.outcomes.variants))
        ],
        "srm_p_value": found.split.p_value,
        "srm_e_value": found.split.e_value,
        "comparisons": [_comparison(one) for one in found.comparisons],
        "verdict": found.decision.verdict,
        "reason": found.decision.reason,
        "weeks_left": found.decision.weeks_left,
        "alpha": found.plan.alpha,
        "smallest_effect": found.smallest_effect,
        "units_planned": found.units_planned,
        "users_left_out": found.outcomes.left_out,
        "naive_variance": found.outcomes.is_naive,
        "notes": list(found.outcomes.notes),
    }
    cleaned: dict[str, Any] = _without_nan(made)
    return cleaned


def _variant(outcomes: Outcomes, number: int, is_shown: bool) -> dict[str, Any]:
    metric = outcomes.primary
    row: dict[str, Any] = {
        "variant": outcomes.variants[number],
        "exposed": int(outcomes.exposed[-1, number]),
        "converted": _whole(metric.successes[-1, number]),
        "rate": None,
        "ci_low": None,
        "ci_high": None,
        "denominator": _whole(metric.trials[-1, number]),
    }
    if outcomes.macro is not None:
        row["macro_converted"] = int(outcomes.macro.successes[-1, number])
    if outcomes.revenue is not None:
        row["revenue"] = float(outcomes.revenue[number])
    if not is_shown:
        return row
    row["rate"] = float(metric.rate[-1, number])
    if metric.is_share:
        interval = wilson(metric.counts(number))
        row["ci_low"], row["ci_high"] = float(interval.low[0]), float(interval.high[0])
    else:
        half = Z * float(np.sqrt(metric.variance[-1, number]))
        row["ci_low"], row["ci_high"] = row["rate"] - half, row["rate"] + half
    return row


def _comparison(one: Comparison) -> dict[str, Any]:
    macro = None
    if one.macro is not None and one.macro_looks is not None:
        macro = {**asdict(one.macro), "sequential": _last(one.macro_looks)}
    return {
        "control": one.control,
        "variant": one.variant,
        **asdict(one.fixed),
        "probability_better": one.probability_better,
        "expected_loss": one.expected_loss,
        "sequential": {**_last(one.looks), "stopped_on": one.stopped_on},
        "p_holm": one.p_holm,
        "days": None if one.days is None else asdict(one.days),
        "macro": macro,
        "verdict": one.decision.verdict,
        "reason": one.decision.reason,
        "weeks_left": one.decision.weeks_left,
    }


def _last(looks: sequential.Looks) -> dict[str, float]:
    return {
        "statistic": float(looks.statistic[-1]),
        "p_value": float(looks.p_value[-1]),
        "ci_low": float(looks.ci_low[-1]),
        "ci_high": float(looks.ci_high[-1]),
    }


def _whole(value: float) -> float | int:
    return int(value) if float(value).is_integer() else float(value)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and np.isnan(value) else value
