"""What `dagster dev` and the daemon load."""

from pipelines.orchestration.build import build_defs

defs = build_defs()
