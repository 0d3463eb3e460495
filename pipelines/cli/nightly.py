"""`sluice nightly`: one run over the newest days, ready for cron."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pipelines.cli.common import notes, out, parse_day, refuse_failed, show_step, show_warnings
from pipelines.errors import SluiceError
from pipelines.settings import load_settings


def nightly(
    date: Annotated[
        str | None, typer.Option(help="Newest day to pull, YYYY-MM-DD (default: yesterday).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Pull the newest days, build, check and publish.

    Exit code: 0 published, 1 failed, 2 a gate held it back, 75 stopped on quota.
    """
    from pipelines import __version__
    from pipelines.alerts import tell
    from pipelines.cli.findings import print_suggestions
    from pipelines.ga4.client import connect
    from pipelines.lock import hold_lock, lock_path
    from pipelines.nightly import run_nightly
    from pipelines.properties import check_properties, profile_properties
    from pipelines.tracking import load_plan
    from pipelines.warehouse.runs import FAILED, record_failed_start
    from pipelines.windows import plan_window, with_time_zones

    show_warnings()
    last_day = parse_day(date, "--date")
    settings = load_settings()
    check_properties(settings)
    load_plan(shop=settings.tracking_plan)
    try:
        profiles, _ = profile_properties(settings, connect(settings.ga4))
    except SluiceError as error:
        record_failed_start(settings.build_db, "nightly", str(error), __version__)
        tell(settings, "", FAILED, str(error))
        raise
    settings = with_time_zones(settings, profiles)
    # A run that is going on has the build database open: wait for it, and say so.
    with hold_lock(lock_path(settings)):
        window = plan_window(settings, last_day)
    names = ", ".join(item.name or item.id for item in settings.properties)
    notes.print(f"Nightly run for {names}: {window}")
    record = run_nightly(settings, window, command="nightly", on_step=show_step)
    if as_json:
        result = {"run_id": record.run_id, "status": record.status, "message": record.message}
        out.print_json(json.dumps({**result, "start": f"{window.start}", "end": f"{window.end}"}))
    refuse_failed(record)
    if not as_json:
        print_suggestions(settings.published_dir)
        out.print(f"Published {settings.published_dir / 'current' / 'sluice.duckdb'}")
