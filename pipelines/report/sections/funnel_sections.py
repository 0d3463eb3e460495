"""The core funnel against its benchmarks, and the devices side by side."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.report import formatting
from pipelines.report.charts import BarMark, RateMark, bars, group_of, rates
from pipelines.report.components import Figure, Section, Table, columns
from pipelines.report.page_data import Benchmark, PropertyData, Step
from pipelines.wording import counted

# Marks and bands are explained once, in words; the chart itself has no legend to look up.
HOW_TO_READ = (
    "The mark is the rate, the line its 95 % interval, the shaded band the benchmark, the small "
    "tick the 28 days before. ▼ means below the benchmark, ▲ above it."
)
SESSIONLESS = "sessionless"
_UNDECIDED = {"insufficient_data", "leaning_below"}
_TELLING = {"moderate", "strong"}


def funnel_section(shop: PropertyData) -> Section:
    """Sessions step by step, and each step's rate in its benchmark band."""
    steps = shop.whole
    if not steps:
        return Section("funnel", "Funnel", ("No funnel of the last 28 days is there yet.",))
    summary = " ".join(_said(step) for step in steps if step.previous_label)
    return Section(
        name="funnel",
        title="Funnel",
        summary=(
            f"{formatting.count(steps[0].reached)} sessions from {_window(steps[0])}.",
            *_by_verdict(steps),
        ),
        figures=(_reach(steps), _rates(steps, summary)),
        tables=(_table(steps), *_further(shop.benchmarks)),
        notes=(HOW_TO_READ, *_sources(steps)),
    )


def device_section(shop: PropertyData) -> Section:
    """The same step on every device, one small chart a step."""
    steps = [step for step in shop.steps if step.segment_name == "device"]
    names = list(dict.fromkeys(step.step_label for step in steps if step.previous_label))
    if not names:
        return Section("devices", "Devices", ("No numbers by device are there yet.",))
    groups = [[step for step in steps if step.step_label == name] for name in names]
    below = [step for step in steps if step.verdict == "below"]
    said = (
        " ".join(
            f"On {step.segment_value}, {_step_name(step)} is below its benchmark: "
            f"{formatting.rate_of(step.rate, step.reached, step.previous_reached)}."
            for step in below
        )
        or "No device is below a benchmark."
    )
    return Section(
        name="devices",
        title="Devices",
        summary=(said,),
        figures=tuple(_device_figure(group) for group in groups),
        tables=(_device_table(steps),),
        notes=(HOW_TO_READ,),
    )


def rate_mark(step: Step, label: str) -> RateMark:
    """A step as a mark of a rate chart."""
    missing = "" if step.rate is not None else _missing(step)
    value = formatting.rate_of(step.rate, step.reached, step.previous_reached)
    return RateMark(
        label=label,
        text=f"{label}: {missing or value}",
        rate=step.rate,
        shown=formatting.percent(step.rate),
        low=step.ci_low,
        high=step.ci_high,
        band_low=step.benchmark_low,
        band_high=step.benchmark_high,
        before=step.prior_rate,
        missing=missing,
        group=group_of(step.verdict),
    )


def _step_name(step: Step) -> str:
    return f"“{step.previous_label} → {step.step_label}”"


def _window(step: Step) -> str:
    days = f"{formatting.day(step.window_start)} to {formatting.day(step.window_end)}"
    if step.days_loaded < step.window_days:
        return f"{days}, of which only {step.days_loaded} of {step.window_days} days are loaded"
    return days


def _said(step: Step) -> str:
    if step.rate is None:
        return f"{step.step_label}: {_missing(step)}."
    band = formatting.band(step.benchmark_low, step.benchmark_high)
    against = f", {formatting.verdict_words(step.verdict)} ({band})" if step.verdict else ""
    value = formatting.rate_of(step.rate, step.reached, step.previous_reached)
    return f"{step.step_label}: {value}{against}."


def _by_verdict(steps: Sequence[Step]) -> tuple[str, ...]:
    """Which steps are below, within or above, in one line."""
    names = {
        verdict: [step.step_label for step in steps if step.verdict == verdict]
        for verdict in (*formatting.VERDICTS, *formatting.STATES)
    }
    said = [
        f"{formatting.verdict_words(verdict)}: {', '.join(found)}"
        for verdict, found in names.items()
        if found
    ]
    return (f"Against the benchmarks: {'; '.join(said)}.",) if said else ()


def _reach(steps: Sequence[Step]) -> Figure:
    marks = [
        BarMark(
            label=step.step_label,
            text=f"{step.step_label}: {_reached(step)}",
            short=_reached_short(step),
            value=None if _is_countless(step) else step.reached,
        )
        for step in steps
    ]
    summary = "; ".join(mark.text for mark in marks) + "."
    return Figure("reach", "Sessions that reach each step", summary, bars(marks, "Sessions"))


def _missing(step: Step) -> str:
    why = formatting.missing_words(step.state, step.reached is not None)
    if step.state == SESSIONLESS and step.reached is not None:
        return (
            f"{why} ({formatting.count(step.reached)} of {formatting.count(step.previous_reached)})"
        )
    return why


def _is_countless(step: Step) -> bool:
    """Whether its sessions are no number: not tracked is no zero, and nor is sessionless."""
    return step.reached is None or step.state == SESSIONLESS


def _reached_short(step: Step) -> str:
    return (
        formatting.state_words(step.state)
        if _is_countless(step)
        else formatting.count(step.reached)
    )


def _reached(step: Step) -> str:
    if step.reached is None or _is_countless(step):
        return formatting.state_words(step.state)
    return counted(step.reached, "session")


def _rates(steps: Sequence[Step], summary: str) -> Figure:
    marks = [rate_mark(step, step.step_label) for step in steps if step.previous_label]
    spec = rates(marks, "Of the sessions with the step before")
    return Figure("rates", "Rate of each step, with its benchmark", summary, spec)


def _table(steps: Sequence[Step]) -> Table:
    return Table(
        "Core funnel, whole shop",
        columns(
            "Step", "#Sessions", "#Of the step before", "#95 % interval", "#Benchmark", "Verdict",
            "#28 days before", "Change (95 % interval)",
        ),
        tuple(
            (
                step.step_label,
                _reached_short(step),
                *_rate_cells(step),
                formatting.percent(step.prior_rate),
                _change(step),
            )
            for step in steps
        ),
    )  # fmt: skip


def _rate_cells(step: Step) -> tuple[str, str, str, str]:
    if step.previous_label is None:
        return (formatting.NOTHING,) * 4
    if step.rate is None:
        return (_missing(step), *(formatting.NOTHING,) * 3)
    verdict = formatting.verdict_words(step.verdict)
    if step.directional_evidence in _TELLING and step.verdict in _UNDECIDED:
        verdict += f"; {step.directional_evidence} directional evidence that it is below"
    if step.verdict == "insufficient_data" and step.weeks_to_know:
        verdict += f"; known in about {counted(round(step.weeks_to_know) or 1, 'week')}"
    return (
        formatting.rate_of(step.rate, step.reached, step.previous_reached),
        formatting.interval(step.ci_low, step.ci_high),
        formatting.band(step.benchmark_low, step.benchmark_high),
        verdict,
    )


def _change(step: Step) -> str:
    if step.change is None:
        return formatting.NOTHING
    spread = formatting.points_interval(step.change_low, step.change_high)
    return f"{formatting.points(step.change)} ({spread})"


def _further(benchmarks: Sequence[Benchmark]) -> tuple[Table, ...]:
    if not benchmarks:
        return ()
    table = Table(
        "Further benchmarks, whole shop",
        columns("Benchmark", "#Rate", "#95 % interval", "#Range", "Verdict", "Source"),
        tuple(
            (
                formatting.key_words(row.benchmark_key.removesuffix("_rate")),
                formatting.rate_of(row.rate, row.numerator, row.denominator),
                formatting.interval(row.ci_low, row.ci_high),
                formatting.band(row.benchmark_low, row.benchmark_high),
                formatting.verdict_words(row.verdict),
                row.source or formatting.NOTHING,
            )
            for row in benchmarks
        ),
    )  # fmt: skip
    return (table,)


def _sources(steps: Sequence[Step]) -> tuple[str, ...]:
    sources = dict.fromkeys(step.source for step in steps if step.source)
    return tuple(f"Benchmark: {source}" for source in sources)


def _device_figure(group: Sequence[Step]) -> Figure:
    first = group[0]
    marks = [rate_mark(step, step.segment_value) for step in group]
    summary = "; ".join(mark.text for mark in marks) + "."
    title = f"{first.previous_label} → {first.step_label}"
    return Figure(f"device-{first.step_key}", title, summary, rates(marks, ""))


def _device_table(steps: Sequence[Step]) -> Table:
    return Table(
        "Core funnel by device",
        columns("Step", "Device", "#Of the step before", "#95 % interval", "#Benchmark", "Verdict"),
        tuple(
            (step.step_label, step.segment_value, *_rate_cells(step))
            for step in steps
            if step.previous_label
        ),
    )  # fmt: skip
