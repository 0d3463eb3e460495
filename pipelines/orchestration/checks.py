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
    MetadataValue,
    multi_asset_check,
)

from data_checks import GateReport, GateResult, ModelTest
from pipelines.config.settings import Settings
from pipelines.ingest.day_window import nightly_window, window_of_tags
from pipelines.ingest.run_window import newest_day
from pipelines.warehouse.gate_run import judge_gate
from pipelines.wording import counted

# What each gate guards, as its check is called.
GUARDED = {
    "raw": "answers_are_whole",
    "staging": "nothing_is_lost_from_raw",
    "intermediate": "counts_fit_together",
    "marts": "numbers_may_be_published",
}
MOST_SHOWN = 20


def build_gate(
    settings: Settings, gate: str, key: AssetKey, tests: Sequence[ModelTest] = ()
) -> AssetChecksDefinition:
    """The gate of one layer, with dbt's `tests` of it, as one blocking check on the asset `key`.

    What reads that asset waits for the check, and does not run when it fails: `key` has to be
    among what the next layer reads.
    """
    spec = AssetCheckSpec(
        GUARDED[gate],
        asset=key,
        blocking=True,
        description=f"The {gate} gate, over all its tables: {GUARDED[gate].replace('_', ' ')}.",
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
    """One result a gate, and a table of what failed. All expectations are in ops.gate_results."""
    critical = report.failed_critical
    failed = (*critical, *report.warnings)
    return AssetCheckResult(
        passed=not failed,
        severity=AssetCheckSeverity.ERROR
        if critical and not report.others_go_on
        else AssetCheckSeverity.WARN,
        description="; ".join(result.sentence for result in (critical or failed)[:3])
        or f"All {counted(len(report.results), 'expectation')} hold.",
        metadata={
            "expectations": len(report.results),
            "critical": len(critical),
            "warnings": len(failed) - len(critical),
            **({"failed": MetadataValue.md(_as_table(failed))} if failed else {}),
        },
    )


def _as_table(failed: Sequence[GateResult]) -> str:
    """What failed, in Markdown."""
    lines = [
        f"| {one.severity} | {one.property_id or 'all'} | {one.table_name} | "
        f"{one.expectation} | {one.observed.replace('|', '¦')} |"
        for one in failed[:MOST_SHOWN]
    ]
    head = "| severity | property | table | expectation | observed |\n|---|---|---|---|---|"
    more = len(failed) - MOST_SHOWN
    rest = [f"\nand {more:,} more in ops.gate_results"] if more > 0 else []
    return "\n".join([head, *lines, *rest])
