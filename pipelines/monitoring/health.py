"""Is it fine? One word, one exit code and one sentence with what to do, from a home's state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pipelines.warehouse.runs import FULL_REFRESH, HELD_BACK, PARTLY_PUBLISHED, PAUSED, PUBLISHED

# A night publishes yesterday; one more day for zones far to the west.
DAYS_BEHIND = 2
FINE, RUNNING, STALE, FAILED, INTERRUPTED, NEVER_RUN = (
    "fine", "running", "stale", "failed", "interrupted", "never_run",
)  # fmt: skip
# As `sluice nightly` ends; a run that is going on is no reason for an alarm.
EXIT_CODES = {FINE: 0, RUNNING: 0, HELD_BACK: 2, PAUSED: 75}


@dataclass(frozen=True)
class Verdict:
    """`state`: one of the words above, held_back or paused. `text`: without the word."""

    state: str
    text: str

    @property
    def exit_code(self) -> int:
        """What `sluice status` ends with: 0, 1, 2 or 75."""
        return EXIT_CODES.get(self.state, 1)


def assess_health(
    is_running: bool,
    version: str | None,
    newest_version: str | None,
    runs: list[dict[str, Any]],
    freshness: list[dict[str, Any]],
    today: date,
) -> Verdict:
    """`runs`: newest first, killed ones as interrupted; `version`: what readers see.

    `today`: by the home's clock, in UTC.
    """
    if is_running:
        return Verdict(RUNNING, f"a run is going on; {_seen(version)}.")
    if not runs:
        return Verdict(
            NEVER_RUN, "nothing has run here yet. Run 'sluice nightly', or 'sluice demo' to try it."
        )
    last = runs[0]
    if last["status"] == PUBLISHED:
        return _published(version, newest_version, last, freshness, today)
    said = _said(last, version)
    if last["status"] == PARTLY_PUBLISHED:
        return Verdict(HELD_BACK, f"{said} The next night tries that property again.")
    if last["status"] == HELD_BACK:
        return Verdict(
            HELD_BACK, f"{said} Look at the failed checks below; the next night tries again."
        )
    if last["status"] == PAUSED:
        return Verdict(PAUSED, f"{said} {_command(last)} goes on where it was.")
    if last["status"] == INTERRUPTED:
        return Verdict(
            INTERRUPTED,
            f"the last run was killed; {_seen(version)}, and what was loaded stays. "
            f"Run {_command(last)} again.",
        )
    if "run 'sluice" in said:
        return Verdict(FAILED, said)
    return Verdict(FAILED, f"{said} When that is put right, run {_command(last)} again.")


def _published(
    version: str | None,
    newest_version: str | None,
    last: dict[str, Any],
    freshness: list[dict[str, Any]],
    today: date,
) -> Verdict:
    if version is None:
        return Verdict(
            STALE,
            f"readers find no version: run 'sluice rollback {newest_version}'."
            if newest_version
            else "readers find no version: run 'sluice nightly'.",
        )
    if version != newest_version:
        return Verdict(
            FINE,
            f"since a rollback {_seen(version)}, the newest is {newest_version}; "
            "the next night publishes over it.",
        )
    overdue = today - timedelta(days=DAYS_BEHIND)
    for row in freshness:
        if row["newest_day"] < overdue:
            return Verdict(
                STALE,
                f"the newest published day of property {row['property_id']} is "
                f"{row['newest_day']}. Run 'sluice nightly', and see that it runs every night.",
            )
    return Verdict(
        FINE, f"the last run published days up to {last['window_end']} (version {version})."
    )


def _seen(version: str | None) -> str:
    return f"readers see version {version}" if version else "nothing is published yet"


def _said(run: dict[str, Any], version: str | None) -> str:
    """How the run ended in its own words, and what readers see, which some of these tell."""
    said = " ".join(str(run["message"] or "").split())
    if "eaders" in said or run["status"] == PARTLY_PUBLISHED:
        return said
    seen = _seen(version)
    return f"{said} {seen[0].upper()}{seen[1:]}.".strip()


def _command(run: dict[str, Any]) -> str:
    """The command that goes on with a run; Dagster's runs do what a night does."""
    own = {"backfill": "'sluice backfill' over the same days", "demo": "'sluice demo'"}
    own[FULL_REFRESH] = f"'sluice {FULL_REFRESH}'"
    return own.get(run["command"], "'sluice nightly'")
