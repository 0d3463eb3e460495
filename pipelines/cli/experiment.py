"""`sluice experiment`: how long one would take, and what a file of its outcomes says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from pipelines.cli.common import AsJson, new_table, out, print_json
from pipelines.cli.summary import interval, percent, words
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from pipelines.experiments.analysis import Analysis
    from pipelines.experiments.planner import Candidate, MetricPlan, Plan, Wish

experiment = typer.Typer(
    no_args_is_help=True, help="Plan an experiment, and say what its outcomes tell."
)


@experiment.command("analyze")
def analyze(
    file: Annotated[Path, typer.Argument(help="CSV: variant,exposed,converted or one row a user.")],
    name: Annotated[str | None, typer.Option(help="Its name (default: the file's).")] = None,
    split: Annotated[
        str | None,
        typer.Option(help="Planned shares, 'control=0.5,new=0.5' (default: equal)."),
    ] = None,
    smallest_effect: Annotated[
        float | None,
        typer.Option(
            help="Smallest difference of the rates that matters, absolute: 0.01 is one point "
            "(default: a fifth of the control's rate)."
        ),
    ] = None,
    alpha: Annotated[float, typer.Option(help="How often chance alone may call a winner.")] = 0.05,
    as_json: AsJson = False,
) -> None:
    """Compare variants with the control: split, interval, p, odds, verdict (docs/experiments.md).

    Optional columns: date (one row a day), macro_converted, revenue. Changes nothing.
    """
    from datetime import timedelta

    from pipelines.clock import Clock
    from pipelines.experiments.analysis import ExperimentPlan, analyse
    from pipelines.experiments.analysis_json import as_dict
    from pipelines.experiments.reading import read_outcomes

    _refuse_outside("--alpha", alpha, 0, 1)
    if smallest_effect is not None:
        _refuse_outside("--smallest-effect", smallest_effect, 0, 1)
    plan = ExperimentPlan(
        name or file.stem, None if split is None else _shares(split), smallest_effect, alpha
    )
    # It is tomorrow already in the east.
    outcomes = read_outcomes(file, Clock().now().date() + timedelta(days=1))
    found = analyse(outcomes, plan)
    if as_json:
        print_json(as_dict(found))
    else:
        _print_analysis(found)


@experiment.command("plan")
def plan(
    baseline: Annotated[
        float | None, typer.Option(help="Rate of the metric, 0-1; none: the published shop's.")
    ] = None,
    weekly: Annotated[float | None, typer.Option(help="Units a week, with --baseline.")] = None,
    macro_baseline: Annotated[
        float | None, typer.Option(help="Rate of the macro metric, with --baseline.")
    ] = None,
    macro_weekly: Annotated[
        float | None, typer.Option(help="Its units a week (default: those of --weekly).")
    ] = None,
    phi: Annotated[
        float, typer.Option(help="How many times more the rate varies than by chance.")
    ] = 1.0,
    lift: Annotated[float, typer.Option(help="Relative lift of the macro metric to show.")] = 0.20,
    rho: Annotated[
        float, typer.Option(help="Micro lift ÷ macro lift; 1: the whole lift carries on.")
    ] = 1.0,
    alpha: Annotated[float, typer.Option(help="Two-sided error.")] = 0.05,
    power: Annotated[float, typer.Option(help="How often such a lift is to be seen.")] = 0.80,
    variants: Annotated[int, typer.Option(min=2, max=20, help="With the control.")] = 2,
    weeks: Annotated[
        int, typer.Option(min=2, max=520, help="In which the smallest detectable lift is told.")
    ] = 4,
    property_id: Annotated[
        str | None, typer.Option("--property", help="Which, where several are published.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """How many units and weeks a lift takes, of every metric of the shop or of typed-in rates."""
    from pipelines.experiments.planner import Wish, make_plan

    for option, value in (("--alpha", alpha), ("--power", power)):
        _refuse_outside(option, value, 0, 1)
    for option, value in (("--lift", lift), ("--rho", rho)):
        _refuse_outside(option, value, 0, 100)
    wish = Wish(lift, rho, alpha, power, variants, weeks)
    if baseline is None:
        if weekly is not None or macro_baseline is not None or macro_weekly is not None:
            raise ConfigError("Numbers of your own need --baseline: give it, or leave all out.")
        chosen, candidates, macro, left_out = _published(property_id)
    else:
        candidates, macro = _typed(wish, baseline, weekly, macro_baseline, macro_weekly, phi)
        chosen, left_out = None, {}
    made = make_plan(candidates, macro, wish)
    if as_json:
        print_json({"property_id": chosen, **made.as_dict(), "left_out": left_out})
    else:
        _print_plan(made, left_out)


def _published(
    property_id: str | None,
) -> tuple[str, list[Candidate], Candidate | None, dict[str, str]]:
    from pipelines.config.settings import load_settings
    from pipelines.experiments.candidates import read_shop
    from pipelines.warehouse.connect import published_database

    with published_database(load_settings().published_dir) as connection:
        shop = read_shop(connection, property_id)
    return shop.property_id, shop.candidates, shop.macro, shop.left_out


def _typed(
    wish: Wish,
    baseline: float,
    weekly: float | None,
    macro_baseline: float | None,
    macro_weekly: float | None,
    phi: float,
) -> tuple[list[Candidate], Candidate | None]:
    from pipelines.experiments.planner import Candidate

    if weekly is None:
        raise ConfigError("--baseline needs --weekly: the units a week that it is the rate of.")
    _refuse_outside("--baseline", baseline, 0, 1)
    _refuse_outside("--weekly", weekly, 0, 1e12)
    _refuse_outside("--phi", phi, 0.999, 1e6)
    if baseline * (1 + wish.lift * wish.rho) > 1:
        raise ConfigError(
            f"A lift of {wish.lift * wish.rho:.0%} on {baseline:.0%} would be above 100 %: give a "
            "smaller --lift."
        )
    micro = Candidate("metric", "units", "intent", baseline * weekly, weekly, 1, phi)
    if macro_baseline is None:
        if macro_weekly is not None:
            raise ConfigError("--macro-weekly needs --macro-baseline, the rate of these units.")
        return [micro], None
    units = weekly if macro_weekly is None else macro_weekly
    _refuse_outside("--macro-baseline", macro_baseline, 0, 1)
    _refuse_outside("--macro-weekly", units, 0, 1e12)
    return [micro], Candidate("macro", "units", "outcome", macro_baseline * units, units, 1, phi)


def _shares(text: str) -> dict[str, float]:
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.rpartition("=")
        try:
            value = float(share)
        except ValueError:
            value = 0.0
        name = name.strip()
        if not name or not 0 < value <= 1 or name in shares:
            raise ConfigError(
                f"--split {text}: write a share above 0 for each variant, once, as "
                "'control=0.5,new=0.5'."
            )
        shares[name] = value
    return shares


def _refuse_outside(option: str, value: float, low: float, high: float) -> None:
    if not low < value < high:
        raise ConfigError(f"{option} is {value:g}: it lies between {low:g} and {high:g}.")


def _print_analysis(found: Analysis) -> None:
    from pipelines.experiments.analysis_json import as_dict

    result = as_dict(found)
    columns = ["variant", "exposed", "converted", "rate", "95 % interval"]
    extra = [name for name in ("macro_converted", "revenue") if name in result["variants"][0]]
    table = new_table(
        *columns,
        *(name.replace("_", " ") for name in extra),
        title=escape(f"{result['name']}: variants"),
        numbers={*columns[1:], "macro converted", "revenue"},
    )
    for row in result["variants"]:
        table.add_row(
            escape(row["variant"]),
            f"{row['exposed']:,}",
            _of(row),
            _rate(row["rate"]),
            interval(row["ci_low"], row["ci_high"]),
            *(f"{row[name]:,}" for name in extra),
        )
    out.print(table)
    if result["comparisons"]:
        out.print(_differences(result))
    for line in _notes(found, result):
        out.print(escape(line), soft_wrap=True)
    out.print(f"[bold]{escape(_title(found))}[/bold] {escape(result['reason'])}", soft_wrap=True)


def _of(row: dict[str, Any]) -> str:
    """Conversions, and of how many where these are not the exposed."""
    if row["denominator"] == row["exposed"]:
        return f"{row['converted']:,}"
    return f"{row['converted']:,} of {row['denominator']:,}"


def _rate(rate: float | None) -> str:
    return "" if rate is None else f"{100 * rate:.2f} %"


def _differences(result: dict[str, Any]) -> Table:
    control = result["comparisons"][0]["control"]
    columns = ["variant", "metric", "difference", "interval", "p", "method",
               "P(better)", "expected loss", "if looked at nightly", "nightly p"]  # fmt: skip
    table = new_table(
        *columns, title=escape(f"Differences from {control}, in points"), numbers=set(columns[2:])
    )
    for one in result["comparisons"]:
        for metric, row in (("primary", one), ("macro", one["macro"])):
            if row is None:
                continue
            is_primary = metric == "primary"
            looks = row["sequential"]
            table.add_row(
                escape(one["variant"]),
                metric,
                _points(row["difference"]),
                f"{_points(row['ci_low'])} to {_points(row['ci_high'])}",
                _p(row["p_holm" if is_primary else "p_value"]),
                row["method"],
                percent(one["probability_better"]) if is_primary else "",
                _points(one["expected_loss"]).lstrip("+") if is_primary else "",
                f"{_points(looks['ci_low'])} to {_points(looks['ci_high'])}"
                if looks["ci_low"] is not None
                else "too few units",
                _p(looks["p_value"]),
            )
    return table


def _points(value: float | None) -> str:
    return "" if value is None else f"{100 * value:+.2f}"


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if value >= 0.0001 else "< 0.0001"  # noqa: PLR2004


def _notes(found: Analysis, result: dict[str, Any]) -> list[str]:
    lines = [f"Split: p {result['srm_p_value']:.4g}, e-value {result['srm_e_value']:.4g}."]
    if result["users_left_out"]:
        lines.append(f"Left out, as in several variants: {result['users_left_out']:,} users.")
    for one in found.comparisons:
        if one.stopped_on is not None:
            lines.append(f"Looked at day by day, '{one.variant}' was decided on {one.stopped_on}.")
        if one.days is not None:
            lines.append(
                f"'{one.variant}' was better on {one.days.better} of {one.days.of} days "
                f"(sign test p {one.days.sign_p_value:.4f})."
            )
    if result["units_planned"] is not None:
        lines.append(
            f"Smallest effect {100 * result['smallest_effect']:.2f} points: "
            f"{result['units_planned']:,.0f} units in each variant."
        )
    return lines


def _title(found: Analysis) -> str:
    weeks = found.decision.weeks_left
    left = f" ({weeks} more week{'' if weeks == 1 else 's'})" if weeks else ""
    return f"{found.decision.verdict.capitalize()}{left}:"


def _print_plan(made: Plan, left_out: dict[str, str]) -> None:
    from pipelines.experiments.planner import RECOMMENDED

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
