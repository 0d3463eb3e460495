"""Where the pulls of a run come from: the Data API, a property's event export, or Shopify alone."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.clock import Clock
from pipelines.config.settings import Settings
from pipelines.config.tracking_plan import load_plan
from pipelines.errors import SluiceError
from pipelines.experiments.exposed import Exposed
from pipelines.export.engine import open_engine
from pipelines.export.errors import ExportError
from pipelines.export.source import ExportSource
from pipelines.ga4.client import Ga4Client, Profile
from pipelines.ga4.date_windows import days_between
from pipelines.ga4.extract.pull import Pull, pull
from pipelines.ga4.rate_limit import Reading
from pipelines.ga4.report_catalog import ReportSpec, build_reports
from pipelines.ingest.day_window import DayWindow
from pipelines.ingest.pull_plan import PullTask
from pipelines.sources.shopify.route import ShopifyRoute, ShopifyRouteError
from pipelines.warehouse.first_days import first_loaded_days
from pipelines.warehouse.load import record_failure
from pipelines.warehouse.property_records import remember_export_days
from pipelines.warehouse.statuses import PullStatus
from pipelines.wording import shown

if TYPE_CHECKING:
    from pipelines.analysis.experiments.metrics import Outcomes

logger = logging.getLogger("sluice")


@dataclass(frozen=True)
class Sources:
    """The client of all properties that are asked about, and where the others are read, by id."""

    client: Ga4Client | None
    exports: Mapping[str, ExportSource]
    shops: Mapping[str, ShopifyRoute] = field(default_factory=dict)

    def has(self, profile: Profile) -> bool:
        """Whether the property can be read in this run."""
        return profile.is_asked or profile.property_id in {*self.exports, *self.shops}

    def known(self, profile: Profile) -> Profile:
        """The profile with what its source knows beside."""
        source = self._apart(profile.property_id)
        return source.profile() if source else profile

    def offers(self, profile: Profile, spec: ReportSpec) -> bool:
        """Whether the property's source counts what the report is about."""
        shop = self.shops.get(profile.property_id)
        return shop is None or shop.knows(spec)

    def _apart(self, property_id: str) -> ExportSource | ShopifyRoute | None:
        """Where a property is read from that GA4 is not asked about."""
        return self.exports.get(property_id) or self.shops.get(property_id)

    def pull(self, task: PullTask, clock: Clock) -> Pull:
        """One pull, audited or exact; raises Ga4Error."""
        if source := self._apart(task.property_id):
            return source.pull(task.spec, task.start, task.end, clock=clock)
        assert self.client is not None, "a property of the Data API has a client"
        return pull(
            self.client,
            task.property_id,
            task.spec,
            task.start,
            task.end,
            custom_dimensions=task.profile.registered,
            fields=task.profile.fields,
            clock=clock,
        )

    def experiment(self, one: Exposed, profile: Profile, end: date) -> Outcomes:
        """The outcomes of an experiment up to `end`; raises ExperimentError, and as `pull` does."""
        if source := self.exports.get(one.entry.property_id):
            return source.experiment(one)
        if one.entry.property_id in self.shops:
            raise ExperimentError(
                f"Shopify does not tell who was shown what: name a file of outcomes for the "
                f"experiment {shown(one.entry.id)}."
            )
        # Only a run with an experiment imports what its outcomes take.
        from pipelines.ga4.extract.experiment_outcomes import pull_experiment  # noqa: PLC0415

        assert self.client is not None, "a property of the Data API has a client"
        return pull_experiment(self.client, one, end, profile.registered)

    def changed_days(
        self, connection: duckdb.DuckDBPyConnection, tasks: Sequence[PullTask]
    ) -> list[PullTask]:
        """Stretches of older days whose files changed, or came late, since they were counted."""
        first, found = first_loaded_days(connection), list[PullTask]()
        for task in tasks:
            source = self.exports.get(task.property_id)
            if source is None or not task.spec.kind.has_single_days:
                continue
            floor = first.get(task.property_id, task.start)
            days = [day for day in source.uncounted(floor) if day < task.start]
            found += [
                PullTask(task.profile, task.spec, start, end) for start, end in stretches(days)
            ]
        return found

    def mark_counted(self, tasks: Sequence[PullTask], failed: Collection[str]) -> None:
        """Days of which every report that this plan has was asked for; but not of those that
        `failed`.
        """
        for property_id, source in self.exports.items():
            own = [task for task in tasks if task.property_id == property_id]
            asked = {task.spec.name for task in own}
            if property_id in failed or not asked >= source.report_names:
                continue
            daily: dict[str, set[date]] = {}
            for task in own:
                if task.spec.kind.is_daily:
                    days = days_between(task.start, task.end)
                    daily.setdefault(task.spec.name, set()).update(days)
            source.landing.mark_counted(set.intersection(*daily.values()))

    def stop(self) -> None:
        """Nobody is asked any more."""
        if self.client:
            self.client.governor.stop()

    def take_readings(self) -> list[Reading]:
        """What GA4 said of its quota since the last time."""
        return self.client.governor.take_readings() if self.client else []


def open_exports(
    settings: Settings,
    window: DayWindow,
    asked: Collection[str],
    experiments: Sequence[Exposed] = (),
) -> tuple[dict[str, ExportSource], dict[str, SluiceError]]:
    """Of the `asked` properties those that are read from an export, with the window's days landed
    for reports and `experiments`; and why others cannot be read.
    """
    items = [item for item in settings.properties if item.is_export and item.id in asked]
    found, broken = dict[str, ExportSource](), dict[str, SluiceError]()
    if not items:
        return found, broken
    reports = build_reports(load_plan(shop=settings.tracking_plan))
    for item in items:
        try:
            engine = open_engine(settings.engine, settings.landed_dir / item.id)
            own = [one for one in experiments if one.entry.property_id == item.id]
            source = ExportSource.open(settings.landed_dir, item, reports, engine, own)
            source.land(window.start, window.end)
            found[item.id] = source
        except ExportError as error:
            logger.warning("%s", error)
            broken[item.id] = error
    return found, broken


def open_shops(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    window: DayWindow,
    asked: Collection[str],
) -> tuple[dict[str, ShopifyRoute], dict[str, SluiceError]]:
    """Of the `asked` properties those read from Shopify alone, and why others cannot be."""
    items = [item for item in settings.properties if item.is_shopify and item.id in asked]
    found, broken = dict[str, ShopifyRoute](), dict[str, SluiceError]()
    if not items:
        return found, broken
    plan = load_plan(shop=settings.tracking_plan)
    for item in items:
        try:
            found[item.id] = ShopifyRoute.open(connection, item, plan, window.end)
        except ShopifyRouteError as error:
            logger.warning("%s", error)
            broken[item.id] = error
    return found, broken


def remember_days(
    connection: duckdb.DuckDBPyConnection,
    sources: Sources,
    reports: Sequence[ReportSpec],
    window: DayWindow,
    *,
    run_id: str,
    now: datetime,
) -> None:
    """What exports' days hold, and why there is nothing of a day, which later nights look for;
    dropped reports of Shopify have gaps, too.
    """
    for property_id, source in sources.exports.items():
        remember_export_days(connection, property_id, source.landed)
        absent = source.absent_days(window.start, window.end)
        _remember_absent(connection, property_id, absent, reports, run_id, now)
    for property_id, shop in sources.shops.items():
        absent = shop.absent_days(window.start, window.end)
        known = [spec for spec in reports if shop.knows(spec)]
        _remember_absent(connection, property_id, absent, known, run_id, now)


def _remember_absent(
    connection: duckdb.DuckDBPyConnection,
    property_id: str,
    absent: Mapping[date, str],
    reports: Sequence[ReportSpec],
    run_id: str,
    now: datetime,
) -> None:
    for day, why in absent.items():
        for spec in (one for one in reports if one.kind.is_daily):
            record_failure(
                connection, property_id, spec, (day, day), run_id=run_id,
                status=PullStatus.SKIPPED, message=why, now=now,
            )  # fmt: skip


def stretches(days: Sequence[date]) -> list[tuple[date, date]]:
    """Ascending days as (first, last) of each stretch without a gap."""
    found = list[tuple[date, date]]()
    for day in days:
        if found and found[-1][1] + timedelta(days=1) == day:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
