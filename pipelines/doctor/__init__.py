"""`sluice doctor`: is everything there that a night needs, and if not, what to do next.

Steps are data (`model`); what they ask GA4 is in `ask`, how they judge in `connection`,
`tracking` and `machine`; `visit` puts them in order. Nothing here writes anything, and
nothing opens the build database, so a doctor may look on while a run is going on. No Dagster.
"""

from pipelines.doctor.model import Block, Diagnosis, Mark, Step
from pipelines.doctor.visit import diagnose, without_settings

__all__ = ["Block", "Diagnosis", "Mark", "Step", "diagnose", "without_settings"]
