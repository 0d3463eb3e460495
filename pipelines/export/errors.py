"""What can be wrong with an export, each with the next step for the user."""

from __future__ import annotations

from pipelines.ga4.api_errors import Ga4Error


class ExportError(Ga4Error):
    """The export cannot be read at all: its property waits, what was loaded stays."""


class DayError(ExportError):
    """The files of one day cannot be read: the day stays as it was."""


def unreadable(path: str, reason: str) -> DayError:
    """The one sentence about a file that cannot be read."""
    return DayError(
        f"The export file {in_one_line(path)} cannot be read ({reason}): write it anew from "
        "BigQuery, or correct its permissions."
    )


def in_one_line(path: str) -> str:
    """A path of any bytes, without a line break."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in path)


class NewestDayError(ExportError):
    """BigQuery has not written the newest day yet: it may be there in some hours."""

    exit_code = 75


class UnreachableStoreError(ExportError):
    """The object store does not answer, or only with errors of its own: later it may."""

    exit_code = 75
