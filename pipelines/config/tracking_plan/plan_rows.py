"""From checked rows of text to the plan: what a row says."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.config.tracking_plan.plan_model import (
    Funnel,
    FunnelStep,
    MicroConversion,
    ParameterCondition,
    Row,
    Trigger,
)


def read_micro(row: Row, *, is_applicable: bool, trigger: Trigger | None) -> MicroConversion:
    """One row of micro_conversions, with what the shop says of it beside the columns."""
    return MicroConversion(
        row["key"],
        _split(row["event_names"], "|"),
        tuple(map(_condition, _split(row["parameter_filter"], "&"))),
        _split(row["parameters"], "|"),
        row["family"],
        parent_key=row["parent_key"],
        is_expected=row["is_expected"] == "true",
        origin=row["origin"],
        is_applicable=is_applicable,
        stage=row["stage"],
        trigger=trigger,
    )


def read_funnels(rows: Iterable[Row], micros: Iterable[MicroConversion]) -> tuple[Funnel, ...]:
    """The funnels of funnel_steps, their steps by number."""
    by_key = {micro.key: micro for micro in micros}
    steps: dict[str, list[FunnelStep]] = {}
    for row in sorted(rows, key=lambda row: int(row["step_number"])):
        step = FunnelStep(
            int(row["step_number"]), by_key.get(row["key"]), row["is_optional"] == "true"
        )
        steps.setdefault(row["funnel"], []).append(step)
    return tuple(Funnel(name, tuple(own)) for name, own in steps.items())


def _split(text: str, separator: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(separator) if part.strip())


def _condition(text: str) -> ParameterCondition:
    name, equals, value = text.partition("=")
    operator = ">=" if name.endswith(">") else equals
    return ParameterCondition(name.removesuffix(">"), operator, value.strip())
