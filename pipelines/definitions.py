"""What `dagster dev` and the daemon load."""

from dagster import Definitions, definitions

from pipelines.config.settings import load_settings
from pipelines.orchestration.build import build_defs
from pipelines.orchestration.column_lineage import derive_lineage


@definitions
def defs() -> Definitions:
    """Made when Dagster asks for them: to import this module reads and writes no file."""
    settings = load_settings()
    return build_defs(settings, lineage=derive_lineage(settings))
