"""`sluice doctor`: is everything there that a night needs, and if not, what to do next.

Steps are data (`step_model`); what they ask GA4 is in `probes`, how they judge in
`connection_steps`, `coverage_steps` and `machine_steps`; `doctor_run` puts them in order. Nothing
here writes anything, and nothing opens the build database, so a doctor may look on while a run is
going on. No Dagster.
"""

from pipelines.monitoring.doctor.doctor_run import diagnose, without_settings
from pipelines.monitoring.doctor.step_model import Block, Diagnosis, Mark, Step

__all__ = ["Block", "Diagnosis", "Mark", "Step", "diagnose", "without_settings"]
