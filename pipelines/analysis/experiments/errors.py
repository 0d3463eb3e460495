"""What a user can put right about an experiment."""

from pipelines.errors import SluiceError


class ExperimentError(SluiceError):
    """A file of outcomes, or what was said about an experiment, is wrong."""
