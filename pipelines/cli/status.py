"""`sluice status`: is it fine, and if not, what happened."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from pipelines.cli.common import AsJson, new_table, out, print_json
from pipelines.cli.progress import duration
from pipelines.config.settings import load_settings
from pipelines.wording import local, words

if TYPE_CHECKING:
    from pipelines.config.settings import Nightly
    from pipelines.monitoring.status import HomeStatus

_NUMBERS = {
    "expectations", "critical", "warnings", "provisional_days", "incomplete_days",
    "left", "took",
}  # fmt: skip
# What GA4 counts, as people say it: reports and closed funnels have tokens of their own.
_QUOTA_WORDS = {
    "core": "reports",
    "funnel": "closed funnels",
    "tokens_per_day": "tokens of the day",
    "tokens_per_hour": "tokens of the hour",
    "tokens_per_project_per_hour": "tokens of the hour for this Cloud project",
    "concurrent_requests": "requests at once",
    "server_errors_per_project_per_hour": "server errors of the hour",
    "potentially_thresholded_requests_per_hour": "requests of the hour whose rows GA4 may hide",
}
_COLOURS = {0: "green", 1: "red", 2: "yellow", 75: "yellow"}


def status(as_json: AsJson = False) -> None:
    """Is it fine? One line, what was found, then runs, gates, freshness, quota, provisional days.

    Exit code: 0 fine or running, 1 stale, failed, killed or never run, 2 held back (also a
    single property), 75 paused on quota.
    """
    from pipelines.ingest.run_window import remembered_zone
    from pipelines.monitoring.status import read_status

    settings = load_settings()
    state = read_status(settings)
    if as_json:
        print_json(state.as_dict())
    else:
        _print_status(state, remembered_zone(settings), settings.nightly)
    raise typer.Exit(state.exit_code)


def _print_status(state: HomeStatus, zone: ZoneInfo, nightly: Nightly) -> None:
    word = words(state.state).capitalize()
    colour = _COLOURS[state.exit_code]
    out.print(f"[{colour}]{word}[/{colour}]: {escape(state.verdict)}", soft_wrap=True)
    for finding in state.findings:
        out.print(escape(finding), soft_wrap=True)
    if state.is_pinned:
        out.print(f"This is a demo's home: its clock stands at {state.now:%Y-%m-%d}.")
    for name, why in state.damaged_versions.items():
        out.print(f"Version {name} is damaged: {escape(why)}.", soft_wrap=True)
    for row in state.sources:
        told = f"{row['source'].capitalize()} of property {row['property_id']}: {row['message']}"
        out.print(escape(told), soft_wrap=True)
    _print(f"Last runs (times of {zone})", [_run(row, zone) for row in state.runs])
    _print("Gates of the last run", state.gates)
    _print("Checks that held it back", state.failures)
    _print("Warnings of the last run", state.warnings)
    _print("Newest published days", state.freshness)
    if any(row["provisional_days"] for row in state.freshness):
        out.print("  Provisional days may still change in GA4; the next nights pull them again.\n")
    for row in state.freshness:
        if told := _out_of_reach(row, nightly):
            out.print(f"  {escape(told)}\n", soft_wrap=True)
    # The other quotas matter when they are used up; `--json` has them all.
    left = [_quota(row, zone) for row in state.quota if _matters(row)]
    _print("What is left of GA4's quota", left)


def _out_of_reach(row: dict[str, Any], nightly: Nightly) -> str:
    """Of days that were pulled while they still grew, before weeks without a night; '' if none."""
    since, reached = row["provisional_since"], nightly.oldest_day(row["newest_day"])
    if since is None or since >= reached:
        return ""
    return (
        f"Property {row['property_id']}: days from {since} on were pulled before they had settled, "
        f"and no night reaches back before {reached}: run 'sluice backfill --start {since} --end "
        f"{reached - timedelta(days=1)}'."
    )


def _matters(row: dict[str, Any]) -> bool:
    return "tokens" in row["quota"] or not row["remaining"]


def _quota(row: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """A reading as people read it; `--json` has it as it is stored."""
    bucket, _, name = row["quota"].partition("_")
    words = f"{_QUOTA_WORDS.get(bucket, bucket)}: {_QUOTA_WORDS.get(name, name.replace('_', ' '))}"
    return {
        "property": row["property_id"],
        "quota": words,
        "left": f"{row['remaining']:,}",
        "as of": local(row["read_at"], zone),
    }


def _run(row: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """A run as people read it; `--json` has it as it is stored."""
    began, ended = row["started_at"], row["finished_at"]
    return {
        "run": row["run_id"],
        "command": row["command"],
        "days": f"{row['window_start']} to {row['window_end']}" if row["window_start"] else "",
        "ended as": words(row["status"]),
        "began": local(began, zone),
        "took": duration((ended - began).total_seconds()) if ended else "",
        "message": " ".join((row["message"] or "").split()),
    }


def _print(title: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    table = new_table(*map(words, rows[0]), title=title)
    for column, name in zip(table.columns, rows[0], strict=True):
        column.justify = "right" if name in _NUMBERS else "left"
        # A message takes what the others leave, in one line; `--json` has all of it.
        if "message" in rows[0]:
            table.expand, column.no_wrap = True, True
            column.ratio = 1 if name == "message" else None
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row.values()))
    out.print(table)
