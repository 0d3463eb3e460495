"""What a night has to tell: one message to the webhook, and the memory of what was told.

Findings of `marts.fct_finding` and anomalies of `marts.fct_anomaly`, days of a report that are not
whole, properties that were held back, and runs that ended badly take the same door. What was sent
once is not sent again; what did not arrive goes out with the next message. A webhook never fails a
night. No Dagster.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

import duckdb
import pyarrow as pa

from pipelines import __version__
from pipelines.config.settings import Settings
from pipelines.errors import WarehouseError
from pipelines.ingest.day_window import yesterday
from pipelines.monitoring.webhook import WAITS, WebhookError, post
from pipelines.report.doubtful_days import DOUBTFUL_DAYS, DoubtfulDay
from pipelines.report.fetch import fetch
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.newest_fetches import NEWEST_FETCHES
from pipelines.warehouse.runs import BACKFILL_RUN, stopped_runs
from pipelines.warehouse.statuses import RunStatus
from pipelines.wording import redacted

logger = logging.getLogger("sluice")
# What a run that published nothing is told as.
CLASS_OF_STATUS = {
    RunStatus.FAILED: "run_failed",
    RunStatus.OUTDATED: "run_failed",
    RunStatus.HELD_BACK: "gate_failed",
    RunStatus.PAUSED: "quota_paused",
}
RUN_STOPPED = "run_stopped"
PULL_FAILED = "pull_failed"
SOURCE_FAILED = "source_failed"
DATA_QUALITY = "data_quality"
# The order of a message; a class that is not here comes last.
ORDER = (
    *CLASS_OF_STATUS.values(),
    RUN_STOPPED,
    PULL_FAILED,
    SOURCE_FAILED,
    "tracking_lost",
    DATA_QUALITY,
    "source_moved",
    "finding_worse",
    "finding_new",
    "behaviour",
    "finding_healed",
)
SENT, UNDELIVERED = "sent", "undelivered"
# Names that visitors chose call nobody and link nowhere: chat programs obey <!channel> and @all.
_IN_CHAT = str.maketrans({"<": "‹", ">": "›", "@": "@\u200b"})
# Anomalies of the newest days that were judged: a night that was missed is told by the next one. A
# rate that was told of a day so near is no news: a later night may see it begin on another day.
NEWEST_DAYS = 7
_ANOMALIES = f"""
    select judged.* replace (judged.date::varchar as date)
    from (
        select *, max(date) over (partition by property_id) as newest_date from marts.fct_anomaly
    ) as judged
    where is_news and judged.date > newest_date - {NEWEST_DAYS}
        and property_id not in (select property_id from ops.held_back where run_id = ?)
    order by property_id, judged.date desc, q_value nulls last, segment_name, segment_value, metric
"""
_FINDINGS = """
    select property_id, finding_id, 'finding_' || state as alert_class,
        concat_ws(' ', format('Finding ({}):', state), headline,
            case when state <> 'healed' then worth_sentence end,
            case when state <> 'healed' then surplus_sentence end) as message
    from marts.fct_finding
    where state in ('new', 'worse', 'healed')
        and property_id not in (select property_id from ops.held_back where run_id = ?)
    order by property_id, finding_rank
"""
# A source that goes on failing keeps its `date`, the day it last brought something: told once.
_FAILED_FETCHES = f"""
    select property_id, '{SOURCE_FAILED}' as alert_class, source as report,
        loaded_at::date::varchar as date,
        format('Property {{}}: {{}}', property_id, problem) as message
    from {NEWEST_FETCHES}
    where run_id = ? and problem is not null
    group by all order by all
"""


@dataclass(frozen=True)
class Alert:
    """One thing to tell. `night`: the last day of the run; numbers only of anomalies, `date` being
    the last of `window_days`. `report`: of a day that is not whole, or a second source that failed.
    """

    night: str
    alert_class: str
    message: str
    property_id: str | None = None
    date: str | None = None
    segment_name: str | None = None
    segment_value: str | None = None
    metric: str | None = None
    observed: float | None = None
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    p_value: float | None = None
    q_value: float | None = None
    relative_change: float | None = None
    report: str | None = None
    window_days: int | None = None
    finding_id: str | None = None

    @property
    def key(self) -> str:
        """What makes it the same alert tomorrow: an anomaly's cell, a finding, a day, its words."""
        if self.finding_id is not None:
            parts = [self.alert_class, self.property_id, self.finding_id]
        elif self.report is not None:
            parts = [self.alert_class, self.property_id, self.date, self.report]
        elif self.metric is None:
            parts = [self.alert_class, self.property_id, self.night, self.message]
        else:
            parts = [self.alert_class, self.property_id, self.date]
            parts += [self.segment_name, self.segment_value, self.metric]
        return " | ".join(part or "" for part in parts)

    def goes_on(self, earlier: Alert) -> bool:
        """Whether it is an anomaly that `earlier` told of: the same rate, class and direction, of
        less than a week before or after.
        """
        if self.metric is None or self.date is None or earlier.date is None:
            return False
        between = date.fromisoformat(self.date) - date.fromisoformat(earlier.date)
        return self._rate == earlier._rate and abs(between.days) < NEWEST_DAYS

    @property
    def _rate(self) -> tuple[object, ...]:
        is_rise = (self.relative_change or 0.0) > 0
        cell = (self.segment_name, self.segment_value, self.metric)
        return (self.alert_class, self.property_id, *cell, is_rise)


def tell(
    settings: Settings, run_id: str, status: RunStatus, message: str, waits: Sequence[float] = WAITS
) -> None:
    """Send what this run has to tell, if there is a webhook and anything new.

    `status` and `message`: how the run ended. Never raises: what goes wrong is one line in the log.
    """
    if settings.alerts.webhook is None:
        return
    try:
        _tell(settings, run_id, status, message, waits)
    except Exception as error:  # The night is over: an alert must not change how it ended.
        logger.warning("The alerts of this night were not sent (%s).", type(error).__name__)


def _tell(
    settings: Settings, run_id: str, status: RunStatus, message: str, waits: Sequence[float]
) -> None:
    assert settings.alerts.webhook is not None
    night, alerts = _pending(settings, run_id, status, message)
    if not alerts:
        return
    try:
        post(settings.alerts.webhook, compose(night, run_id, status, alerts), waits)
        outcome, reason = SENT, None
    except WebhookError as error:
        outcome, reason = UNDELIVERED, str(error)
        logger.warning(
            "The alert webhook did not take the message (%s): it goes out with the next one.", error
        )
    if settings.build_db.exists():
        with build_database(settings.build_db) as connection:
            _remember(connection, run_id, alerts, outcome, reason, settings.clock.now())


def compose(night: str, run_id: str, status: RunStatus, alerts: Sequence[Alert]) -> dict[str, Any]:
    """The message: the whole of it as data, and its first alert as text for chat programs."""
    more = f" (and {len(alerts) - 1} more)" if len(alerts) > 1 else ""
    return {
        "source": "sluice",
        "version": __version__,
        "night": night,
        "run_id": run_id,
        "status": status,
        "text": f"Sluice, night of {night}: {alerts[0].message}{more}".translate(_IN_CHAT),
        "alerts": [asdict(alert) for alert in alerts],
    }


def _pending(
    settings: Settings, run_id: str, status: RunStatus, message: str
) -> tuple[str, list[Alert]]:
    """The night, and what was not sent yet, most urgent first."""
    night = str(yesterday(settings.time_zone, settings.clock.now()))
    bad = CLASS_OF_STATUS.get(status)
    if not settings.build_db.exists():
        return night, [Alert(night, bad, message)] if bad else []
    message = redacted(f"{message} {status.readers}".strip())
    try:
        with build_database(settings.build_db) as connection:
            night = _night(connection, run_id) or night
            found = [Alert(night, bad, message)] if bad else _found(connection, run_id, night)
            found += _stopped(connection, run_id)
            sent, waiting = _memory(connection)
    except WarehouseError:
        # That the warehouse cannot be opened may be just what there is to tell.
        return night, [Alert(night, bad, message)] if bad else []
    told = [*sent, *waiting]
    keys = {alert.key for alert in told}
    news = (
        alert
        for alert in found
        if alert.key not in keys and not any(alert.goes_on(earlier) for earlier in told)
    )
    new = {alert.key: alert for alert in (*waiting, *news)}
    return night, sorted(new.values(), key=_urgency)


def _urgency(alert: Alert) -> int:
    return ORDER.index(alert.alert_class) if alert.alert_class in ORDER else len(ORDER)


def _night(connection: duckdb.DuckDBPyConnection, run_id: str) -> str | None:
    row = connection.execute(
        "select window_end::varchar from ops.runs where run_id = ?", [run_id]
    ).fetchone()
    return row[0] if row else None


def _stopped(connection: duckdb.DuckDBPyConnection, run_id: str) -> list[Alert]:
    """Runs before this one that could not tell what became of them; who stops a backfill sits
    before it.
    """
    return [
        Alert(
            str(one.night),
            RUN_STOPPED,
            f"The run that began on {one.began:%Y-%m-%d %H:%M} UTC was stopped or killed (a limit, "
            "a restart, memory): what it loaded stays, and the next run goes on.",
        )
        for one in stopped_runs(connection, run_id)
        if one.command != BACKFILL_RUN
    ]


def _found(connection: duckdb.DuckDBPyConnection, run_id: str, night: str) -> list[Alert]:
    """Properties that were held back, and second sources that failed; of the others unwhole days,
    findings and anomalies.
    """
    held = connection.execute(
        "select property_id, gate, reason from ops.held_back where run_id = ? order by all",
        [run_id],
    ).fetchall()
    alerts = [
        Alert(
            night,
            PULL_FAILED if gate == "pull" else CLASS_OF_STATUS[RunStatus.HELD_BACK],
            f"Property {property_id} was held back: {reason}",
            property_id,
        )
        for property_id, gate, reason in held
    ]
    blocked = {property_id for property_id, *_ in held}
    return [
        *alerts,
        *_alerts(connection, run_id, night, _FAILED_FETCHES),
        *_doubtful(connection, night, blocked),
        *_published(connection, run_id, night, "fct_finding", _FINDINGS),
        *_published(connection, run_id, night, "fct_anomaly", _ANOMALIES),
    ]


def _doubtful(connection: duckdb.DuckDBPyConnection, night: str, blocked: set[str]) -> list[Alert]:
    """Days of a report that GA4 did not say of itself are not whole."""
    if not _has_mart(connection, "fct_data_completeness"):
        return []
    return [
        Alert(
            night,
            DATA_QUALITY,
            f"Property {day.property_id}, report {day.report} of {day.date}: {day.words}.",
            day.property_id,
            str(day.date),
            report=day.report,
        )
        for day in fetch(connection, DoubtfulDay, DOUBTFUL_DAYS)
        if day.property_id not in blocked and not day.is_told_by_ga4
    ]


def _published(
    connection: duckdb.DuckDBPyConnection, run_id: str, night: str, mart: str, query: str
) -> list[Alert]:
    """What a mart has to tell of the properties that this run published."""
    return _alerts(connection, run_id, night, query) if _has_mart(connection, mart) else []


def _alerts(
    connection: duckdb.DuckDBPyConnection, run_id: str, night: str, query: str
) -> list[Alert]:
    """Rows of a query about a run, whose columns are fields of an alert or are left out."""
    rows = connection.execute(query, [run_id]).to_arrow_table().to_pylist()
    told = {field.name for field in fields(Alert)}
    return [
        Alert(night=night, **{name: _without_nan(row[name]) for name in row.keys() & told})
        for row in rows
    ]


def _has_mart(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    found = connection.execute(
        "select 1 from duckdb_tables() where schema_name = 'marts' and table_name = ?", [table]
    ).fetchone()
    return found is not None


def _without_nan(value: Any) -> Any:
    """JSON knows no NaN."""
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124


def _memory(connection: duckdb.DuckDBPyConnection) -> tuple[list[Alert], list[Alert]]:
    """Alerts that were sent, and those that did not arrive."""
    rows = connection.execute("select status, payload from ops.alerts").fetchall()
    sent, waiting = (
        [Alert(**json.loads(payload)) for status, payload in rows if (status == SENT) is is_sent]
        for is_sent in (True, False)
    )
    return sent, waiting


def _remember(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    alerts: Sequence[Alert],
    status: str,
    reason: str | None,
    now: datetime,
) -> None:
    rows = [
        {
            "alert_key": alert.key, "night": date.fromisoformat(alert.night), "run_id": run_id,
            "alert_class": alert.alert_class, "property_id": alert.property_id,
            "message": alert.message, "payload": json.dumps(asdict(alert)), "status": status,
            "reason": reason, "tried_at": now,
        }
        for alert in alerts
    ]  # fmt: skip
    connection.register("alert_rows", pa.Table.from_pylist(rows))
    connection.execute("insert or replace into ops.alerts by name select * from alert_rows")
    connection.unregister("alert_rows")
