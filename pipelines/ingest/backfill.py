"""A backfill: many days, within the quota, over hours, and after a kill where it was.

Its tokens are planned first, at the price of what was pulled before. Of a report that never was,
the plan asks GA4 once for the newest stretch of days (and for the oldest, which may be shorter)
with one row a request, which tells the real price, and counts it for every stretch of as many days.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import duckdb
from google.analytics.data_v1alpha import types as alpha_types
from google.analytics.data_v1beta import types as ga4

from pipelines.config.settings import Settings
from pipelines.errors import ConfigError
from pipelines.ga4.api_errors import (
    Ga4Error,
    QuotaError,
    RequestRefusedError,
    ThresholdedQuotaError,
)
from pipelines.ga4.client import Ga4Client, Profile
from pipelines.ga4.decode.encoded_answer import EncodedAnswer
from pipelines.ga4.extract.pull import pull
from pipelines.ga4.rate_limit import (
    BACKFILL,
    HOURLY_LIMITS,
    STANDARD_DAILY_TOKENS,
    next_hour,
)
from pipelines.ga4.report_catalog import ReportSpec
from pipelines.ga4.report_request import PAGE_ROWS
from pipelines.ingest.day_window import FIRST_DAY, DayWindow
from pipelines.ingest.paid_prices import PaidPrice, paid_prices
from pipelines.ingest.pull_plan import (
    PullTask,
    backfill_items,
    finished,
    is_done,
    item_days,
    offered,
)
from pipelines.ingest.run_window import newest_day
from pipelines.publishing.versions import current_name
from pipelines.warehouse.connect import build_database, published_database

RUNNING, FINISHED = "running", "finished"
_HOURLY = HOURLY_LIMITS["tokens_per_project_per_hour"][0]


@dataclass(frozen=True)
class TokenPlan:
    """What a backfill will cost.

    `tokens`: of the core quota, by report in `by_report`. `hours`, `days`: full hours of a standard
    property's tokens, less the reserve, and days, of the property that needs most. `items`: pulls
    still to do, `done_items`: pulls that an earlier run of the same backfill has finished.
    `probe_tokens`: what planning itself cost. `unpriced_items`: pulls whose price nobody told,
    which are not in `tokens`.
    """

    items: int
    done_items: int
    tokens: int
    hours: int
    days: int
    probe_tokens: int
    unpriced_items: int
    by_report: dict[str, int]

    def ends_by(self, now: datetime) -> datetime | None:
        """When the last hour of quota is over that it needs.

        None where the first is enough, or the day's quota is not: it is then to be begun again.
        """
        has_waits = self.hours > 1 and self.days == 1
        return next_hour(now) + timedelta(hours=self.hours - 1) if has_waits else None


@dataclass
class MeteredClient:
    """Asks for one row a request, and adds up what GA4 says the requests cost.

    Prices are multiplied by the pages that the full answer would take.
    """

    client: Ga4Client
    tokens: Counter[str] = field(default_factory=Counter)
    spent: int = 0
    report: str = ""

    def run_report(self, request: ga4.RunReportRequest, *, what: str) -> EncodedAnswer:
        """One row of the answer, as if that were all of it."""
        small = ga4.RunReportRequest(request)
        small.limit = 1
        answer = self.client.run_report(small, what=what)
        message = answer.message
        price = message.property_quota.tokens_per_day.consumed
        self.tokens[self.report] += price * max(1, math.ceil(message.row_count / PAGE_ROWS))
        self.spent += price
        message.row_count = len(answer)
        return answer

    def run_funnel_report(self, request: alpha_types.RunFunnelReportRequest, *, what: str) -> Any:
        """Funnels have a quota of their own and do not count here."""
        return self.client.run_funnel_report(request, what=what)

    def get_metadata(self, property_id: str) -> Any | None:
        """Costs no tokens."""
        return self.client.get_metadata(property_id)


def check_window(settings: Settings, start: Any, end: Any) -> DayWindow:
    """The backfill's window; raises ConfigError when its days are not over or in disorder."""
    newest = newest_day(settings)
    if end > newest:
        raise ConfigError(f"{end} is not over yet: the newest complete day is {newest}.")
    if start > end:
        raise ConfigError(f"The backfill starts on {start}, after its end on {end}.")
    return DayWindow(max(start, FIRST_DAY), end)


def plan_tokens(
    client: Ga4Client | None,
    reports: Sequence[tuple[Profile, ReportSpec]],
    window: DayWindow,
    done: set[tuple[str, str, Any]],
    paid: Mapping[tuple[str, str], PaidPrice] = {},
) -> TokenPlan:
    """Count the tokens of all pulls at the prices that were `paid` for such ones before.

    Of a report without one GA4 is asked for it, on the newest stretch of each length. Where
    `client` is None nobody is asked. What is read from an export, and what has another quota,
    costs nothing.

    `done`: (property, report, day) that need not be pulled again. A report that GA4 refuses costs
    nothing, and an optional one that fails is no reason not to begin. Raises QuotaError when there
    are no tokens to plan with, and what a required report meets.
    """
    items = backfill_items(reports, window)
    todo = [item for item in items if not is_done(item, done)]
    prices, unknown = Counter[str](), dict[str, PullTask]()
    priced = [item for item in todo if _costs_tokens(item)]
    # The newest stretch of each length comes last, and stays.
    for item in reversed(priced):
        if price := paid.get((item.property_id, item.spec.name)):
            prices[_price_key(item)] = price.of(len(item_days(item)))
        else:
            unknown[_price_key(item)] = item
    metered = MeteredClient(client, prices) if client else None
    if metered:
        for metered.report, item in unknown.items():
            _measure(metered, item)
    by_report, by_property = Counter[str](), Counter[str]()
    for item in todo:
        by_report[item.spec.name] += prices[_price_key(item)]
        by_property[item.property_id] += prices[_price_key(item)]
    # GA4 counts every property by itself, and they are pulled side by side.
    most = max(by_property.values(), default=0)
    return TokenPlan(
        items=len(todo),
        done_items=len(items) - len(todo),
        tokens=by_report.total(),
        hours=math.ceil(most / (_HOURLY * (1 - BACKFILL.reserve))),
        days=math.ceil(most / STANDARD_DAILY_TOKENS),
        probe_tokens=metered.spent if metered else 0,
        unpriced_items=0 if metered else sum(_price_key(item) in unknown for item in priced),
        by_report=dict(by_report),
    )


def _price_key(item: PullTask) -> str:
    """What has one price: a report of a property over so many days."""
    return f"{item.property_id} {item.spec.name} {(item.end - item.start).days + 1}"


def estimate_tokens(
    settings: Settings, specs: Sequence[ReportSpec], window: DayWindow
) -> TokenPlan:
    """The plan as far as what was pulled and published before tells it; nobody is asked."""
    profiles = [
        Profile(item.id, item.time_zone, item.currency, frozenset(), is_asked=item.is_asked)
        for item in settings.properties
    ]
    reports = offered(profiles, specs)
    return plan_tokens(None, reports, window, set(), published_prices(settings))


def _costs_tokens(item: PullTask) -> bool:
    return item.profile.is_asked and item.spec.kind.shares_core_quota


def _measure(metered: MeteredClient, item: PullTask) -> None:
    try:
        pull(
            metered, item.property_id, item.spec, item.start, item.end,
            custom_dimensions=item.profile.registered, fields=item.profile.fields,
        )  # fmt: skip
    except (RequestRefusedError, ThresholdedQuotaError):
        metered.tokens[metered.report] = 0
    except Ga4Error as error:
        if item.spec.is_required or isinstance(error, QuotaError):
            raise
        metered.tokens[metered.report] = 0


def open_backfill(
    connection: duckdb.DuckDBPyConnection, settings: Settings, window: DayWindow
) -> str:
    """The id of the unfinished backfill over these properties and days, or of a new one."""
    properties = json.dumps(sorted(item.id for item in settings.properties))
    found = connection.execute(
        "select backfill_id from ops.backfills where start_date = ? and end_date = ? "
        "and properties = ? and status = ?",
        [window.start, window.end, properties, RUNNING],
    ).fetchone()
    if found:
        return str(found[0])
    backfill_id = f"backfill-{uuid4().hex[:12]}"
    connection.execute(
        "insert into ops.backfills "
        "(backfill_id, start_date, end_date, properties, status, created_at) "
        "values (?, ?, ?, ?, ?, ?)",
        [backfill_id, window.start, window.end, properties, RUNNING, settings.clock.now()],
    )
    return backfill_id


def published_prices(settings: Settings) -> dict[tuple[str, str], PaidPrice]:
    """What the pulls up to the newest version did cost; also beside a run."""
    if not current_name(settings.published_dir):
        return {}
    with published_database(settings.published_dir) as connection:
        return paid_prices(connection)


def stored_prices(settings: Settings) -> dict[tuple[str, str], PaidPrice]:
    """What all pulls did cost, those of a backfill that was killed among them."""
    with build_database(settings.build_db) as connection:
        return paid_prices(connection)


def done_days(settings: Settings, backfill_id: str) -> set[tuple[str, str, Any]]:
    """What the backfill has finished so far."""
    with build_database(settings.build_db) as connection:
        return finished(connection, backfill_id)


def note_plan(settings: Settings, backfill_id: str, plan: TokenPlan) -> None:
    """Remember the first plan of a backfill."""
    with build_database(settings.build_db) as connection:
        connection.execute(
            "update ops.backfills set planned_tokens = coalesce(planned_tokens, ?) "
            "where backfill_id = ?",
            [plan.tokens, backfill_id],
        )


def close_backfill(settings: Settings, backfill_id: str) -> int:
    """Mark a backfill as finished; returns the core tokens that its pulls cost."""
    with build_database(settings.build_db) as connection:
        row = connection.execute(
            "select coalesce(sum(tokens), 0) from ops.pulls where run_id = ? "
            "and report not like '%funnel%'",
            [backfill_id],
        ).fetchone()
        used = int(row[0]) if row else 0
        connection.execute(
            "update ops.backfills set status = ?, used_tokens = ?, finished_at = ? "
            "where backfill_id = ?",
            [FINISHED, used, settings.clock.now(), backfill_id],
        )
    return used
