"""What the rates are measured by: every benchmark with its source."""

from __future__ import annotations

from pipelines.report import formatting
from pipelines.report.components import Section, Table, columns
from pipelines.report.page_data import Window


def benchmark_section(window: Window) -> Section:
    """The benchmarks of the core funnel, then further ones."""
    steps = [
        (
            f"{step.previous_label} → {step.step_label}", step.rate, step.reached,
            step.previous_reached, step.ci_low, step.ci_high, step.benchmark_low,
            step.benchmark_high, step.verdict, step.source,
        )
        for step in window.whole
        if step.benchmark_low is not None
    ]  # fmt: skip
    further = [
        (
            formatting.key_words(row.benchmark_key.removesuffix("_rate")), row.rate, row.numerator,
            row.denominator, row.ci_low, row.ci_high, row.benchmark_low, row.benchmark_high,
            row.verdict, row.source,
        )
        for row in window.benchmarks
    ]  # fmt: skip
    rows = tuple(
        (
            name,
            formatting.rate_of(rate, numerator, denominator),
            formatting.interval(low, high),
            formatting.band(floor, ceiling),
            formatting.verdict_words(verdict),
            source or formatting.NOTHING,
        )
        for name, rate, numerator, denominator, low, high, floor, ceiling, verdict, source in (
            *steps,
            *further,
        )
    )
    if not rows:
        return Section("benchmarks", "Benchmarks and sources", ("None can be applied yet.",))
    table = Table(
        "Usual ranges",
        columns("Benchmark", "#Rate", "#95 % interval", "#Usual range", "Verdict", "Source"),
        rows,
    )
    said = "What is usual comes from others' shops; tracking_plan.yml takes a range of your own."
    return Section("benchmarks", "Benchmarks and sources", (said,), tables=(table,))
