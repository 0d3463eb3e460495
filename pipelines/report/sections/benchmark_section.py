"""What the rates are measured by: every benchmark and figure with its source."""

from __future__ import annotations

from pipelines.report import formatting
from pipelines.report.components import Link, Section, Table, columns
from pipelines.report.page_data import Window
from pipelines.report.rows.funnel import Step
from pipelines.report.rows.sources import Compared


def benchmark_section(window: Window) -> Section:
    """Usual ranges, what other shops have, and the shop's own best weeks."""
    tables = tuple(
        table for table in (_ranges(window), _figures(window), _own_weeks(window)) if table.rows
    )
    if not tables:
        return Section("benchmarks", "Benchmarks and sources", ("None can be applied yet.",))
    said = (
        "What is usual comes from others' shops; tracking_plan.yml takes a range, or figures of "
        "shops like yours. Figures and best weeks stand beside a rate and decide nothing."
    )
    return Section("benchmarks", "Benchmarks and sources", (said,), tables=tables)


def beside(window: Window, step: Step, previous_key: str) -> Link | None:
    """What other shops have at a step or, where nobody published it, the shop's own best weeks."""
    pair = (step.step_key, previous_key)
    for figure in window.shop_figures:
        if (figure.numerator_key, figure.denominator_key) == pair:
            return Link(figure.figures, figure.link)
    for row in window.compared:
        if row.is_own_weeks and (row.numerator_key, row.denominator_key) == pair:
            return Link(_best_weeks(row), None)
    return None


def _best_weeks(row: Compared) -> str:
    """In short; "Where nobody published a figure" has the whole sentence."""
    if row.benchmark_low is None:
        return row.source_text
    return f"your own best weeks: {formatting.interval(row.benchmark_low, row.benchmark_high)}"


def _ranges(window: Window) -> Table:
    """Those of the core funnel, then further ones."""
    steps = [
        (
            f"{step.previous_label} → {step.step_label}", step.rate, step.reached,
            step.previous_reached, step.ci_low, step.ci_high, step.benchmark_low,
            step.benchmark_high, step.verdict, step.source,
        )
        for step in window.whole
        if step.benchmark_low is not None
    ]  # fmt: skip
    texts = {
        (row.numerator_key, row.denominator_key): row.source_text
        for row in window.compared
        if not row.is_own_weeks
    }
    further = [
        (
            formatting.key_words(row.benchmark_key.removesuffix("_rate")), row.rate, row.numerator,
            row.denominator, row.ci_low, row.ci_high, row.benchmark_low, row.benchmark_high,
            row.verdict, texts.get((row.numerator_key, row.denominator_key), row.source),
        )
        for row in window.benchmarks
    ]  # fmt: skip
    links = {row.source_text: row.link for row in window.compared}
    rows = tuple(
        (
            name,
            formatting.rate_of(rate, numerator, denominator),
            formatting.interval(low, high),
            formatting.band(floor, ceiling),
            formatting.verdict_words(verdict),
            Link(source or formatting.NOTHING, links.get(source or "")),
        )
        for name, rate, numerator, denominator, low, high, floor, ceiling, verdict, source in (
            *steps,
            *further,
        )
    )
    return Table(
        "Usual ranges",
        columns("Benchmark", "#Rate", "#95 % interval", "#Usual range", "Verdict", "Source"),
        rows,
    )


def _figures(window: Window) -> Table:
    return Table(
        "What other shops have",
        columns("Rate", "Shops", "#Figure", "Counted there", "Measured at", "Source"),
        tuple(
            (
                _name(row.numerator_key, row.denominator_key),
                row.statistic_text,
                formatting.percent(row.value),
                row.definition,
                row.scope,
                Link(row.source_text, row.link),
            )
            for row in window.shop_figures
        ),
    )


def _own_weeks(window: Window) -> Table:
    return Table(
        "Where nobody published a figure",
        columns("Rate", "#Now", "Compared with"),
        tuple(
            (
                _name(row.numerator_key, row.denominator_key),
                formatting.rate_of(row.rate, row.numerator, row.denominator),
                row.source_text,
            )
            for row in window.compared
            if row.is_own_weeks and row.rate is not None
        ),
    )


def _name(numerator_key: str, denominator_key: str) -> str:
    return (
        f"{formatting.key_words(numerator_key)} of {formatting.key_words(denominator_key).lower()}"
    )
