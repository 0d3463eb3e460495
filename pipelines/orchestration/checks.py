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
    DagsterRun,
    multi_asset_check,
)

from data_checks import GateReport, GateResult, ModelTest, Window, record, run_gate
from pipelines.config.settings import Settings
from pipelines.ingest.day_window import DayWindow, yesterday
from pipelines.orchestration.partitions import worked_window
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.property_records import held_back, remember_held_back

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
        report = judge(settings, gate, context.run, tests)
        if report.failed_critical:
            context.log.error(report.summary())
        yield _told(report, is_blocking=not _others_go_on(report))

    return check


def judge(
    settings: Settings, gate: str, run: DagsterRun, tests: Sequence[ModelTest] = ()
) -> GateReport:
    """Run a gate over the properties that are still in the run, and remember what it found.

    A property that fails is held back from here on; the others go on without it.
    """
    window = worked_window(settings, run) or _newest(settings)
    with build_database(settings.build_db) as connection:
        gone = held_back(connection, run.run_id)
        report = run_gate(
            gate,
            connection,
            window=Window(window.start, window.end),
            run_id=run.run_id,
            properties=[item.id for item in settings.properties if item.id not in gone],
            tests=tests,
            now=settings.clock.now(),
        )
        record(connection, report)
        if _others_go_on(report):
            for result in report.failed_critical:
                assert result.property_id is not None, "what is nobody's own stops all"
                remember_held_back(
                    connection, run.run_id, result.property_id, gate, _words(result),
                    now=settings.clock.now(),
                )  # fmt: skip
    return report


def _others_go_on(report: GateReport) -> bool:
    """Some properties failed, but not all of those that were judged."""
    judged = {result.property_id for result in report.results if result.property_id is not None}
    return bool(report.held_back) and not report.stops_all and set(report.held_back) < judged


def _newest(settings: Settings) -> DayWindow:
    day = yesterday(settings.time_zone, settings.clock.now())
    return DayWindow(day, day)


def _told(report: GateReport, *, is_blocking: bool) -> AssetCheckResult:
    """What Dagster is told: one result a gate. Every expectation stands in ops.gate_results."""
    failed = [result for result in report.results if not result.is_success]
    critical = report.failed_critical
    return AssetCheckResult(
        passed=not failed,
        severity=AssetCheckSeverity.ERROR if critical and is_blocking else AssetCheckSeverity.WARN,
        description="; ".join(_words(result) for result in (critical or failed)[:3]),
        metadata={
            "expectations": len(report.results),
            "failed": [_words(result) for result in failed],
        },
    )


def _words(result: GateResult) -> str:
    whose = "no property's own" if result.property_id is None else f"property {result.property_id}"
    return (
        f"{result.table_name}: {result.expectation} "
        f"({whose}, observed {result.observed}, e.g. {result.sample})"
    )
