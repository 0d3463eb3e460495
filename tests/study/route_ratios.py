"""One shop by both routes over 90 days: is a ratio called moved where none did, and where one did?

`python -m tests.study.route_ratios [seeds] [sessions a day]`: minutes a seed. The Data API's
numbers are the emulator's estimates, the export is landed and counted, and both are given to the
function that the dbt model calls. Not part of `make study`.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.analysis.stats.anomaly_table import score_days
from pipelines.clock import Clock
from pipelines.config.settings import Ga4
from pipelines.emulator.server import serve
from pipelines.export.source import ExportSource
from pipelines.ga4.client import connect
from pipelines.ga4.extract.pull import pull
from tests.e2e.shop import LAST_DAY, PROPERTY, running_now
from tests.support.routes import REPORTS, landed, simulated

DAYS, JUDGED_DAYS, FAULT_DAYS = 90, 28, 3
FIRST = LAST_DAY - timedelta(days=DAYS - 1)
STEPS = {
    "sessions": "sessions", "view_item": "product_view", "add_to_cart": "add_to_cart",
    "begin_checkout": "checkout_start", "purchase": "purchase",
}  # fmt: skip
SPECS = [spec for spec in REPORTS if spec.name in ("sessions_by_all", "events_by_all")]
_COUNTS = """
    select date, 'sessions' as name, sessions from sessions_by_all
    union all
    select date, event_name as name, sessions from events_by_all
"""
# As int_anomalies__dated has it: each source's share of the larger count.
_SHARES = """
    select 'p' as property_id, 'source' as segment_name, source as segment_value, name as key, date,
        case source when 'a' then a.sessions else b.sessions end as numerator,
        greatest(a.sessions, b.sessions) as denominator,
        false as is_declared, false as is_lost, false as is_flawed
    from a inner join b using (date, name) cross join (values ('a'), ('b')) as sources (source)
    where name in ?
"""


def told(events: Path) -> pa.Table:
    """Sessions by day and step as the Data API estimates them."""
    with serve([events], now=running_now()) as emulator:
        client = connect(Ga4(endpoint=emulator.endpoint))
        pulls = {
            spec.name: pull(client, PROPERTY, spec, FIRST, LAST_DAY, clock=Clock()).rows
            for spec in SPECS
        }
    return _counts(pulls)


def counted(source: ExportSource) -> pa.Table:
    """The same out of the event export."""
    return _counts(
        {spec.name: source.pull(spec, FIRST, LAST_DAY, clock=Clock()).rows for spec in SPECS}
    )


def alerts(by_api: pa.Table, by_export: pa.Table) -> pd.DataFrame:
    """The alerts of the last 28 nights; moved days are told by several numbers of days."""
    with duckdb.connect() as connection:
        connection.register("a", by_api)
        connection.register("b", by_export)
        frame = connection.execute(_SHARES, [list(STEPS)]).df()
    first = LAST_DAY - timedelta(days=JUDGED_DAYS - 1)
    scored = score_days(frame, str(first))
    return scored[scored["alert_kind"].notna()]


def lose_a_third_of_the_orders(events: Path) -> None:
    """Of the newest days: the users whose hash is divisible by three buy nothing."""
    for back in range(FAULT_DAYS):
        path = events / f"events_{LAST_DAY - timedelta(days=back):%Y%m%d}.parquet"
        rows = duckdb.sql(
            f"from '{path}' where event_name <> 'purchase' or hash(user_pseudo_id) % 3 > 0"
        ).to_arrow_table()
        pq.write_table(rows, path)


def _counts(pulls: dict[str, pa.Table]) -> pa.Table:
    with duckdb.connect() as connection:
        for name, rows in pulls.items():
            connection.register(name, rows)
        return connection.execute(_COUNTS).to_arrow_table()


def main(arguments: list[str]) -> int:
    """Print what each seed has: exit code 1 for an alert without a fault, or a fault without."""
    seeds, sessions = [int(one) for one in arguments] or (3, 4_000)
    failed = 0
    for seed in range(1, seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            events = simulated(
                Path(folder, "events"), scenario="none", seed=seed, days=DAYS, sessions=sessions
            )
            by_api = told(events)
            sound = alerts(by_api, counted(landed(events, Path(folder, "landed"), FIRST)))
            lose_a_third_of_the_orders(events)
            faulty = alerts(by_api, counted(landed(events, Path(folder, "landed"), FIRST)))
        found = faulty[faulty["key"] == "purchase"]
        first = (found["date"].min() - pd.Timestamp(LAST_DAY)).days + FAULT_DAYS
        print(
            f"seed {seed}: {len(sound)} alerts in {JUDGED_DAYS} nights of {len(STEPS)} steps; a "
            f"third of the orders lost: found on day {first}",
            flush=True,
        )
        failed += len(sound) > 0 or not 1 <= first <= FAULT_DAYS
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
