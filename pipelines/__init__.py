"""Sluice: pulls GA4, builds funnel tables, guards and publishes them."""

import os
import warnings
from importlib.metadata import version

# From some months before a Python's end of life Google's packages say so at every import: on
# standard error, so in cron's mail. Which Pythons Sluice runs on stands in pyproject.toml.
warnings.filterwarnings("ignore", r"You are using a (non-supported )?Python version", FutureWarning)
# DuckDB's allocator, which reads this when it is loaded, would keep the addresses of memory that it
# gave back. A process's own limit (`ulimit -d`) counts them: up to 1.5 GB beside what is in use.
os.environ.setdefault("DUCKDB_JE_MALLOC_CONF", "retain:false")
__version__ = version("sluice")
