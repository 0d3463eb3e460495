"""How a run and a pull stand or ended, as `ops.runs` and `ops.pulls` have it. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class RunStatus(StrEnum):
    """What `ops.runs.status` says; `exit_code` is what `sluice nightly` then ends with."""

    exit_code: int

    def __new__(cls, word: str, exit_code: int = 1) -> Self:
        """A word with its consequence."""
        member = str.__new__(cls, word)
        member._value_, member.exit_code = word, exit_code
        return member

    RUNNING = "running"
    PUBLISHED = "published", 0
    # All but the properties that a gate, or their pull, held back.
    PARTLY_PUBLISHED = "partly_published", 2
    HELD_BACK = "held_back", 2
    PAUSED = "paused", 75
    FAILED = "failed"
    # The tables were built by an older version of the models: only a full refresh helps.
    OUTDATED = "outdated"
    # Never stored: a run that is `running` in the file and nowhere else.
    INTERRUPTED = "interrupted"

    @property
    def is_published(self) -> bool:
        """Whether readers have its version."""
        return self in {RunStatus.PUBLISHED, RunStatus.PARTLY_PUBLISHED}

    @property
    def readers(self) -> str:
        """A sentence on what a run without a version leaves to its readers; '' of all others."""
        is_over = not self.is_published and self is not RunStatus.RUNNING
        return "Readers still have the version before." if is_over else ""

    @classmethod
    def of_error(cls, exit_code: int) -> RunStatus:
        """How a run ends that an error with this exit code stopped."""
        stopped = {one.exit_code: one for one in (cls.HELD_BACK, cls.PAUSED)}
        return stopped.get(exit_code, cls.FAILED)


class PullStatus(StrEnum):
    """What `ops.pulls.status` says of one pull of a report, and `ops.fetches.status` of a fetch."""

    LOADED = "loaded"
    # The answer contradicted itself.
    HELD_BACK = "held_back"
    FAILED = "failed"
    # GA4 does not answer this request at all.
    REFUSED = "refused"
    # GA4 would answer with a threshold, or no quota is left for that.
    SKIPPED = "skipped"
    # No fetch: sluice.yml does not name this second source for the property any more.
    LEFT_OUT = "left_out"
