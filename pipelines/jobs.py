"""The nightly job: every asset and gate, for the window of days in the run's tags."""

from __future__ import annotations

from dagster import AssetSelection, HookContext, failure_hook
from dagster import define_asset_job as _define_asset_job
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from pipelines.errors import SluiceError
from pipelines.settings import Settings
from pipelines.warehouse.runs import FAILED, HELD_BACK, PAUSED, finish_run

NIGHTLY = "nightly"
_STATUS_OF_EXIT = {2: HELD_BACK, 75: PAUSED}


def build_nightly_job(settings: Settings) -> UnresolvedAssetJobDefinition:
    """`sluice nightly`, the schedule and the UI all run this job."""

    @failure_hook(name="remember_failure")
    def remember_failure(context: HookContext) -> None:
        status, message = describe_failure(context.op.name, context.op_exception)
        finish_run(settings.build_db, context.run_id, status, message)

    return _define_asset_job(
        NIGHTLY,
        selection=AssetSelection.all(),
        hooks={remember_failure},
        description="Pull, build, guard and publish one window of days.",
    )


def describe_failure(op_name: str, error: BaseException | None) -> tuple[str, str]:
    """(status, one sentence) for the step that failed."""
    if op_name.startswith("gate_"):
        return HELD_BACK, f"The {op_name.removeprefix('gate_')} gate held the night back."
    if isinstance(error, SluiceError):
        return _STATUS_OF_EXIT.get(error.exit_code, FAILED), str(error)
    first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return FAILED, f"The step {op_name} failed: {first_line}"
