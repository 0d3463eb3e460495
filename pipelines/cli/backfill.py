"""`sluice backfill`: many days at once, planned first, resumable."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.common import (
    AsJson,
    notes,
    out,
    parse_day,
    print_json,
    refuse_failed,
    show_warnings,
)
from pipelines.cli.progress import show_pulls, show_step
from pipelines.config.settings import Settings, load_settings
from pipelines.errors import ConfigError
from pipelines.wording import local

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from pipelines.ingest.backfill import TokenPlan


def backfill(
    start: Annotated[str, typer.Option(help="First day, YYYY-MM-DD.")],
    end: Annotated[str, typer.Option(help="Last day, YYYY-MM-DD.")],
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Only tell what it would cost, as earlier pulls did; asks nobody."
        ),
    ] = False,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure", help="With --dry-run: ask GA4 for prices not known; spends tokens."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Pull many days within GA4's quota, over hours if need be, then publish.

    Killed or stopped, the same command goes on where it was. Exit codes as of nightly.
    """
    from pipelines.config.tracking_plan import load_plan
    from pipelines.ga4.rate_limit import BACKFILL, Governor
    from pipelines.ga4.report_catalog import build_reports
    from pipelines.ingest.backfill import (
        check_window,
        close_backfill,
        done_days,
        estimate_tokens,
        note_plan,
        open_backfill,
        plan_tokens,
        published_prices,
        stored_prices,
    )
    from pipelines.ingest.property_access import (
        check_properties,
        client_for,
        profile_properties,
    )
    from pipelines.ingest.pull_plan import offered
    from pipelines.ingest.run_window import with_remembered_time_zones, with_time_zones
    from pipelines.monitoring.home_lock import MAX_BACKFILL_HOURS, hold_lock, lock_path
    from pipelines.orchestration.nightly_run import run_nightly
    from pipelines.warehouse.connect import build_database
    from pipelines.warehouse.runs import BACKFILL_RUN

    show_warnings()
    first, last = parse_day(start, "--start"), parse_day(end, "--end")
    if first is None or last is None:
        raise ConfigError("A backfill needs --start and --end.")
    if measure and not dry_run:
        raise ConfigError("--measure only measures with --dry-run: add it, or leave --measure out.")
    settings = load_settings()
    check_properties(settings)
    specs = build_reports(load_plan(shop=settings.tracking_plan))
    if dry_run and not measure:
        settings = with_remembered_time_zones(settings)
        window = check_window(settings, first, last)
        _show_plan(estimate_tokens(settings, specs, window), settings, as_json)
        return
    client = client_for(settings, Governor(BACKFILL))
    profiles, _ = profile_properties(settings, client)
    settings = with_time_zones(settings, profiles)
    window = check_window(settings, first, last)
    reports = offered(profiles, specs)
    if dry_run:
        plan = plan_tokens(client, reports, window, set(), published_prices(settings))
        _show_plan(plan, settings, as_json)
        return
    # One lock over plan, run and end: a night between them would change what was planned.
    with hold_lock(lock_path(settings), MAX_BACKFILL_HOURS):
        with build_database(settings.build_db) as connection:
            backfill_id = open_backfill(connection, settings, window)
        done = done_days(settings, backfill_id)
        plan = plan_tokens(client, reports, window, done, stored_prices(settings))
        note_plan(settings, backfill_id, plan)
        _show_plan(plan, settings, as_json=False)
        with show_pulls():
            record = run_nightly(
                settings, window, command=BACKFILL_RUN, on_step=show_step, backfill_id=backfill_id
            )
        refuse_failed(record)
        used = close_backfill(settings, backfill_id)
    if as_json:
        print_json({"plan": asdict(plan), "used_tokens": used})
    else:
        out.print(f"Published {window}; the pulls cost {used:,} tokens.")


def _show_plan(plan: TokenPlan, settings: Settings, as_json: bool) -> None:
    ends_by = plan.ends_by(settings.clock.now())
    if as_json:
        print_json({**asdict(plan), "ends_by": ends_by})
        return
    done = f", {plan.done_items} are done" if plan.done_items else ""
    asked = f" (to learn the price took {plan.probe_tokens:,})" if plan.probe_tokens else ""
    end = _ending(plan, ends_by, settings.time_zone)
    notes.print(f"{plan.items} pulls to do{done}: about {plan.tokens:,} tokens{asked}; {end}.")
    if plan.unpriced_items:
        notes.print(
            f"{plan.unpriced_items} of the pulls are not in that: nothing like them was pulled "
            "before. --measure lets GA4 tell their price, for some tokens."
        )


def _ending(plan: TokenPlan, ends_by: datetime | None, zone: ZoneInfo) -> str:
    """How long the quota of a standard property lets it take."""
    if plan.unpriced_items:
        return "when it would end cannot be told yet"
    if plan.days > 1:
        return (
            f"that is a standard property's quota of {plan.days} days: when a day's tokens are "
            "gone it stops, and the same command goes on the day after"
        )
    if ends_by:
        return (
            f"with the quota of a standard property it ends about {local(ends_by, zone)} in {zone}"
        )
    return "one hour's quota is enough"
