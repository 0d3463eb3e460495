"""`sluice demo`: a simulated shop, served as GA4, through the whole nightly job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.cli.common import (
    AsJson,
    notes,
    parse_day,
    print_json,
    refuse_failed,
    show_warnings,
)
from pipelines.cli.progress import show_pulls, show_step, show_work
from pipelines.cli.summary import print_summary
from pipelines.config.settings import load_settings


def demo(
    days: Annotated[int, typer.Option(min=1, help="Days to simulate.")] = 90,
    seed: Annotated[int, typer.Option(help="Same seed, same shop.")] = 7,
    scenario: Annotated[str, typer.Option(help="Which leak is planted.")] = "mobile_payment_broken",
    home: Annotated[Path | None, typer.Option(help="Where data goes (default: ./data).")] = None,
    sessions: Annotated[int, typer.Option(min=1, help="Sessions on an average day.")] = 1000,
    end: Annotated[
        str | None,
        typer.Option(help="Last day (default: a fixed one, so the same shop on any day)."),
    ] = None,
    route: Annotated[
        Literal["data_api", "export"],
        typer.Option(help="Read it as GA4's Data API gives it, or from the event export."),
    ] = "data_api",
    as_json: AsJson = False,
) -> None:
    """Try everything on a simulated shop: less than a minute, no account needed."""
    from pipelines.demo import LAST_DAY, Demo, Route, run_demo

    show_warnings()
    wish = Demo(
        home=(home or load_settings().home).resolve(),
        days=days,
        seed=seed,
        scenario=scenario,
        sessions_per_day=sessions,
        last_day=parse_day(end, "--end") or LAST_DAY,
        route=Route(route),
    )
    notes.print(f"Simulating {days} days of a shop (scenario {scenario}, seed {seed})")
    # One bar after the other: rich draws one at a time, and the days are done before the pulls.
    with show_work("days simulated") as on_day, show_pulls():
        record = run_demo(wish, on_day=on_day, on_step=show_step)
    refuse_failed(record)
    if as_json:
        print_json({"run_id": record.run_id, "status": record.status, "home": wish.home})
        return
    print_summary(wish.home / "published")
