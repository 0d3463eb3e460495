"""Raw assets of second sources: one a table, all fetched by one op, which never fails a night."""

from collections.abc import Iterator

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    MaterializeResult,
    multi_asset,
)

from pipelines.config.settings import Settings
from pipelines.ingest.day_window import window_of_tags
from pipelines.orchestration.asset_facts import DATA, FRESHNESS, ROW_COUNT, columns_metadata
from pipelines.orchestration.resources import RunLock
from pipelines.sources.configured import configured_sources, tables_of
from pipelines.sources.night import fetch_all
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.fetches import ensure_source_tables
from pipelines.warehouse.table_facts import table_facts


def build_source_assets(settings: Settings) -> list[AssetsDefinition]:
    """The assets of the sources that some property has; none where none has one."""
    tables = tables_of(settings)
    if not tables:
        return []

    @multi_asset(
        name="raw_sources",
        specs=[
            AssetSpec(
                ["raw", table.name],
                group_name="raw_sources",
                kinds={"duckdb"},
                owners=[DATA],
                freshness_policy=FRESHNESS,
                metadata=columns_metadata(table.all_columns, {}),
                description=table.description,
            )
            for table in tables
        ],
        backfill_policy=BackfillPolicy.single_run(),
    )
    def raw_sources(
        context: AssetExecutionContext, run_lock: RunLock
    ) -> Iterator[MaterializeResult[None]]:
        window = window_of_tags(context.run.tags)
        assert window is not None, "the nightly job always has a window"
        with build_database(settings.build_db) as connection:
            ensure_source_tables(connection, tables)
            problems = fetch_all(
                connection,
                configured_sources(settings),
                window,
                run_id=context.run_id,
                clock=settings.clock,
            )
        stored = table_facts(settings.build_db, [("raw", table.name) for table in tables])
        for table in tables:
            yield MaterializeResult(
                asset_key=AssetKey(["raw", table.name]),
                metadata={
                    ROW_COUNT: stored["raw", table.name].rows,
                    "problems": problems.get(table.name, ""),
                },
            )

    return [raw_sources]
