"""The last asset: what passed every gate becomes the version that readers see."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    BackfillPolicy,
    MaterializeResult,
    MetadataValue,
    asset,
)

from pipelines import __version__
from pipelines.config.settings import Settings
from pipelines.errors import ReportError
from pipelines.ingest.day_window import window_of_tags
from pipelines.monitoring.alerts import tell
from pipelines.monitoring.run_logs import prune_logs
from pipelines.orchestration.asset_facts import FRESHNESS, REPORTING, ROW_COUNT
from pipelines.orchestration.assets.report_asset import REPORT_KEY, page_of_run
from pipelines.orchestration.dagster_home import prune_runs
from pipelines.publishing.publication import Publication
from pipelines.publishing.publish import publish
from pipelines.publishing.verdict import verdict_sentences
from pipelines.publishing.version_diff import mart_rows
from pipelines.publishing.versions import PAGE, current_version
from pipelines.warehouse.connect import build_database, published_database
from pipelines.warehouse.findings_memory import remember_findings
from pipelines.warehouse.property_records import held_back
from pipelines.warehouse.runs import finish_run

PUBLISHED_KEY = AssetKey(["published", "version"])


def build_publish_asset(settings: Settings, marts: Sequence[AssetKey]) -> AssetsDefinition:
    """The asset `published/version`, downstream of every mart and of the page."""

    @asset(
        key=PUBLISHED_KEY,
        deps=[*marts, REPORT_KEY],
        group_name="published",
        kinds={"duckdb", "parquet"},
        owners=[REPORTING],
        freshness_policy=FRESHNESS,
        backfill_policy=BackfillPolicy.single_run(),
        required_resource_keys={"run_lock"},
        description="Marts, ops and the page: a complete, audited copy, swapped in atomically.",
    )
    def published_version(context: AssetExecutionContext) -> MaterializeResult[None]:
        window = window_of_tags(context.run.tags)
        with build_database(settings.build_db) as connection:
            kept_back = held_back(connection, context.run_id)
        remember_findings(settings.build_db, kept_back)
        publication = Publication(
            build_db=settings.build_db,
            published_dir=settings.published_dir,
            run_id=context.run_id,
            code_version=__version__,
            window_start=str(window.start) if window else "",
            window_end=str(window.end) if window else "",
            keep_versions=settings.publish.keep_versions,
            group=settings.publish.group,
            with_parquet=settings.publish.parquet,
            kept_back=tuple(kept_back),
            page=_page(settings, context.run_id),
            now=settings.clock.now(),
        )
        version = publish(publication)
        prune_logs(settings.logs_dir)
        prune_runs(context.instance)
        finish_run(
            settings.build_db, context.run_id, publication.status, _ending(version, kept_back),
            settings.clock.now(),
        )  # fmt: skip
        tell(settings, context.run_id, publication.status, "")
        return MaterializeResult(metadata=_facts(settings, kept_back))

    return published_version


def _facts(settings: Settings, kept_back: Mapping[str, str]) -> dict[str, Any]:
    """What Dagster shows of a version: what it holds, what it found and where it is."""
    version = current_version(settings.published_dir)
    assert version is not None, "it was published just now"
    days = version.manifest["window"]
    with published_database(settings.published_dir) as connection:
        verdict = "\n\n".join(verdict_sentences(connection))
    return {
        ROW_COUNT: mart_rows(version.manifest),
        "version": version.name,
        "days": f"{days['start']} to {days['end']}",
        "verdict": MetadataValue.md(verdict),
        "page": MetadataValue.path(version.path / PAGE),
        "held_back": list(kept_back),
    }


def _page(settings: Settings, run_id: str) -> Path:
    """The page of this very run: an older one would show other numbers than the version holds."""
    page = page_of_run(settings, run_id)
    if not page.exists():
        raise ReportError(
            "This run made no page: select published/report together with published/version."
        )
    return page


def _ending(version: str, kept_back: Mapping[str, str]) -> str:
    if not kept_back:
        return f"version {version}"
    reasons = "; ".join(f"property {name} was held back: {why}" for name, why in kept_back.items())
    return f"Version {version} was published, but {reasons}"
