"""How the terminal shows an experiment: its variants, its differences, and a plan's metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from pipelines.analysis.experiments.register import NAIVE
from pipelines.cli.common import new_table, out
from pipelines.cli.summary import interval, percent
from pipelines.wording import counted, words

if TYPE_CHECKING:
    from pipelines.analysis.experiments.analysis import Analysis
    from pipelines.analysis.experiments.planner import MetricPlan, Plan
    from pipelines.analysis.experiments.verdicts import Decision
    from pipelines.experiments.listing import Entry


_TOO_FEW = "too few"


def print_analysis(found: Analysis, result: dict[str, Any]) -> None:
    """Variants, differences and the verdict of an analysis; `result` is its JSON."""
    is_share = found.outcomes.primary.is_share
    columns = ["variant", "exposed", "converted", "rate", "95 % interval"]
    extra = [name for name in ("macro_converted", "revenue") if name in result["variants"][0]]
    table = new_table(
        *columns,
        *(words(name) for name in extra),
        title=escape(f"{result['name']}: variants"),
        numbers={*columns[1:], *(words(name) for name in extra)},
    )
    for row in result["variants"]:
        low, high = row["ci_low"], row["ci_high"]
        table.add_row(
            escape(row["variant"]),
            f"{row['exposed']:,}",
            _counted(row),
            _rate(row["rate"]) if is_share else _plain(row["rate"]),
            interval(low, high) if is_share or low is None else f"{_plain(low)} – {_plain(high)}",
            # Sums of prices end in the last bit.
            *(f"{round(row[name], 2):,}" for name in extra),
        )
    out.print(table)
    if found.comparisons:
        out.print(_differences(result, is_share))
    for line in _notes(found):
        out.print(escape(line), soft_wrap=True)
    others = (one.decision for one in found.comparisons if one.decision is not found.decision)
    for decision in (*others, found.decision):
        out.print(
            f"[bold]{escape(_title(decision))}[/bold] {escape(decision.reason)}", soft_wrap=True
        )


def _counted(row: dict[str, Any]) -> str:
    """Conversions, and of how many where these are not the exposed."""
    if row["denominator"] == row["exposed"]:
        return f"{row['converted']:,}"
    return f"{row['converted']:,} of {row['denominator']:,}"


def _differences(result: dict[str, Any], is_share: bool) -> Table:
    control = result["comparisons"][0]["control"]
    columns = ["variant", "metric", "difference", "interval", "p", "method",
               "P(better)", "expected loss", "if looked at nightly", "nightly p"]  # fmt: skip
    table = new_table(
        *columns,
        title=escape(f"Differences from {control}") + (", in points" if is_share else ""),
        numbers=set(columns[2:]),
    )
    for one in result["comparisons"]:
        show = _points if is_share else _plain
        table.add_row(
            escape(one["variant"]),
            "primary",
            *_difference(one, show),
            percent(one["probability_better"]),
            show(one["expected_loss"]).lstrip("+"),
            *_nightly(one["sequential"], show),
        )
        if macro := one["macro"]:
            table.add_row(
                escape(one["variant"]),
                "macro",
                *_difference(macro, _points),
                *("", ""),
                *_nightly(macro["sequential"], _points),
            )
    return table


def _difference(row: dict[str, Any], show: Callable[[float | None], str]) -> tuple[str, ...]:
    """Difference, interval, p (of all variants together) and method."""
    if row["ci_low"] is None:
        return (show(row["difference"]), _TOO_FEW, "", row["method"])
    return (
        show(row["difference"]),
        f"{show(row['ci_low'])} to {show(row['ci_high'])}",
        _p(row.get("p_holm", row["p_value"])),
        row["method"],
    )


def _nightly(looks: dict[str, Any], show: Callable[[float | None], str]) -> tuple[str, str]:
    """The always-valid interval and p."""
    if looks["ci_low"] is None:
        return _TOO_FEW, ""
    return f"{show(looks['ci_low'])} to {show(looks['ci_high'])}", _p(looks["p_value"])


def _rate(rate: float | None) -> str:
    return "" if rate is None else f"{100 * rate:.2f} %"


def _points(value: float | None) -> str:
    return "" if value is None else f"{100 * value:+.2f}"


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if value >= 0.0001 else "< 0.0001"  # noqa: PLR2004


def _notes(found: Analysis) -> list[str]:
    lines = [f"Split: p {found.split.p_value:.4g}, e-value {found.split.e_value:.4g}."]
    if found.outcomes.left_out:
        lines.append(
            f"In several variants, hence left out: {counted(found.outcomes.left_out, 'user')}."
        )
    lines += [*([NAIVE] if found.outcomes.is_naive else []), *found.outcomes.notes]
    for one in found.comparisons:
        if one.stopped_on is not None:
            lines.append(f"Looked at day by day, '{one.variant}' was decided on {one.stopped_on}.")
        if one.days is not None:
            lines.append(
                f"'{one.variant}' was better on {one.days.better} of {one.days.of} days "
                f"(sign test p {one.days.sign_p_value:.4f})."
            )
    effect = found.smallest_effect
    if found.comparisons and found.units_planned is not None and effect is not None:
        size = f"{100 * effect:.2f} points" if found.outcomes.primary.is_share else f"{effect:.4g}"
        lines.append(f"Smallest effect {size}: {found.units_planned:,.0f} units in each variant.")
    return lines


def _title(decision: Decision) -> str:
    left = f" ({counted(decision.weeks_left, 'more week')})" if decision.weeks_left else ""
    return f"{decision.verdict.capitalize()}{left}:"


_SINCE = {
    "new": "no night has read it yet: 'sluice nightly' does.",
    "changed": "the register says something else since the last night: 'sluice nightly' reads it.",
    "taken out": "it was taken out of the register since the last night.",
}


def print_entries(entries: list[Entry]) -> None:
    """The register as a table, and below it what is to be said of each entry."""
    if not entries:
        out.print(
            "Nothing is registered: experiments.yml and changes.yml beside sluice.yml hold what is "
            "tried and what was changed (docs/experiments.md).",
            soft_wrap=True,
        )
        return
    table = new_table("id", "what", "start", "end", "state", "verdict")
    for one in entries:
        what = f"{one.description} ({one.kind})" if one.kind == "change" else one.description
        cells = (one.id, what, str(one.start), str(one.end or ""), one.state, one.verdict or "")
        table.add_row(*(escape(cell) for cell in cells))
    table.caption = "as the last published night read it"
    out.print(table)
    for one in entries:
        edits = one.edits and f"changed after its start: {one.edits}"
        since = one.since_night and _SINCE[one.since_night]
        for said in filter(None, (one.reason, edits, since)):
            out.print(f"{escape(one.id)}: {escape(said)}", soft_wrap=True)


def print_plan(made: Plan, left_out: dict[str, str]) -> None:
    """The table of all metrics, how much sooner each is, and what is recommended."""
    from pipelines.analysis.experiments.planner import RECOMMENDED

    wish = made.wish
    seen = f"seen in {wish.weeks} weeks"
    columns = ["rate", "counted", "units a week", "units a variant", "weeks", "nightly", seen]
    rho = "" if wish.rho == 1 else f", ρ = {wish.rho:g}"
    table = new_table(
        *("metric", "of", *columns),
        title=f"What a lift of {wish.lift:.0%} of the macro rate takes{rho}",
        numbers=columns,
    )
    for one in made.metrics:
        table.add_row(*(escape(cell) for cell in _cells(one)))
    table.caption = (
        f"nightly: at most, if it may end on any day; {seen}: the smallest lift that so many weeks "
        "show; –: the rate cannot rise so far"
    )
    out.print(table)
    # What visitors do besides may rise by itself: how much of that carries on is not known.
    if sooner := [one for one in made.metrics if one.speed_up and one.family in RECOMMENDED]:
        out.print(_speed_ups(sooner, str(made.guardrail)))
    if left_out:
        why = ", ".join(f"{words(key)} ({words(reason)})" for key, reason in left_out.items())
        out.print(f"Without a rate: {escape(why)}.", soft_wrap=True)
    primary, guardrail = (words(one or "none") for one in (made.primary, made.guardrail))
    out.print(
        f"[bold]Primary: {escape(primary)}; guardrail: {escape(guardrail)}.[/bold] "
        f"{escape(made.reason)}",
        soft_wrap=True,
    )


def _speed_ups(metrics: list[MetricPlan], macro: str) -> Table:
    columns = [f"ρ = {one.rho:g}" for one in metrics[0].speed_up_by_rho]
    table = new_table(
        *("metric", *columns),
        title=escape(f"How many times sooner than {words(macro)}, by ρ: micro lift ÷ macro lift"),
        numbers=columns,
    )
    for one in metrics:
        times = (each.speed_up for each in one.speed_up_by_rho)
        table.add_row(
            escape(words(one.key)),
            *("" if value is None else f"{value:.1f}×" for value in times),
        )
    return table


def _cells(one: MetricPlan) -> list[str]:
    return [
        words(one.key),
        words(one.parent_key),
        _rate(one.rate),
        f"{one.numerator:,.0f} of {one.denominator:,.0f}",
        f"{one.weekly_units:,.0f}",
        *(
            "–" if value is None else f"{value:,}"
            for value in (one.units_per_arm, one.weeks, one.weeks_nightly)
        ),
        percent(one.detectable_lift) or "–",
    ]
