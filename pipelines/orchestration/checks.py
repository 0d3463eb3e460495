"""The gates as blocking asset checks: one check between two layers.

The expectations live in `data_checks`; here they are only wired.
"""

from collections.abc import Iterator, Sequence

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    multi_asset_check,
)

from data_checks import GateReport, ModelTest
from pipelines.config.settings import Settings
from pipelines.ingest.day_window import nightly_window, window_of_tags
from pipelines.ingest.run_window import newest_day
from pipelines.warehouse.gate_run import judge_gate

CHECK_NAME = "gate"


def build_gate(
    settings: Settings, gate: str, key: AssetKey, tests: Sequence[ModelTest] = ()
) -> AssetChecksDefinition:
    """The gate of one layer, with dbt's `tests` of it, as one blocking check on the asset `key`.

    What reads that asset waits for the check, and does not run when it fails: `key` has to be
    among what the next layer reads.
    """
    spec = AssetCheckSpec(
        CHECK_NAME, asset=key, blocking=True, description=f"The {gate} gate, over all its tables."
    )

    @multi_asset_check(name=f"gate_{gate}", specs=[spec], required_resource_keys={"run_lock"})
    def check(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        window = window_of_tags(context.run.tags) or nightly_window(newest_day(settings), 0)
        report = judge_gate(settings, gate, context.run.run_id, window, tests)
        if report.failed_critical:
            context.log.error(report.summary())
        yield _told(report)

    return check


def _told(report: GateReport) -> AssetCheckResult:
    """What Dagster is told: one result a gate. Every expectation stands in ops.gate_results."""
    failed = [result for result in report.results if not result.is_success]
    critical = report.failed_critical
    return AssetCheckResult(
        passed=not failed,
        severity=AssetCheckSeverity.ERROR
        if critical and not report.others_go_on
        else AssetCheckSeverity.WARN,
        description="; ".join(result.sentence for result in (critical or failed)[:3]),
        metadata={
            "expectations": len(report.results),
            "failed": [result.sentence for result in failed],
        },
    )
