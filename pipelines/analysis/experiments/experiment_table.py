"""The rows of a night: each experiment's variants against the control, and each metric's plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import pyarrow as pa

from pipelines.analysis.experiments.analysis import Analysis, ExperimentPlan, analyse
from pipelines.analysis.experiments.analysis_json import as_dict
from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.planner import Plan
from pipelines.analysis.experiments.register import OVER, Kind, State, begun
from pipelines.analysis.experiments.stored import from_rows, refuse_stored_variants

_DOUBLES = (
    "rate", "ci_low", "ci_high", "control_rate", "difference", "difference_ci_low",
    "difference_ci_high", "p_value", "p_holm", "probability_better", "expected_loss",
    "sequential_p_value", "sequential_ci_low", "sequential_ci_high", "macro_difference",
    "macro_ci_low", "macro_ci_high", "sample_ratio_p_value", "sample_ratio_e_value",
    "smallest_effect", "units_planned", "numerator", "denominator", "control_numerator",
    "control_denominator",
)  # fmt: skip
_COUNTS = ("exposed", "control_exposed", "macro_converted", "control_macro_converted")
_TEXTS = (
    "change_id", "variant", "control", "method", "verdict", "reason", "experiment_verdict",
    "experiment_reason",
)  # fmt: skip
_COMPARISON = pa.struct(
    [
        *((name, pa.string()) for name in _TEXTS),
        *((name, pa.int64()) for name in _COUNTS),
        *((name, pa.float64()) for name in _DOUBLES),
        *((name, pa.date32()) for name in ("first_date", "last_date")),
        ("weeks_left", pa.int32()),
    ]
)
_METRIC = pa.struct(
    [
        *((name, pa.string()) for name in ("key", "parent_key", "family", "recommended")),
        *((name, pa.int64()) for name in ("numerator", "denominator", "units_per_arm")),
        *((name, pa.int32()) for name in ("weeks", "weeks_nightly")),
        *(
            (name, pa.float64())
            for name in ("rate", "phi", "weekly_units", "lift", "detectable_lift", "speed_up")
        ),
    ]
)
SCHEMA = pa.schema(
    [
        ("property_id", pa.string()),
        ("comparisons", pa.list_(_COMPARISON)),
        ("metrics", pa.list_(_METRIC)),
    ]
)


def scored_properties(
    changes: pd.DataFrame, outcomes: pd.DataFrame, plans: Mapping[str, Plan | None]
) -> pa.Table:
    """`SCHEMA`, a row for each property of `changes` (stg_register__changes).

    `outcomes`: stg_register__outcomes; `plans`: property → the plan of its metrics, None where it
    has no rate to plan with.
    """
    rows = []
    for name, own in changes.groupby("property_id", sort=True):
        planned = set(own.loc[own["state"] == State.PLANNED, "change_id"])
        tried = own[own["kind"] == Kind.EXPERIMENT].sort_values("change_id")
        comparisons = [
            row
            for experiment in tried.to_dict("records")
            for row in compared(
                experiment | {"overlaps_with": begun(experiment["overlaps_with"], planned)},
                outcomes[_is_of(outcomes, experiment)],
            )
        ]
        plan = plans[str(name)]
        metrics = [] if plan is None else _metrics(plan)
        rows.append({"property_id": name, "comparisons": comparisons, "metrics": metrics})
    return pa.Table.from_pylist(rows, SCHEMA)


def compared(experiment: Mapping[Any, Any], outcomes: pd.DataFrame) -> list[dict[str, Any]]:
    """A row for each variant but the control; without a result it says why in `reason`."""
    variants: dict[str, float] = json.loads(experiment["variants"])
    control, *others = variants
    names = [
        {"change_id": experiment["change_id"], "control": control, "variant": one} for one in others
    ]
    try:
        found = _analysed(experiment, variants, outcomes)
    except ExperimentError as error:
        return [{**one, "reason": str(error), "experiment_reason": str(error)} for one in names]
    result = as_dict(found)
    rows = {row["variant"]: row for row in result["variants"]}
    by_variant = {one["variant"]: one for one in result["comparisons"]}
    days = found.outcomes.days or (None,)
    # Of a hidden result only what is said of the whole experiment.
    decided = ("verdict", "reason", "weeks_left")
    return [
        {
            **one,
            **_counts(rows[one["variant"]], rows[control]),
            **_differences(by_variant.get(one["variant"])),
            **{name: by_variant.get(one["variant"], result)[name] for name in decided},
            "experiment_verdict": result["verdict"],
            "experiment_reason": result["reason"],
            "sample_ratio_p_value": result["srm_p_value"],
            "sample_ratio_e_value": result["srm_e_value"],
            "smallest_effect": result["smallest_effect"],
            "units_planned": result["units_planned"],
            "first_date": days[0],
            "last_date": days[-1],
        }
        for one in names
    ]


def _is_of(outcomes: pd.DataFrame, experiment: Mapping[Any, Any]) -> pd.Series:
    is_of: pd.Series = (outcomes["property_id"] == experiment["property_id"]) & (
        outcomes["change_id"] == experiment["change_id"]
    )
    return is_of


def _analysed(
    experiment: Mapping[Any, Any], variants: dict[str, float], outcomes: pd.DataFrame
) -> Analysis:
    """Raises ExperimentError with why there is no analysis."""
    if pd.notna(experiment["problem"]):
        raise ExperimentError(experiment["problem"])
    if experiment["state"] == State.PLANNED:
        raise ExperimentError(f"It begins on {experiment['start_date']:%Y-%m-%d}.")
    refuse_stored_variants(outcomes["variant"], variants)
    left_out = experiment["users_left_out"]
    effect = experiment["smallest_effect"]
    plan = ExperimentPlan(
        experiment["change_id"],
        variants,
        None if pd.isna(effect) else effect,
        overlaps_with=tuple(experiment["overlaps_with"]),
        has_ended=experiment["state"] in OVER,
    )
    stored = from_rows(outcomes, list(variants), 0 if pd.isna(left_out) else int(left_out))
    is_naive = pd.notna(experiment["naive_variance"]) and bool(experiment["naive_variance"])
    return analyse(replace(stored, is_naive=is_naive), plan)


def _counts(own: Mapping[str, Any], control: Mapping[str, Any]) -> dict[str, Any]:
    """Counts stay where the result is hidden: they show what is wrong with a split."""
    return {
        "exposed": own["exposed"],
        "numerator": own["converted"],
        "denominator": own["denominator"],
        "rate": own["rate"],
        "ci_low": own["ci_low"],
        "ci_high": own["ci_high"],
        "macro_converted": own.get("macro_converted"),
        "control_exposed": control["exposed"],
        "control_numerator": control["converted"],
        "control_denominator": control["denominator"],
        "control_rate": control["rate"],
        "control_macro_converted": control.get("macro_converted"),
    }


def _differences(one: Mapping[str, Any] | None) -> dict[str, Any]:
    """Nothing where the result is hidden."""
    if one is None:
        return {}
    looks, macro = one["sequential"], one["macro"] or {}
    return {
        "difference": one["difference"],
        "difference_ci_low": one["ci_low"],
        "difference_ci_high": one["ci_high"],
        "method": one["method"],
        "p_value": one["p_value"],
        "p_holm": one["p_holm"],
        "probability_better": one["probability_better"],
        "expected_loss": one["expected_loss"],
        "sequential_p_value": looks["p_value"],
        "sequential_ci_low": looks["ci_low"],
        "sequential_ci_high": looks["ci_high"],
        "macro_difference": macro.get("difference"),
        "macro_ci_low": macro.get("ci_low"),
        "macro_ci_high": macro.get("ci_high"),
    }


def _metrics(plan: Plan) -> list[dict[str, Any]]:
    names = {field.name for field in _METRIC}
    roles = {plan.guardrail: "guardrail", plan.primary: "primary"}
    return [
        {
            **{name: value for name, value in one.items() if name in names},
            "recommended": roles.get(one["key"]),
        }
        for one in plan.as_dict()["metrics"]
    ]
