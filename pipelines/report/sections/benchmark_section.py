"""What the rates are measured by: every benchmark and figure with its source."""

from __future__ import annotations

from pipelines.config.thresholds import threshold
from pipelines.report import formatting
from pipelines.report.components import Link, Section, Table, columns, filled
from pipelines.report.page_data import Window
from pipelines.report.rows.funnel import Step
from pipelines.report.rows.sources import Compared, Figure


def benchmark_section(window: Window) -> Section:
    """Usual ranges, what other shops have, and the shop's own best weeks."""
    tables = filled(_ranges(window), _figures(window), _own_weeks(window))
    if not tables:
        return Section("Benchmarks and sources", ("None can be applied yet.",))
    said = (
        "What is usual comes from others' shops; tracking_plan.yml takes a range, or figures of "
        "shops like yours. Figures and best weeks stand beside a rate and decide nothing."
    )
    return Section("Benchmarks and sources", (said,), tables=tables, notes=_notes(window))


def beside(window: Window, step: Step) -> Link | None:
    """What other shops have at a step or, where nobody published it, the shop's own best weeks.

    In short: the tables of this section have the whole of it.
    """
    pair = (step.step_key, step.previous_step_key)
    figures = [one for one in window.shop_figures if _pair(one) == pair]
    if figures:
        first = figures[0]
        values = (
            f"{one.statistic_text} {formatting.bound(one.value)}"
            for one in figures
            if one.source_text == first.source_text
        )
        return Link(f"{first.shops}: {', '.join(values)}", first.link)
    for row in window.compared:
        if row.is_own_weeks and _pair(row) == pair:
            return Link(_best_weeks(row), None)
    return None


def _pair(row: Compared | Figure) -> tuple[str, str]:
    return row.numerator_key, row.denominator_key


def _best_weeks(row: Compared) -> str:
    if row.benchmark_low is None:
        return row.source_text
    return f"your own best weeks: {formatting.interval(row.benchmark_low, row.benchmark_high)}"


def _ranges(window: Window) -> Table:
    return Table(
        "Usual ranges",
        columns("Rate", "#Now", "#95 % interval", "#Usual range", "Verdict", "Source"),
        tuple(
            (
                _name(row),
                formatting.rate_of(row.rate, row.numerator, row.denominator),
                formatting.interval(row.ci_low, row.ci_high),
                formatting.band(row.benchmark_low, row.benchmark_high),
                formatting.verdict_words(row.verdict),
                Link(row.source_text, row.link),
            )
            for row in window.compared
            if not row.is_own_weeks
        ),
    )


def _figures(window: Window) -> Table:
    return Table(
        "What other shops have",
        columns("Rate", "Shops", "#Figure", "Counted there", "Measured at", "Source"),
        tuple(
            (
                _name(row),
                row.statistic_text,
                formatting.bound(row.value),
                row.definition,
                row.scope,
                Link(row.source_text, row.link),
            )
            for row in window.shop_figures
        ),
    )


def _own_weeks(window: Window) -> Table:
    return Table(
        "Where nobody published a figure: your own best weeks",
        columns("Rate", "#Now", "#Best weeks", "#Taken from"),
        tuple(
            (
                _name(row),
                formatting.rate_of(row.rate, row.numerator, row.denominator),
                formatting.interval(row.benchmark_low, row.benchmark_high),
                row.sample,
            )
            for row in window.compared
            if row.is_own_weeks and row.rate is not None
        ),
    )


def _notes(window: Window) -> tuple[str, ...]:
    """What is said once of all best weeks."""
    if not _own_weeks(window).rows:
        return ()
    return (
        "Best weeks: where the rate of the best quarter of your whole weeks lies, 19 times out of "
        f"20. {threshold('least_best_weeks')} weeks of the half year before are needed, each with "
        f"{threshold('least_trials')} sessions or more to divide by.",
    )


def _name(row: Compared | Figure) -> str:
    numerator, denominator = map(formatting.key_words, _pair(row))
    return f"{numerator} of {denominator.lower()}"
