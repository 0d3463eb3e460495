"""`sluice nightly`: one run over the newest days, ready for cron."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.cli.common import (
    AsJson,
    notes,
    parse_day,
    print_json,
    refuse_failed,
    show_warnings,
)
from pipelines.cli.progress import show_pulls, show_step
from pipelines.config.settings import load_settings
from pipelines.errors import SluiceError


def nightly(
    date: Annotated[
        str | None, typer.Option(help="Newest day to pull, YYYY-MM-DD (default: yesterday).")
    ] = None,
    full_refresh: Annotated[
        bool,
        typer.Option(
            "--full-refresh",
            help="Build every model anew from all raw data, as an upgrade may ask for; "
            "raw data and published versions stay.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Pull the newest days, build, check and publish; made for cron.

    Exit code: 0 published, 1 failed, 2 a gate held it (or a property) back, 75 no quota or answer.
    """
    from pipelines import __version__
    from pipelines.cli.summary import print_verdict
    from pipelines.config.register import read_register
    from pipelines.config.tracking_plan import load_plan
    from pipelines.ingest.property_access import (
        TRY_LATER,
        check_properties,
        client_for,
        profile_properties,
    )
    from pipelines.ingest.run_window import plan_window, with_time_zones
    from pipelines.monitoring.alerts import tell
    from pipelines.monitoring.home_lock import hold_lock, lock_path, no_run
    from pipelines.orchestration.nightly_run import run_nightly
    from pipelines.warehouse.runs import FULL_REFRESH, record_failed_start
    from pipelines.warehouse.statuses import RunStatus

    show_warnings()
    command = FULL_REFRESH if full_refresh else "nightly"
    last_day = parse_day(date, "--date")
    settings = load_settings()
    check_properties(settings)
    try:
        plan = load_plan(shop=settings.tracking_plan)
        read_register(settings, plan, settings.clock.now().date())
        profiles, _ = profile_properties(settings, client_for(settings))
    except SluiceError as error:
        status = RunStatus.PAUSED if error.exit_code == TRY_LATER else RunStatus.FAILED
        # Not beside a run: it has the build database open, and will tell its own end.
        with no_run(lock_path(settings)) as is_idle:
            if is_idle:
                record_failed_start(
                    settings.build_db,
                    command,
                    str(error),
                    __version__,
                    settings.clock.now(),
                    status,
                )
            tell(settings, "", status, str(error))
        raise
    settings = with_time_zones(settings, profiles)
    # One lock over plan and run: what was planned is what the run finds.
    with hold_lock(lock_path(settings), settings.nightly.max_hours):
        window = plan_window(settings, last_day)
        names = ", ".join(item.name or item.id for item in settings.properties)
        refresh = ", every model anew" if full_refresh else ""
        notes.print(f"Nightly run for {names}: {window}{refresh}", markup=False)
        with show_pulls():
            record = run_nightly(settings, window, command=command, on_step=show_step)
    if as_json:
        result = {"run_id": record.run_id, "status": record.status, "message": record.message}
        print_json({**result, "start": window.start, "end": window.end})
    refuse_failed(record)
    if not as_json:
        print_verdict(settings.published_dir)
