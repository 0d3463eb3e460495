"""The nightly job: every asset and gate, for the window of days in the run's tags."""

from __future__ import annotations

from dagster import AssetSelection, HookContext, failure_hook
from dagster import define_asset_job as _define_asset_job
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.errors import DagsterAssetCheckFailedError

from pipelines.config.settings import Settings
from pipelines.errors import SluiceError, without_room
from pipelines.monitoring.alerts import tell
from pipelines.orchestration.dbt_cli import first_words
from pipelines.orchestration.interrupts import is_interrupt
from pipelines.warehouse.runs import FULL_REFRESH, finish_run, first_gate_failure
from pipelines.warehouse.statuses import RunStatus

NIGHTLY = "nightly"
# dbt's words for an incremental table that was built by an older version of the models.
_OUTDATED = "source and target schemas on this incremental model are out of sync"


def build_nightly_job(settings: Settings) -> UnresolvedAssetJobDefinition:
    """`sluice nightly`, the schedule and the UI all run this job."""

    @failure_hook(name="remember_failure")
    def remember_failure(context: HookContext) -> None:
        if is_interrupt(context.op_exception):
            # Remembered as it stands: of a run that goes on nowhere, status says "interrupted".
            return
        status, message = describe_failure(context.op.name, context.op_exception)
        try:
            if status is RunStatus.HELD_BACK:
                message += first_gate_failure(settings.build_db, context.run_id)
            finish_run(settings.build_db, context.run_id, status, message, settings.clock.now())
        finally:
            tell(settings, context.run_id, status, message)

    return _define_asset_job(
        NIGHTLY,
        selection=AssetSelection.all(),
        hooks={remember_failure},
        description="Pull, build, guard and publish one window of days.",
    )


def describe_failure(op_name: str, error: BaseException | None) -> tuple[RunStatus, str]:
    """(status, one sentence) for the step that failed."""
    if isinstance(error, DagsterAssetCheckFailedError):
        return RunStatus.HELD_BACK, f"The {op_name.removeprefix('gate_')} gate held the night back."
    if isinstance(error, SluiceError):
        return RunStatus.of_error(error.exit_code), str(error)
    if error is not None and (reason := without_room(error)):
        return RunStatus.FAILED, reason
    if _OUTDATED in str(error):
        return RunStatus.OUTDATED, (
            "The warehouse was built by an older version of the models: run "
            f"'sluice {FULL_REFRESH}', which builds them anew from the raw data."
        )
    return RunStatus.FAILED, (
        f"The step {op_name} failed: {first_words(error)} The whole story is in the "
        "newest folder under logs/."
    )
