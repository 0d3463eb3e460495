"""The command line. One small file a command; no command holds logic of its own."""

from pipelines.cli.app import main

__all__ = ["main"]
