"""The root of Sluice's error family: what a user reads instead of a traceback.

A message is one sentence that names the thing (property, report, date, file) and the next step.
Errors of one area live beside it (`ga4/api_errors.py`) and inherit from here. No Dagster, no I/O.
"""


class SluiceError(Exception):
    """Something a user can put right; `exit_code` is what the command line ends with."""

    exit_code = 1


class ConfigError(SluiceError):
    """`sluice.yml`, the environment or a command's arguments are wrong."""


class SeedError(SluiceError):
    """A seed file (plan, funnel, segment, benchmark), or the shop's tracking plan, is broken."""


class WarehouseError(SluiceError):
    """The build database or a published version cannot be read or written."""


class ReportError(SluiceError):
    """The page cannot be made or written."""
