"""The gates as blocking asset checks: one check op between two layers.

The expectations live in `data_checks`; here they are only wired. One op checks a whole layer:
a failing check on a leaf that nothing consumes would stop nothing as an op of its own.
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

from data_checks import GateReport, GateResult, Window, record, run_gate
from pipelines.partitions import DayWindow, yesterday
from pipelines.settings import Settings
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.properties import held_back, remember_held_back
from pipelines.windows import worked_window

CHECK_NAME = "gate"


def build_gate(settings: Settings, gate: str, keys: Sequence[AssetKey]) -> AssetChecksDefinition:
    """The gate of one layer: a blocking check on every asset of it."""
    specs = [
        AssetCheckSpec(CHECK_NAME, asset=key, blocking=True, description=f"The {gate} gate.")
        for key in keys
    ]

    @multi_asset_check(name=f"gate_{gate}", specs=specs, required_resource_keys={"run_lock"})
    def check(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        report = judge(settings, gate, context.run)
        if report.failed_critical:
            context.log.error(report.summary())
        yield from check_results(report, keys, is_blocking=not _others_go_on(report))

    return check


def judge(settings: Settings, gate: str, run: DagsterRun) -> GateReport:
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
            now=settings.clock.now(),
        )
        record(connection, report)
        if _others_go_on(report):
            for result in report.failed_critical:
                remember_held_back(
                    connection, run.run_id, result.property_id, gate, _words(result),
                    now=settings.clock.now(),
                )  # fmt: skip
    return report


def _others_go_on(report: GateReport) -> bool:
    """Some properties failed, but not all of those that were judged."""
    judged = {result.property_id for result in report.results}
    return bool(report.held_back) and set(report.held_back) < judged


def _newest(settings: Settings) -> DayWindow:
    day = yesterday(settings.time_zone, settings.clock.now())
    return DayWindow(day, day)


def check_results(
    report: GateReport, keys: Sequence[AssetKey], *, is_blocking: bool
) -> Iterator[AssetCheckResult]:
    """One result for every asset; what concerns none of them is reported with the first."""
    tables = {".".join(key.path) for key in keys}
    for position, key in enumerate(keys):
        own = [
            result
            for result in report.results
            if result.table_name == ".".join(key.path)
            or (position == 0 and result.table_name not in tables)
        ]
        failed = [result for result in own if not result.is_success]
        critical = [result for result in failed if result.severity == "critical"]
        yield AssetCheckResult(
            asset_key=key,
            check_name=CHECK_NAME,
            passed=not failed,
            severity=AssetCheckSeverity.ERROR
            if critical and is_blocking
            else AssetCheckSeverity.WARN,
            description="; ".join(_words(result) for result in (critical or failed)[:3]),
            metadata={
                "expectations": len(own),
                "failed": [_words(result) for result in failed],
            },
        )


def _words(result: GateResult) -> str:
    return (
        f"{result.table_name}: {result.expectation} "
        f"(property {result.property_id}, observed {result.observed}, e.g. {result.sample})"
    )
