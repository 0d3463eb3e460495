"""`sluice experiment`: how long one would take, which there are, and what their outcomes say."""

from __future__ import annotations

import os
from datetime import date
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.analysis.experiments.register import LEAST_EFFECT, LEAST_VARIANTS, MOST_VARIANTS
from pipelines.cli.common import AsJson, print_json
from pipelines.cli.experiment_tables import print_analysis, print_entries, print_plan
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from pipelines.analysis.experiments.planner import Candidate, Wish
    from pipelines.analysis.experiments.register import Register

MOST = 1e12
"""No shop has so many units a week."""

_LIKELY_PERCENT = 5

experiment = typer.Typer(
    no_args_is_help=True, help="Plan an experiment, and say what its outcomes tell."
)


@experiment.command("analyze")
def analyze(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|ID",
            help="CSV: variant,exposed,converted or one row a user; or an id of experiments.yml.",
        ),
    ],
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
    from pipelines.analysis.experiments.analysis import ExperimentPlan, analyse
    from pipelines.analysis.experiments.analysis_json import as_dict
    from pipelines.analysis.experiments.register import Register
    from pipelines.clock import Clock
    from pipelines.config.settings import load_settings
    from pipelines.experiments.reading import read_outcomes
    from pipelines.experiments.registered import analyse_registered, find_experiment

    _refuse_outside("--alpha", alpha, 1)
    if smallest_effect is not None:
        _refuse_outside("--smallest-effect", smallest_effect)
    # Path.is_file raises where a name is too long.
    is_file = os.path.isfile(file)  # noqa: PTH113
    register, today = (Register(), date.min) if is_file else _register()
    ids = {entry.id for entry, _ in register.experiments}
    # What looks like a file's name is one, unless it is registered.
    if str(file) in ids or not (file.suffix or os.path.exists(file)):  # noqa: PTH110
        entry, trial = find_experiment(register, str(file))
        if name or split or smallest_effect is not None:
            raise ConfigError(
                f"What was planned of {file} stands in experiments.yml: leave --name, --split and "
                "--smallest-effect out."
            )
        found = analyse_registered(
            entry, trial, register, today, load_settings().published_dir, alpha
        )
    else:
        plan = ExperimentPlan(
            name or file.stem, None if split is None else _shares(split), smallest_effect, alpha
        )
        found = analyse(read_outcomes(file, Clock().now().date()), plan)
    if as_json:
        print_json(as_dict(found))
    else:
        print_analysis(found, as_dict(found))


@experiment.command("list")
def list_experiments(as_json: AsJson = False) -> None:
    """All experiments and changes: where each stands, and its verdict as of the last night."""
    from pipelines.config.settings import load_settings
    from pipelines.experiments.listing import list_entries

    settings = load_settings()
    register, today = _register()
    has_register = settings.experiments is not None or settings.changes is not None
    entries = list_entries(register if has_register else None, today, settings.published_dir)
    if as_json:
        print_json([one.as_dict() for one in entries])
    else:
        print_entries(entries)


def _register() -> tuple[Register, date]:
    """The shop's register, and what day it is there."""
    from pipelines.config.register import read_register
    from pipelines.config.settings import load_settings
    from pipelines.config.tracking_plan import load_plan

    settings = load_settings()
    today = settings.clock.now().date()
    return read_register(settings, load_plan(shop=settings.tracking_plan), today), today


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
    variants: Annotated[
        int, typer.Option(min=LEAST_VARIANTS, max=MOST_VARIANTS, help="With the control.")
    ] = 2,
    weeks: Annotated[
        int, typer.Option(min=2, max=520, help="In which the smallest detectable lift is told.")
    ] = 4,
    property_id: Annotated[
        str | None, typer.Option("--property", help="Which, where several are published.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """How many units and weeks a lift takes, of every metric of the shop or of typed-in rates."""
    from pipelines.analysis.experiments.planner import Wish, make_plan

    for option, value in (("--alpha", alpha), ("--power", power)):
        _refuse_outside(option, value, 1)
    if power <= alpha:
        raise ConfigError(
            f"--power is {power:g}, and chance alone calls {alpha:g} (--alpha): give more of it."
        )
    for option, value in (("--lift", lift), ("--rho", rho)):
        _refuse_outside(option, value, 100)
    _refuse_outside("--lift times --rho", lift * rho, 100)
    if lift >= _LIKELY_PERCENT:
        raise ConfigError(f"--lift is {lift:g}, which is {lift:.0%}: write 0.2 for 20 %.")
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
        print_plan(made, left_out)


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
    from pipelines.analysis.experiments.planner import Candidate

    if weekly is None:
        raise ConfigError("--baseline needs --weekly: the units a week that it is the rate of.")
    _refuse_outside("--baseline", baseline, 1)
    _refuse_outside("--weekly", weekly)
    _refuse_outside("--phi", phi)
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
    _refuse_outside("--macro-baseline", macro_baseline, 1)
    _refuse_outside("--macro-weekly", units)
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


def _refuse_outside(option: str, value: float, high: float = inf) -> None:
    if not 0 < value < high:
        wanted = "it is more than 0" if high == inf else f"it lies between 0 and {high:g}"
        raise ConfigError(f"{option} is {value:g}: {wanted}.")
    if not LEAST_EFFECT <= value <= MOST:
        size = "small" if value < MOST else "large"
        raise ConfigError(f"{option} is {value:g}, which is too {size} for any shop: correct it.")
