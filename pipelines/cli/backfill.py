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
from pipelines.config.settings import load_settings
from pipelines.errors import ConfigError
from pipelines.wording import counted

if TYPE_CHECKING:
    from pipelines.ingest.backfill import TokenPlan


def backfill(
    start: Annotated[str, typer.Option(help="First day, YYYY-MM-DD.")],
    end: Annotated[str, typer.Option(help="Last day, YYYY-MM-DD.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only plan the tokens.")] = False,
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
        note_plan,
        open_backfill,
        plan_tokens,
    )
    from pipelines.ingest.property_access import (
        check_properties,
        client_for,
        profile_properties,
    )
    from pipelines.ingest.pull_plan import offered
    from pipelines.ingest.run_window import with_time_zones
    from pipelines.monitoring.home_lock import MAX_BACKFILL_HOURS, hold_lock, lock_path
    from pipelines.orchestration.nightly_run import run_nightly
    from pipelines.warehouse.connect import build_database

    show_warnings()
    first, last = parse_day(start, "--start"), parse_day(end, "--end")
    if first is None or last is None:
        raise ConfigError("A backfill needs --start and --end.")
    settings = load_settings()
    check_properties(settings)
    specs = build_reports(load_plan(shop=settings.tracking_plan))
    client = client_for(settings, Governor(BACKFILL))
    profiles, _ = profile_properties(settings, client)
    settings = with_time_zones(settings, profiles)
    window = check_window(settings, first, last)
    reports = offered(profiles, specs)
    if dry_run:
        _show_plan(plan_tokens(client, reports, window, set()), as_json)
        return
    # One lock over plan, run and end: a night between them would change what was planned.
    with hold_lock(lock_path(settings), MAX_BACKFILL_HOURS):
        with build_database(settings.build_db) as connection:
            backfill_id = open_backfill(connection, settings, window)
        plan = plan_tokens(client, reports, window, done_days(settings, backfill_id))
        note_plan(settings, backfill_id, plan)
        _show_plan(plan, as_json=False)
        with show_pulls():
            record = run_nightly(
                settings, window, command="backfill", on_step=show_step, backfill_id=backfill_id
            )
        refuse_failed(record)
        used = close_backfill(settings, backfill_id)
    if as_json:
        print_json({"plan": asdict(plan), "used_tokens": used})
    else:
        out.print(f"Published {window}; the pulls cost {used:,} tokens.")


def _show_plan(plan: TokenPlan, as_json: bool) -> None:
    if as_json:
        print_json(asdict(plan))
        return
    done = f", {plan.done_items} are done" if plan.done_items else ""
    notes.print(
        f"{plan.items} pulls to do{done}: about {plan.tokens:,} tokens, "
        f"{counted(plan.hours, 'hour')} of a standard property's quota "
        f"(planning cost {plan.probe_tokens:,} tokens)."
    )
