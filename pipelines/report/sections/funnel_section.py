"""The core funnel, step by step, and where its sessions ended."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.report import formatting
from pipelines.report.charts import BarMark, RateMark, Stretch, bars, scale_of, trend_of
from pipelines.report.components import FunnelRow, Rates, Section
from pipelines.report.page_data import PropertyData, Window
from pipelines.report.rows.funnel import End, Step
from pipelines.report.rows.tracking import SESSIONLESS
from pipelines.report.sections.benchmark_section import beside
from pipelines.report.sections.verdict import UNDECIDED

_TELLING = {"moderate", "strong"}


def period(window: Window) -> str:
    """Which days the window has."""
    if not window.whole:
        return f"Last {window.days} days"
    step = window.whole[0]
    days = f"{formatting.bare_day(step.window_start)} to {formatting.day(step.window_end)}"
    if step.days_loaded < step.window_days:
        return f"{days}, of which {step.days_loaded} of {step.window_days} days are loaded"
    return days


def funnel_rows(shop: PropertyData, window: Window) -> tuple[FunnelRow, ...]:
    """Every step: of the step before, of all sessions, against its benchmark, over 90 days."""
    return tuple(_row(shop, window, step) for step in window.whole)


def end_marks(ends: Sequence[End]) -> tuple[BarMark, ...]:
    """Where the sessions ended, as shares of all of them."""
    return bars([(_ended_at(end), _ended(end), end.ended_share) for end in ends])


def device_section(window: Window) -> Section:
    """The same step on every device."""
    steps = [one for one in window.steps if one.segment_name == "device" and one.previous_label]
    if not steps:
        return Section("Devices", ("No numbers by device are there yet.",))
    below = [step for step in steps if step.verdict == "below"]
    said = (
        " ".join(
            f"“{step.step_label}” on {step.segment_value} is below its usual range."
            for step in below
        )
        or "No device is surely below a usual range."
    )
    charts = []
    for name in dict.fromkeys(step.step_label for step in steps):
        marks = tuple(rate_mark(one, one.segment_value) for one in steps if one.step_label == name)
        charts.append(Rates(name, marks, scale_of(marks)))
    return Section("Devices", (said,), rates=tuple(charts))


def rate_mark(step: Step, label: str) -> RateMark:
    """A step as a mark of a rate chart."""
    return RateMark(
        label=label,
        text=_missing(step)
        if step.rate is None
        else formatting.rate_of(step.rate, step.reached, step.previous_reached),
        rate=step.rate,
        low=step.ci_low,
        high=step.ci_high,
        band_low=step.benchmark_low,
        band_high=step.benchmark_high,
        before=step.prior_rate,
        verdict="" if step.verdict is None or step.rate is None else _verdict(step),
    )


def _row(shop: PropertyData, window: Window, step: Step) -> FunnelRow:
    share = _share(step, window.whole[0])
    weeks = [
        Stretch(one.start, one.end, one.rate)
        for one in shop.step_weeks
        if one.step_key == step.step_key
    ]
    band = (
        (step.benchmark_low, step.benchmark_high)
        if step.benchmark_low is not None and step.benchmark_high is not None
        else None
    )
    words = f"{step.step_label}: rate by calendar week; the last whole one: " + (
        formatting.percent(weeks[-1].value) if weeks else formatting.NOTHING
    )
    return FunnelRow(
        label=step.step_label,
        reached=formatting.state_words(step.state)
        if _is_countless(step)
        else formatting.count(step.reached),
        share=share,
        of_all="" if share is None or not step.previous_label else formatting.percent(share),
        of_before="" if step.rate is None else formatting.percent(step.rate),
        missing=_missing(step) if step.previous_label and step.rate is None else "",
        benchmark=formatting.band(*band) if band else "",
        verdict=_verdict(step) if band and step.rate is not None else "",
        change=_change(step),
        trend=trend_of(weeks, words, band=band) if step.previous_label and weeks else None,
        beside=beside(window, step),
    )


def _share(step: Step, first: Step) -> float | None:
    """Of all sessions; None where either is no number."""
    if step.reached is None or _is_countless(step) or not first.reached:
        return None
    return step.reached / first.reached


def _is_countless(step: Step) -> bool:
    """Whether its sessions are no number: not tracked is no zero, and nor is sessionless."""
    return step.reached is None or step.state == SESSIONLESS


def _missing(step: Step) -> str:
    why = formatting.missing_words(step.state, step.reached is not None)
    if step.state == SESSIONLESS and step.reached is not None:
        return (
            f"{why} ({formatting.count(step.reached)} of {formatting.count(step.previous_reached)})"
        )
    return why


def _verdict(step: Step) -> str:
    said = formatting.verdict_words(step.verdict)
    if step.directional_evidence in _TELLING and step.verdict in UNDECIDED:
        said += f"; {step.directional_evidence} evidence that it is below"
    if step.verdict == "insufficient_data" and step.weeks_to_know:
        said += f"; {formatting.known_in(step.weeks_to_know)}"
    return said


def _change(step: Step) -> str:
    """The change since the window before, and whether it may be chance."""
    if step.change is None or step.change_low is None or step.change_high is None:
        return ""
    said = f"{formatting.points(step.change)} from {formatting.percent(step.prior_rate)}"
    return f"{said} (may be chance)" if step.change_low <= 0 <= step.change_high else said


def _ended_at(end: End) -> str:
    return f"{end.step_label}, then left" if end.next_label else end.step_label


def _ended(end: End) -> str:
    if end.ended_share is None:
        return formatting.state_words(end.status)
    return f"{formatting.percent(end.ended_share)} ({formatting.count(end.ended_sessions)})"
