"""Raw assets: one per report, daily partitions, all pulled by one op.

One op, because reports of a night share the client, at most three requests in flight, and one
writer; a range of days is one request a report.
"""

from collections.abc import Iterator
from itertools import chain

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    MaterializeResult,
    multi_asset,
)

from data_checks import warm_up
from pipelines import __version__
from pipelines.config.register import read_register
from pipelines.config.settings import Settings
from pipelines.config.tracking_plan import TrackingPlan
from pipelines.experiments.exposed import exposed_experiments
from pipelines.ga4.rate_limit import BACKFILL, NIGHTLY
from pipelines.ga4.report_catalog import ReportSpec
from pipelines.ga4.report_words import report_words
from pipelines.ingest.day_window import window_of_tags
from pipelines.ingest.ingest_run import Run, ingest
from pipelines.monitoring.lost_days import refuse_lost_days
from pipelines.orchestration.asset_facts import DATA, FRESHNESS, ROW_COUNT, columns_metadata
from pipelines.orchestration.partitions import BACKFILL_TAG, COMMAND_TAG, daily_partitions
from pipelines.orchestration.resources import Ga4Resource, RunLock
from pipelines.sources.configured import TABLES
from pipelines.warehouse.change_register import remember_register
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.fetches import ensure_source_tables
from pipelines.warehouse.runs import start_run
from pipelines.warehouse.table_facts import table_facts
from pipelines.warehouse.tracking_overrides import remember_parts, remember_plan


def raw_key(spec: ReportSpec) -> AssetKey:
    """`raw/ga4_sessions_by_device`: the key dagster-dbt gives to the dbt source of that name."""
    return AssetKey(["raw", spec.table])


def build_raw_assets(
    settings: Settings, reports: tuple[ReportSpec, ...], plan: TrackingPlan
) -> AssetsDefinition:
    """The asset of every report; `plan` is what the reports were made of."""
    # What is read from Shopify alone is counted from what was fetched.
    is_counted = any(item.is_shopify for item in settings.properties)
    counted_from = [AssetKey(["raw", one.name]) for one in TABLES["shopify"] if is_counted]
    specs = [
        AssetSpec(
            raw_key(spec),
            deps=counted_from,
            group_name="raw",
            kinds={"googleanalytics", "duckdb"},
            owners=[DATA],
            freshness_policy=FRESHNESS,
            metadata=columns_metadata(spec.columns, {}),
            description=f"{report_words(spec.name)}: one row per property, date and "
            f"{', '.join(spec.key_columns) or 'nothing else'}, as the API gave it.",
        )
        for spec in reports
    ]

    @multi_asset(
        name="raw_ga4",
        specs=specs,
        partitions_def=daily_partitions(settings.time_zone),
        backfill_policy=BackfillPolicy.single_run(),
        can_subset=True,
    )
    def raw_ga4(
        context: AssetExecutionContext, ga4: Ga4Resource, run_lock: RunLock
    ) -> Iterator[MaterializeResult[None]]:
        window = window_of_tags(context.run.tags)
        assert window is not None, "a partitioned asset always has a window"
        wanted = tuple(spec for spec in reports if raw_key(spec) in context.selected_asset_keys)
        run = Run(
            run_id=context.run_id,
            command=context.run.tags.get(COMMAND_TAG, "dagster"),
            backfill_id=context.run.tags.get(BACKFILL_TAG),
        )
        with build_database(settings.build_db) as connection:
            # Before anybody is asked: also a run that gets no answer is remembered.
            start_run(
                connection, run.run_id, run.command, window.start, window.end, __version__,
                settings.clock.now(),
            )  # fmt: skip
        refuse_lost_days(settings, window.start)
        with build_database(settings.build_db) as connection:
            # Empty ones, so that dbt can build every model by hand, whichever sources there are.
            ensure_source_tables(connection, chain(*TABLES.values()))
            remember_plan(connection, plan)
            remember_parts(connection, reports)
            today = settings.clock.now().date()
            register = read_register(settings, plan, today)
            remember_register(connection, register, today)
        # The first gate's imports take seconds; so does waiting for GA4.
        warm_up()
        policy = BACKFILL if run.backfill_id else NIGHTLY
        client = ga4.client(policy) if settings.asks_ga4 else None
        outcome = ingest(settings, client, wanted, window, run, exposed_experiments(register, plan))
        stored = table_facts(settings.build_db, [("raw", spec.table) for spec in wanted])
        for spec in wanted:
            yield MaterializeResult(
                asset_key=raw_key(spec),
                metadata={
                    ROW_COUNT: stored["raw", spec.table].rows,
                    "pulled_rows": outcome.rows.get(spec.name, 0),
                    "days": (window.end - window.start).days + 1,
                    "problems": outcome.problems.get(spec.name, ""),
                },
            )

    return raw_ga4
