"""What `dagster dev` and the daemon load."""

from pipelines.build import build_defs

defs = build_defs()
