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
    multi_asset_check,
)

from data_checks import GateReport, GateResult, Window, record, run_gate
from pipelines.partitions import DayWindow, window_of_tags, yesterday
from pipelines.settings import Settings
from pipelines.warehouse.connect import build_database

CHECK_NAME = "gate"


def build_gate(settings: Settings, gate: str, keys: Sequence[AssetKey]) -> AssetChecksDefinition:
    """The gate of one layer: a blocking check on every asset of it."""
    specs = [
        AssetCheckSpec(CHECK_NAME, asset=key, blocking=True, description=f"The {gate} gate.")
        for key in keys
    ]

    @multi_asset_check(name=f"gate_{gate}", specs=specs, required_resource_keys={"run_lock"})
    def check(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        window = window_of_tags(context.run.tags) or DayWindow(
            yesterday(settings.time_zone), yesterday(settings.time_zone)
        )
        with build_database(settings.build_db) as connection:
            report = run_gate(
                gate,
                connection,
                window=Window(window.start, window.end),
                run_id=context.run.run_id,
                properties=[item.id for item in settings.properties],
            )
            record(connection, report)
        if report.failed_critical:
            context.log.error(report.summary())
        yield from check_results(report, keys)

    return check


def check_results(report: GateReport, keys: Sequence[AssetKey]) -> Iterator[AssetCheckResult]:
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
            severity=AssetCheckSeverity.ERROR if critical else AssetCheckSeverity.WARN,
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
