"""The morning page as an asset: made from what passed the last gate, before it is published."""

from collections.abc import Sequence
from pathlib import Path

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    BackfillPolicy,
    MaterializeResult,
    MetadataValue,
    asset,
)

from pipelines.config.settings import Settings
from pipelines.orchestration.asset_facts import FRESHNESS, REPORTING
from pipelines.publishing.versions import PAGE

REPORT_KEY = AssetKey(["published", "report"])


def page_of_run(settings: Settings, run_id: str) -> Path:
    """Where a run leaves its page until it is published."""
    return settings.logs_dir / run_id / PAGE


def build_report_asset(settings: Settings, marts: Sequence[AssetKey]) -> AssetsDefinition:
    """The asset `published/report`, downstream of every mart and of their gate."""

    @asset(
        key=REPORT_KEY,
        deps=list(marts),
        group_name="published",
        kinds={"html"},
        owners=[REPORTING],
        freshness_policy=FRESHNESS,
        backfill_policy=BackfillPolicy.single_run(),
        required_resource_keys={"run_lock"},
        description="One self-contained page of what readers are about to get.",
    )
    def published_report(context: AssetExecutionContext) -> MaterializeResult[None]:
        # Only the run that makes a page imports what a page takes.
        from pipelines.report.run_page import write_run_page  # noqa: PLC0415

        page = page_of_run(settings, context.run_id)
        write_run_page(settings, context.run_id, page)
        return MaterializeResult(
            metadata={"page": MetadataValue.path(page), "bytes": page.stat().st_size}
        )

    return published_report
