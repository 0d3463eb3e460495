"""What `dagster dev` and the daemon load."""

from pipelines.config.settings import load_settings
from pipelines.orchestration.build import build_defs
from pipelines.orchestration.column_lineage import derive_lineage

settings = load_settings()
defs = build_defs(settings, lineage=derive_lineage(settings))
