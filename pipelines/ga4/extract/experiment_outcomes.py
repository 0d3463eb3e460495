"""Experiments through v1alpha's funnels: users of each variant, and how many did it afterwards.

A closed funnel of exposure and outcome, broken down by the exposure's parameter: a user has the
value of the event by which they entered, so the first exposure decides. Nobody can tell users
apart in it: those of several variants are with the first one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.metrics import Outcomes
from pipelines.analysis.experiments.register import Per
from pipelines.config.tracking_plan import FunnelStep, MicroConversion, ParameterCondition
from pipelines.experiments.exposed import Exposed, variants_of
from pipelines.ga4.api_errors import AuditError
from pipelines.ga4.date_windows import Period
from pipelines.ga4.decode.funnel_answer import fill_steps, read_steps
from pipelines.ga4.extract.funnel_reports import ask_funnel
from pipelines.ga4.funnel_request import BREAKDOWN_VALUES, funnel_request, range_name
from pipelines.ga4.report_query import Answer, Ask, DataApi
from pipelines.ga4.report_spec import ALL_DEVICES, ReportKind, ReportSpec
from pipelines.wording import shown

_SPEC = ReportSpec("experiments", (), (), is_required=False, kind=ReportKind.FUNNEL)


def pull_experiment(
    client: DataApi, one: Exposed, end: date, registered: frozenset[str] | None
) -> Outcomes:
    """Totals of each variant from the experiment's start to `end`, or to its own.

    They are the last of two looks, the first of which saw nothing: a total of every night is looked
    at every night. `registered`: parameters that are custom dimensions, None where nobody knows.
    Raises ExperimentError where GA4 cannot tell, AuditError, and what the client raises.
    """
    entry = one.entry
    _refuse_untold(one, registered)
    period = Period("experiment", entry.start, min(end, entry.end or end))
    if period.end < period.start:
        raise ExperimentError(
            f"It began on {entry.start}, and the newest day of property {entry.property_id} is "
            f"{end}: nothing is there to count yet."
        )
    ask = Ask(client, entry.property_id, _SPEC, period.start, period.end)
    answers = {
        micro.key: _reached(ask, one, micro, period)
        for micro in dict.fromkeys((one.primary, one.guardrail))
    }
    exposed, converted = (_users(answers[one.primary.key], step) for step in (1, 2))
    macro = _users(answers[one.guardrail.key], 2)
    where = f"property {entry.property_id} from {period.start} to {period.end}"
    variants = variants_of(one, exposed, where)

    def by_variant(users: Mapping[str, int]) -> list[int]:
        return [
            sum(users.get(value, 0) for value, name in variants.items() if name == variant)
            for variant in one.trial.variants
        ]

    totals = {
        "exposed": by_variant(exposed),
        "converted": by_variant(converted),
        "macro_converted": by_variant(macro),
    }
    _refuse_more(totals)
    is_sampled = any(answer.flags.is_sampled for answer in answers.values())
    return _outcomes(one, period, totals, is_sampled=is_sampled)


def _refuse_untold(one: Exposed, registered: frozenset[str] | None) -> None:
    name, parameter = shown(one.entry.id), one.exposure.parameter
    if one.trial.per is not Per.USER:
        raise ExperimentError(
            f"GA4's Data API does not tell the sessions of a variant's users: leave 'per' out of "
            f"the experiment {name}, or read the property from its event export."
        )
    if len(one.trial.variants) > BREAKDOWN_VALUES:
        raise ExperimentError(
            f"GA4's Data API tells {BREAKDOWN_VALUES} variants at most, and the experiment {name} "
            f"has {len(one.trial.variants)}: read the property from its event export, or name a "
            "file of outcomes."
        )
    if registered is not None and parameter not in registered:
        raise ExperimentError(
            f"The parameter {parameter} is no custom dimension of property "
            f"{one.entry.property_id}: register it in GA4 (Admin, Custom definitions, scope "
            "event), or name a file of outcomes."
        )


def _reached(ask: Ask, one: Exposed, micro: MicroConversion, period: Period) -> Answer:
    """By value of the parameter the users who were exposed (1), and those who did it later (2)."""
    exposure = MicroConversion(
        "exposure",
        (one.exposure.event,),
        (ParameterCondition(one.exposure.parameter, "~", one.pattern),),
    )
    steps = (FunnelStep(1, exposure), FunnelStep(2, micro))
    dimension = f"customEvent:{one.exposure.parameter}"
    request = funnel_request(ask.property_id, steps, (period,), dimension)

    def read(message: Any) -> pa.Table:
        rows = read_steps(
            message.funnel_table, dimension, [range_name(period)], len(steps), ask.spec.name
        )
        return fill_steps(rows, len(steps))

    return ask_funnel(ask, request, read)


def _users(answer: Answer, step: int) -> dict[str, int]:
    """Value of the parameter → users of a step."""
    return {
        row["value"]: row["active_users"]
        for row in answer.rows.to_pylist()
        if row["number"] == step and row["value"] != ALL_DEVICES
    }


def _refuse_more(totals: Mapping[str, list[int]]) -> None:
    for name in ("converted", "macro_converted"):
        for users, did in zip(totals["exposed"], totals[name], strict=True):
            if did > users:
                raise AuditError(
                    f"GA4 tells {did:,} users who did it of {users:,} who were exposed, by the "
                    "error of its estimates: run the same night again later."
                )


def _outcomes(
    one: Exposed, period: Period, totals: Mapping[str, list[int]], *, is_sampled: bool
) -> Outcomes:
    looks = sorted({period.start, period.end})
    frame = pd.concat(
        pd.DataFrame(
            {
                "date": day,
                "variant": list(one.trial.variants),
                **{name: [n * (day == period.end) for n in row] for name, row in totals.items()},
            }
        )
        for day in looks
    )
    note = f"Counted by GA4 as a funnel of its users from {period.start} to {period.end}."
    sampled = ("It read a sample of the events and scaled what it counted.",) if is_sampled else ()
    return Outcomes.from_totals(frame, notes=(note, *sampled), is_naive=True)
