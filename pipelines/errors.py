"""The root of Sluice's error family: what a user reads instead of a traceback.

A message is one sentence that names the thing (property, report, date, file) and the next step.
Errors of one area live beside it (`ga4/api_errors.py`) and inherit from here. No Dagster, no I/O.
"""

from pipelines.wording import redacted


class SluiceError(Exception):
    """Something a user can put right; `exit_code` is what the command line ends with.

    Whatever words it was made of, no key or token is among them: they reach `ops` and the webhook.
    """

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(redacted(message))


class ConfigError(SluiceError):
    """`sluice.yml`, the environment or a command's arguments are wrong."""


class SeedError(SluiceError):
    """A seed file (plan, funnel, segment, benchmark), or the shop's tracking plan, is broken."""


class WarehouseError(SluiceError):
    """The build database or a published version cannot be read or written."""


class ReportError(SluiceError):
    """The page cannot be made or written."""


# What DuckDB, SQLite and the system say of a disk on which nothing can be written any more.
_NO_ROOM = (
    "No space left on device",
    "database or disk is full",
    "disk I/O error",
    "quota exceeded",
)


def without_room(error: BaseException) -> str | None:
    """What to say where a full disk is behind an error, or behind what caused it; else None."""
    cause: BaseException | None = error
    while cause is not None:
        if found := next((words for words in _NO_ROOM if words in str(cause)), None):
            return f"The disk is full ({found}): make room and run it again; what was loaded stays."
        cause = cause.__cause__ or cause.__context__
    return None
