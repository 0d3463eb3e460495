"""What a run pulls: one item per property, report and stretch of days.

GA4 goes on changing numbers, so a night pulls again what may have changed: the lookback for every
report, the attribution window for reports by channel and landing page, and once a week (the night
that ends on a Sunday) a sweep over everything of the last weeks (docs/ga4.md). Days of a report
that an earlier night could not ask for (quota, a server that was down) are made up for, and days
whose funnels were asked for other steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import duckdb

from pipelines.config.settings import Nightly, Settings
from pipelines.ga4.client import Profile
from pipelines.ga4.date_windows import days_between
from pipelines.ga4.report_catalog import ReportKind, ReportSpec
from pipelines.ingest.day_window import FIRST_DAY, DayWindow
from pipelines.warehouse.first_days import first_loaded_days

SUNDAY = 7
# A backfill's stretch: days of one request, and what a kill can lose.
BACKFILL_DAYS = 28


@dataclass(frozen=True)
class PullTask:
    """One pull: `spec` of a property for the days from `start` to `end`, both included."""

    profile: Profile
    spec: ReportSpec
    start: date
    end: date

    @property
    def property_id(self) -> str:
        """The property's id."""
        return self.profile.property_id

    def halves(self) -> tuple[PullTask, ...]:
        """The newer half of its days and the older one, where each can be asked for by itself.

        Of a report of the largest values only, older days would get other values.
        """
        if not self.spec.kind.is_daily or self.spec.top is not None or self.start == self.end:
            return ()
        middle = self.start + (self.end - self.start) // 2
        return replace(self, start=middle + timedelta(days=1)), replace(self, end=middle)

    def __str__(self) -> str:
        return f"{self.spec.name} of {self.property_id}, {self.start} to {self.end}"


def offered(
    profiles: Sequence[Profile], reports: Sequence[ReportSpec]
) -> list[tuple[Profile, ReportSpec]]:
    """The reports of every property: an export has no list of GA4's fields, all else both have."""
    return [
        (profile, spec)
        for profile in profiles
        for spec in reports
        if profile.is_asked or spec.kind is not ReportKind.METADATA
    ]


def plan_pulls(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    reports: Sequence[tuple[Profile, ReportSpec]],
    window: DayWindow,
    *,
    backfill_id: str | None = None,
) -> list[PullTask]:
    """The items of a night over `window`, or those that a backfill still has to do."""
    if backfill_id is not None:
        done = finished(connection, backfill_id)
        return [item for item in backfill_items(reports, window) if not is_done(item, done)]
    first, items, gaps = first_loaded_days(connection), list[PullTask](), list[PullTask]()
    lacking = _lacking(connection, window, settings.nightly)
    for profile, spec in _required_first(reports):
        start = first_day(spec, window, settings.nightly)
        # Nothing before the property's first stored day: that would be half a backfill.
        floor = min(first.get(profile.property_id, window.start), window.start)
        item = PullTask(profile, spec, max(start, floor), window.end)
        items.append(item)
        gap = [
            day
            for day, is_stored in lacking.get((profile.property_id, spec.name, spec.version), ())
            if floor <= day < item.start and not (is_stored and spec.is_required)
        ]
        if gap and spec.kind.has_single_days:
            gaps.append(PullTask(profile, spec, min(gap), max(gap)))
    # By themselves and last: what an old day does must not keep the new ones away.
    return items + gaps


def _required_first(
    reports: Sequence[tuple[Profile, ReportSpec]],
) -> list[tuple[Profile, ReportSpec]]:
    """Where the quota ends half-way, what a night cannot do without is there."""
    return sorted(reports, key=lambda one: not one[1].is_required)


def _lacking(
    connection: duckdb.DuckDBPyConnection, window: DayWindow, nightly: Nightly
) -> dict[tuple[str, str, int], list[tuple[date, bool]]]:
    """(property, report, version) → days of a sweep that were last asked for in vain.

    With each, whether an older answer of that version is stored. It may be of before the day
    settled, and no sweep asks for funnels again; but a required report that fails blocks its
    property, which an old day that has its numbers must not. What GA4 refused, or what contradicted
    itself, is left to the weekly sweep.
    """
    rows = connection.execute(
        """
        with pulls as (select *, (pulled_at, pull_id) as age from ops.pulls)
        select
            property_id, report, arg_max(report_version, age) as version, date,
            coalesce(arg_max(report_version, age) filter (where status = 'loaded') = version, false)
        from pulls
        where date between ? and ?
        group by property_id, report, date
        having arg_max(status, age) in ('failed', 'skipped')
        order by date
        """,
        [nightly.oldest_day(window.end), window.end],
    ).fetchall()
    found: dict[tuple[str, str, int], list[tuple[date, bool]]] = {}
    for property_id, report, version, day, is_stored in rows:
        found.setdefault((property_id, report, version), []).append((day, is_stored))
    return found


def of_other_steps(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    items: Sequence[PullTask],
    window: DayWindow,
) -> list[PullTask]:
    """Days whose funnels to ask for again, once those of a night over `window` are stored.

    A day may have been asked for steps of which nobody could say whether they are tracked, or
    before the steps of tonight were known at all. Once each: which steps belong to the older days,
    their own answer says.
    """
    found = []
    for item in items:
        if item.spec.kind is not ReportKind.FUNNEL or item.end != window.end:
            continue
        days = connection.execute(
            _OF_OTHER_STEPS,
            {
                "property_id": item.property_id, "report": item.spec.name,
                "oldest": settings.nightly.oldest_day(window.end), "start": item.start,
                "end": item.end, "unproven": item.spec.version,
            },
        ).fetchall()  # fmt: skip
        if days:
            found.append(PullTask(item.profile, item.spec, days[0][0], days[-1][0]))
    return found


_OF_OTHER_STEPS = """
with pulls as (
    select date, report_version as version, status, pulled_at, (pulled_at, pull_id) as age
    from ops.pulls where property_id = $property_id and report = $report and window_name = '1d'
),
tonight as (
    select version, min(pulled_at) as first_pulled_at from pulls
    where status = 'loaded'
        and version = (select arg_max(version, age) from pulls where date = $end)
        and version <> $unproven
    group by version
)
select pulls.date from pulls cross join tonight
where pulls.date >= $oldest and pulls.date < $start
group by pulls.date
having arg_max(pulls.status, pulls.age) = 'loaded' and (
    arg_max(pulls.version, pulls.age) = $unproven
    or max(pulls.pulled_at) < any_value(tonight.first_pulled_at)
)
order by pulls.date
"""


def first_day(spec: ReportSpec, window: DayWindow, nightly: Nightly) -> date:
    """The first day that a night over `window` pulls of a report."""
    days = [window.start]
    if spec.kind.is_daily and spec.is_attributed:
        days.append(window.end - timedelta(days=nightly.attribution_days - 1))
    if spec.kind.is_daily and window.end.isoweekday() == SUNDAY:
        days.append(nightly.oldest_day(window.end))
    return max(min(days), FIRST_DAY)


def backfill_items(
    reports: Sequence[tuple[Profile, ReportSpec]], window: DayWindow
) -> list[PullTask]:
    """Newest days first; reports of a whole window only for the last day."""
    items = []
    end = window.end
    while end >= window.start:
        start = max(window.start, end - timedelta(days=BACKFILL_DAYS - 1))
        items += [
            PullTask(profile, spec, start, end)
            for profile, spec in _required_first(reports)
            if end == window.end or spec.kind.has_single_days
        ]
        end = start - timedelta(days=1)
    return items


def finished(connection: duckdb.DuckDBPyConnection, backfill_id: str) -> set[tuple[str, str, date]]:
    """(property, report, day) that the backfill has loaded, or that GA4 refused it."""
    return set(
        connection.execute(
            "select distinct property_id, report, date from ops.pulls "
            "where run_id = ? and status in ('loaded', 'refused')",
            [backfill_id],
        ).fetchall()
    )


def item_days(item: PullTask) -> list[date]:
    """The days that a finished item has loaded."""
    if not item.spec.kind.has_single_days:
        return [item.end]
    return days_between(item.start, item.end)


def is_done(item: PullTask, done: set[tuple[str, str, date]]) -> bool:
    """Whether every day of an item was pulled before."""
    return done >= {(item.property_id, item.spec.name, day) for day in item_days(item)}
