"""Sluice: pulls GA4, builds funnel tables, guards and publishes them."""

import warnings
from importlib.metadata import version

# From some months before a Python's end of life Google's packages say so at every import: on
# standard error, so in cron's mail. Which Pythons Sluice runs on stands in pyproject.toml.
warnings.filterwarnings("ignore", r"You are using a (non-supported )?Python version", FutureWarning)
__version__ = version("sluice")
