"""Is it fine? One word, one exit code and one sentence with what to do, from a home's state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from pipelines.warehouse.runs import BACKFILL_RUN, FULL_REFRESH
from pipelines.warehouse.statuses import RunStatus

# A night publishes yesterday; one more day for zones far to the west.
DAYS_BEHIND = 2
# One night a day, half a day of patience for one that was late (house default).
PATIENCE = timedelta(hours=36)


class Health(StrEnum):
    """The one word; a run that is going on is no reason for an alarm."""

    FINE = "fine"
    RUNNING = "running"
    STALE = "stale"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    NEVER_RUN = "never_run"
    HELD_BACK = "held_back"
    PAUSED = "paused"

    @property
    def exit_code(self) -> int:
        """What `sluice status` ends with: 0, 1, 2 or 75, as `sluice nightly` does."""
        if self in {Health.FINE, Health.RUNNING}:
            return 0
        as_run = {Health.HELD_BACK: RunStatus.HELD_BACK, Health.PAUSED: RunStatus.PAUSED}
        return as_run.get(self, RunStatus.FAILED).exit_code


@dataclass(frozen=True)
class Verdict:
    """`text`: without the word."""

    state: Health
    text: str


def assess_health(
    is_running: bool,
    version: str | None,
    newest_version: str | None,
    runs: list[dict[str, Any]],
    failures: list[dict[str, Any]],
    freshness: list[dict[str, Any]],
    today: date,
) -> Verdict:
    """`runs`: newest first, killed ones as interrupted; `version`: what readers see; `failures`:
    checks that held the last run back.

    `today`: by the home's clock, in UTC.
    """
    if is_running:
        return Verdict(Health.RUNNING, f"a run is going on; {_seen(version)}.")
    if not runs:
        return Verdict(
            Health.NEVER_RUN,
            "nothing has run here yet. Run 'sluice nightly', or 'sluice demo' to try it.",
        )
    last = runs[0]
    if last["status"] is RunStatus.PUBLISHED:
        return _published(version, newest_version, last, freshness, today)
    return _unpublished(last, version, failures)


def assess_fault(fault: str, unreadable: str, version: str | None) -> Verdict:
    """Of a home that cannot be read as it should. `fault`: of the build database, `unreadable`: of
    what readers see; one of them may be empty.
    """
    if unreadable:
        return Verdict(
            Health.FAILED,
            f"readers cannot read what is published: {unreadable.rstrip('.')}. Run 'sluice "
            "rollback' with a name from 'sluice versions', or 'sluice nightly' to publish another.",
        )
    return Verdict(
        Health.FAILED,
        f"no night can run: {fault.rstrip('.')}; {_seen(version)}. "
        'docs/operations.md, "When something is lost", says what to do.',
    )


def _unpublished(
    last: dict[str, Any], version: str | None, failures: list[dict[str, Any]]
) -> Verdict:
    """How the run ended in its own words, what readers see, and what to do."""
    words, seen = " ".join(str(last["message"] or "").split()), _seen(version)
    said = f"{words} {seen[0].upper()}{seen[1:]}.".strip()
    match last["status"]:
        case RunStatus.PARTLY_PUBLISHED:
            return Verdict(Health.HELD_BACK, f"{words} The next night tries that property again.")
        case RunStatus.HELD_BACK:
            # A pull that was refused before any gate has none.
            look = "Look at the failed checks below; the" if failures else "The"
            return Verdict(Health.HELD_BACK, f"{said} {look} next night tries again.")
        case RunStatus.PAUSED:
            return Verdict(Health.PAUSED, f"{said} {_command(last)} goes on where it was.")
        case RunStatus.INTERRUPTED:
            return Verdict(
                Health.INTERRUPTED,
                f"the last run was stopped or killed; {seen}, and what was loaded stays. "
                f"Run {_command(last)} again.",
            )
        case RunStatus.OUTDATED:
            return Verdict(Health.FAILED, said)
    return Verdict(Health.FAILED, f"{said} When that is put right, run {_command(last)} again.")


def _published(
    version: str | None,
    newest_version: str | None,
    last: dict[str, Any],
    freshness: list[dict[str, Any]],
    today: date,
) -> Verdict:
    if version is None:
        return Verdict(
            Health.STALE,
            f"readers find no version: run 'sluice rollback {newest_version}'."
            if newest_version
            else "readers find no version: run 'sluice nightly'.",
        )
    if version != newest_version:
        return Verdict(
            Health.FINE,
            f"since a rollback {_seen(version)}, the newest is {newest_version}; "
            "the next night publishes over it.",
        )
    overdue = today - timedelta(days=DAYS_BEHIND)
    for row in freshness:
        if row["newest_day"] < overdue:
            return Verdict(
                Health.STALE,
                f"the newest published day of property {row['property_id']} is "
                f"{row['newest_day']}. Run 'sluice nightly', and see that it runs every night.",
            )
    # Not the run's own last day: a backfill's, or that of a night with --date, is an older one.
    newest = min((row["newest_day"] for row in freshness), default=last["window_end"])
    return Verdict(
        Health.FINE, f"the last run published, and days go up to {newest} (version {version})."
    )


def _seen(version: str | None) -> str:
    return f"readers see version {version}" if version else "nothing is published yet"


def _command(run: dict[str, Any]) -> str:
    """The command that goes on with a run; Dagster's runs do what a night does."""
    own = {BACKFILL_RUN: "'sluice backfill' over the same days", "demo": "'sluice demo'"}
    own[FULL_REFRESH] = f"'sluice {FULL_REFRESH}'"
    return own.get(run["command"], "'sluice nightly'")
