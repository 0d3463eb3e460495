"""A small hand-made warehouse that every gate passes.

Property 100: 100 sessions a day split 60/40 in every segment, with items and composite keys; of
its landing pages only one is among those that are pulled.
Property 200: the same, but nothing was ever reported for the optional tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from data_checks import GateReport, Window, run_gate
from data_checks.model import GateResult
from pipelines.warehouse.schema import OPS_TABLES
from tests.support.hand_clock import MORNING
from tests.support.journey_marts import JOURNEY_MARTS

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
WINDOW = Window(date(2026, 3, 1), date(2026, 3, 4))
PROPERTIES = ("100", "200")
SEGMENTS = {
    "all": None,
    "device": "device_category",
    "channel": "session_default_channel_group",
    "country": "country",
    "visitor": "new_vs_returning",
    "landing_page": "landing_page",
}

# share of the day's 100 sessions; the segment `all` has one part without a column of its own
PARTS = """
    select * from (values
        ('all', 'all', 1.0), ('device', 'mobile', 0.6), ('device', 'desktop', 0.4),
        ('channel', 'Direct', 0.6), ('channel', '(not set)', 0.4),
        ('country', 'Germany', 0.6), ('country', '', 0.4),
        ('visitor', 'new', 0.6), ('visitor', 'returning', 0.4), ('landing_page', '/', 0.3)
    ) as parts (segment_name, segment_value, share)
"""
# sessions with the event out of 100, and events
EVENTS = """
    select * from (values
        ('session_start', 100, 100), ('page_view', 100, 300), ('view_item', 50, 120),
        ('add_to_cart', 10, 15), ('begin_checkout', 5, 5), ('purchase', 5, 5)
    ) as events (event_name, sessions, event_count)
"""
COMPOSITES = """
    select * from (values ('home_view', 40, 60), ('email_capture', 5, 5))
        as composites (micro_key, sessions, event_count)
"""
DAYS = """
    select unnest(generate_series(date '2026-03-01', date '2026-03-04', interval 1 day))::date
        as date
"""


def build_warehouse() -> duckdb.DuckDBPyConnection:
    """All schemas in memory, consistent with each other; a copy, for the caller to spoil."""
    # These few rows only cost more with a second thread.
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(f"attach '{_stored().name}/clean.duckdb' as clean (read_only)")
    connection.execute("copy from database clean to memory")
    connection.execute("detach clean")
    return connection


@cache
def _stored() -> TemporaryDirectory[str]:
    """A folder with `clean.duckdb`, made once a process: three times as dear as a copy of it."""
    folder = TemporaryDirectory()
    with duckdb.connect(f"{folder.name}/clean.duckdb") as connection:
        _fill(connection)
    return folder


def _fill(connection: duckdb.DuckDBPyConnection) -> None:
    for schema in ("raw", "ops", "seeds", "staging", "intermediate", "marts"):
        connection.execute(f"create schema {schema}")
    for name, columns in OPS_TABLES.items():
        body = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        connection.execute(f"create table ops.{name} ({body})")
    for seed in (
        "micro_conversions",
        "funnel_steps",
        "segments",
        "benchmarks",
        "benchmark_figures",
    ):
        connection.execute(
            f"create table seeds.{seed} as select * from read_csv('{SEEDS / seed}.csv')"
        )
    # No shop changes its plan here.
    connection.execute(
        "create table intermediate.int_benchmarks__resolved as from seeds.benchmarks"
    )
    connection.execute(
        "create table intermediate.int_plan__resolved as select * replace (trim(event_names, ' |') "
        "as event_names), coalesce(parameter_filter, '') <> '' or contains(event_names, '|') "
        "as is_composite from seeds.micro_conversions"
    )
    connection.execute(
        "create table intermediate.int_days__versioned as select property_id, date "
        f"from unnest({[*PROPERTIES]}) as p (property_id), ({DAYS})"
    )
    connection.execute(
        "create table intermediate.int_pulls__left_out (property_id varchar, window_name varchar, "
        "window_end date, report varchar, name varchar, is_counted_otherwise boolean)"
    )
    for segment, column in SEGMENTS.items():
        _raw(connection, f"sessions_by_{segment}", _sessions(segment, column), ("100", "200"))
        _raw(connection, f"events_by_{segment}", _events(EVENTS, segment, column), ("100", "200"))
        _raw(connection, f"micro_by_{segment}", _events(COMPOSITES, segment, column), ("100",))
    for report, parts in _BY_CELL.items():
        rows = f"select * exclude (device), {parts} from ({_CELLS})"
        _raw(connection, report, rows, ("100", "200"))
    for report, rows in _OTHERS.items():
        _raw(connection, report, rows, ("100",))
    for statement in (*_STAGING, _REACH, _COUNTED_CELLS, *_MARTS, *JOURNEY_MARTS):
        connection.execute(statement)


def check(
    connection: duckdb.DuckDBPyConnection, gate: str, properties: Sequence[str] = PROPERTIES
) -> GateReport:
    """The gate on the properties over the four days."""
    return run_gate(
        gate, connection, window=WINDOW, run_id="run", properties=properties, now=MORNING
    )


def spoiled_apart(
    cases: Mapping[str, Sequence[str]],
) -> tuple[duckdb.DuckDBPyConnection, dict[str, tuple[str, str]]]:
    """The warehouse with copies of both properties for each case, which its statements spoil.

    Also the copies: which case's, and of which property. Each statement must name one of the two,
    so that one run of a gate, whose price is the planning of its SQL, tells all cases apart.
    """
    connection = build_warehouse()
    copies = {
        f"{name}{number:03}": (case, name)
        for number, case in enumerate(cases)
        for name in PROPERTIES
    }
    tables = connection.execute(
        "select schema_name || '.' || table_name from duckdb_columns() "
        "where database_name = 'memory' and column_name = 'property_id'"
    ).fetchall()
    for (table,) in tables:
        connection.execute(
            f"insert into {table} by name select rows.* replace (copy as property_id) "
            f"from {table} as rows, (select unnest({list(copies)}) as copy) "
            "where property_id = left(copy, 3)"
        )
    connection.execute(
        "update intermediate.int_properties__active set same_shop_as = "
        "same_shop_as || substr(property_id, 4)"
    )
    for number, statements in enumerate(cases.values()):
        for statement in statements:
            own = re.sub(rf"'({'|'.join(PROPERTIES)})'", rf"'\g<1>{number:03}'", statement)
            assert own != statement, f"{statement}: it must name a property"
            connection.execute(own)
    return connection, copies


def judged_apart(gate: str, cases: Mapping[str, Sequence[str]]) -> dict[str, GateReport]:
    """The gate's report on each case, as if properties 100 and 200 were spoiled by it alone.

    What is wrong with a case is nobody else's: the two properties themselves must pass.
    """
    connection, copies = spoiled_apart(cases)
    report = check(connection, gate, (*PROPERTIES, *copies))
    assert not {(r.property_id, r.is_success) for r in report.results} & {
        (name, False) for name in PROPERTIES
    }
    found: dict[str, list[GateResult]] = {case: [] for case in cases}
    for result in report.results:
        if result.property_id in copies:
            case, name = copies[result.property_id]
            found[case].append(replace(result, property_id=name))
    return {case: replace(report, results=tuple(results)) for case, results in found.items()}


def failures(report: GateReport) -> set[tuple[str, str, str]]:
    """(property, table without its schema, expectation) of every failed critical result."""
    return {
        (r.property_id, r.table_name.split(".")[1], r.expectation) for r in report.failed_critical
    }


def _own(segment: str, column: str | None) -> tuple[str, str]:
    return (f"segment_value as {column}," if column else ""), f"segment_name = '{segment}'"


def _sessions(segment: str, column: str | None) -> str:
    own, chosen = _own(segment, column)
    return f"""
        select {own} (100 * share)::bigint as sessions, (80 * share)::bigint as engaged_sessions,
            (300 * share)::bigint as screen_page_views, 900.5 * share as user_engagement_duration,
            (5 * share)::bigint as transactions, 250.3::double * share as purchase_revenue
        from ({PARTS}) where {chosen}
    """


def _events(source: str, segment: str, column: str | None) -> str:
    own, chosen = _own(segment, column)
    return f"""
        select * exclude (sessions, event_count, segment_name, segment_value, share),
            {own} (event_count * share)::bigint as event_count,
            (sessions * share)::bigint as sessions
        from ({source}) cross join ({PARTS}) where {chosen}
    """


_FUNNEL = """
    select window_name, date '2026-02-01' as window_start, 'core' as funnel,
        'all' as device_category, step_number, 'step-' || step_number as step_key,
        50 - step_number as active_users
    from (select unnest(['1d', '28d']) as window_name)
    cross join (select unnest([1, 2]) as step_number)
"""
_CELLS = """
    select micro_key, device, (event_count * share)::bigint as event_count,
        (sessions * share)::bigint as sessions
    from (values
        ('sessions', 100, 500), ('product_view', 50, 120), ('add_to_cart', 10, 15),
        ('checkout_start', 5, 5), ('purchase', 5, 5)
    ) as steps (micro_key, sessions, event_count)
    cross join (values ('mobile', 0.6), ('desktop', 0.4)) as devices (device, share)
"""
_BY_CELL = {
    "cells": "device as device_category, 'Direct' as session_default_channel_group, "
    "'new' as new_vs_returning",
    "cells_country": "device as device_category, 'Germany' as country",
}
_OTHERS = {
    "items": """
        select 'sku-1' as item_id, 'Shirt' as item_name, 120::bigint as items_viewed,
            15::bigint as items_added_to_cart, 5::bigint as items_checked_out,
            5::bigint as items_purchased, 250.3::double as item_revenue
    """,
    "pages": "select '/' as page_path, 300 as screen_page_views, 90 as sessions",
    "page_events": """
        select unnest(['page_view', 'scroll']) as event_name, '/' as page_path,
            300 as event_count, 90 as sessions
    """,
    "page_micro": """
        select 'home_view' as micro_key, '/' as page_path, 300 as event_count, 90 as sessions
    """,
    "item_lists": """
        select unnest(['Shirts', '(not set)']) as item_list_name, 800 as items_viewed_in_list,
            40 as items_clicked_in_list
    """,
    "event_params": """
        select 'payment_type' as parameter, 'add_payment_info' as event_name,
            unnest(['card', 'invoice']) as parameter_value, 3 as event_count, 3 as sessions
    """,
    "users_window": """
        select unnest(['7d', '28d']) as window_name, date '2026-02-01' as window_start,
            'all' as event_name, 'all' as device_category, 80 as total_users, 70 as active_users
    """,
    "funnel": f"select *, active_users + 5 as sessions from ({_FUNNEL})",
    "funnel_next_action": f"select *, 'scroll' as next_action from ({_FUNNEL})",
    "metadata": """
        select unnest(['dimension', 'metric']) as kind, 'sessions' as api_name,
            false as is_custom
    """,
}

REPORTS = (
    *(f"{family}_by_{name}" for family in ("sessions", "events", "micro") for name in SEGMENTS),
    *_BY_CELL,
    *_OTHERS,
)


def _raw(
    connection: duckdb.DuckDBPyConnection, report: str, rows: str, properties: tuple[str, ...]
) -> None:
    """The raw table with its rows, and a loaded pull per property (both), date and window."""
    connection.execute(f"""
        create table raw.ga4_{report} as
        select p.property_id, d.date, r.*, timestamptz '2026-03-05 05:30:00+00' as pulled_at,
            'pull-' || p.property_id as pull_id
        from (select unnest({list(properties)}) as property_id) as p
        cross join ({DAYS}) as d cross join ({rows}) as r
    """)
    columns = [name for (name, *_) in connection.execute(f"describe raw.ga4_{report}").fetchall()]
    window = "window_name" if "window_name" in columns else "null::varchar"
    connection.execute(f"""
        insert into ops.pulls by name
        select 'pull-' || p.property_id as pull_id, p.property_id, '{report}' as report, d.date,
            w.window_name, 'loaded' as status, timestamptz '2026-03-05 05:30:00+00' as pulled_at,
            (select count(*) from raw.ga4_{report} as t
             where t.property_id = p.property_id and t.date = d.date
                and {window} is not distinct from w.window_name) as row_count
        from (select unnest(['100', '200']) as property_id) as p cross join ({DAYS}) as d
        cross join (select distinct {window} as window_name from raw.ga4_{report}) as w
    """)


def _union(family: str, columns: str) -> str:
    return " union all ".join(
        f"select property_id, date, '{segment}' as segment_name, {column or repr('all')} as"
        f" segment_value, {columns} from raw.ga4_{family}_by_{segment}"
        for segment, column in SEGMENTS.items()
    )


_RENAMED = {
    "event_params": "rename (event_count as events)",
    "page_events": "rename (event_count as events)",
    "page_micro": "rename (event_count as events, micro_key as key)",
}
_STAGING = (
    "create table staging.stg_ga4__sessions as "
    + _union("sessions", "sessions, transactions, purchase_revenue"),
    "create table staging.stg_ga4__events as "
    + _union("events", "event_name, event_count as events, sessions"),
    "create table staging.stg_ga4__micro_conversions as "
    + _union("micro", "micro_key as key, event_count as events, sessions"),
    *(
        f"create table staging.stg_ga4__{report} as "
        f"select * {_RENAMED.get(report, '')} from raw.ga4_{report}"
        for report in _OTHERS
    ),
    """
    create table staging.stg_ga4__cells as
    select property_id, date, 'cells' as report, 'device_channel_visitor' as cube,
        device_category as device, session_default_channel_group as channel,
        new_vs_returning as visitor, '(all)' as country, micro_key as key, sessions,
        event_count as events
    from raw.ga4_cells
    union all
    select property_id, date, 'cells_country' as report, 'device_country' as cube,
        device_category as device, '(all)' as channel, '(all)' as visitor, country,
        micro_key as key, sessions, event_count as events
    from raw.ga4_cells_country
    """,
)

_REACH = """
create table intermediate.int_funnel__reach_daily as
with counted as (
    select property_id, date, segment_name, segment_value, 'sessions' as key, sessions,
        null::bigint as events
    from staging.stg_ga4__sessions
    union all
    select property_id, date, segment_name, segment_value, m.key, sessions, events
    from staging.stg_ga4__events as e inner join seeds.micro_conversions as m
        on e.event_name = m.event_names and m.parameter_filter is null
    union all
    select property_id, date, segment_name, segment_value, key, sessions, events
    from staging.stg_ga4__micro_conversions
)
select *, null::bigint as users, null::double as revenue, null::varchar as currency,
    case property_id when '200' then 'export' else 'data_api' end as route,
    false as is_exact, true as is_complete, 'final' as maturity
from counted
"""

_COUNTED_CELLS = """
create table intermediate.int_cells__counted as
select c.* exclude (report, key, sessions, events), s.step_number, c.key as step_key,
    c.sessions as reached,
    lag(c.sessions) over (
        partition by c.property_id, c.date, c.cube, c.device order by s.step_number
    ) as previous_reached,
    true as is_complete, 'final' as maturity, 0 as flag_bits
from staging.stg_ga4__cells as c
inner join seeds.funnel_steps as s on s.key = c.key and s.funnel = 'core'
"""

_STEPS = """
    select r.property_id, r.date, s.funnel, r.segment_name, r.segment_value, s.step_number,
        s.key as step_key, r.sessions as reached,
        lag(r.sessions) over (
            partition by r.property_id, r.date, s.funnel, r.segment_name, r.segment_value
            order by s.step_number
        ) as previous_reached
    from intermediate.int_funnel__reach_daily as r
    inner join seeds.funnel_steps as s on s.key = r.key and s.funnel = 'core'
"""
_RATED = """
    reached / previous_reached as step_rate,
    case when step_rate is not null then greatest(0, step_rate - 0.05) end as ci_low,
    case when step_rate is not null then least(1, step_rate + 0.05) end as ci_high,
    'tracked' as tracking_state, true as is_complete, 'final' as maturity, null::varchar as flags
"""

# A week that ends on the last of DAYS: the sums of the days there are.
_WEEK = """
    '7d' as window_name, date '2026-02-26' as window_start, date '2026-03-04' as window_end,
    'final' as maturity, true as is_complete, null::varchar as flags
"""
_PAGE_MARTS = (
    f"""
    create table marts.fct_page_engagement as
    select property_id, page_path, {_WEEK}, sum(screen_page_views)::bigint as views,
        sum(sessions)::bigint as sessions, 20 as bounced_sessions,
        bounced_sessions / sum(sessions) as bounce_rate, 0.0 as ci_low, 0.5 as ci_high
    from staging.stg_ga4__pages group by all
    """,
    f"""
    create table marts.fct_page_micro_conversion as
    select property_id, page_path, key, {_WEEK}, sum(sessions)::bigint as sessions,
        sum(sessions)::bigint as parent_sessions, 1.0 as micro_rate, 0.9 as ci_low, 1.0 as ci_high,
        'tracked' as tracking_state
    from staging.stg_ga4__page_micro group by all
    """,
    f"""
    create table marts.fct_collection as
    select property_id, item_list_name, {_WEEK}, 'tracked' as tracking_state,
        sum(items_viewed_in_list)::bigint as items_viewed,
        sum(items_clicked_in_list)::bigint as items_clicked, 0.05 as click_through_rate,
        0.04 as ci_low, 0.06 as ci_high
    from staging.stg_ga4__item_lists group by all
    """,
)

_MARTS = (
    *_PAGE_MARTS,
    """
    create table marts.fct_cell_funnel as
    select * exclude (flag_bits), reached / previous_reached as step_rate, null::varchar as flags
    from intermediate.int_cells__counted
    """,
    f"create table marts.fct_funnel_daily as select *, {_RATED} from ({_STEPS})",
    f"""
    create table marts.fct_funnel_window as
    select *, {_RATED}
    from (
        select property_id, '7d' as window_name, date '2026-02-26' as window_start,
            date '2026-03-04' as window_end, funnel, segment_name, segment_value, step_number,
            step_key, sum(reached)::bigint as reached,
            sum(previous_reached)::bigint as previous_reached
        from ({_STEPS}) group by all
    )
    """,
    """
    create table marts.fct_micro_conversion_daily as
    select r.property_id, r.date, r.segment_name, r.segment_value, r.key, r.sessions, r.events,
        'sessions' as parent_key, p.sessions as parent_sessions,
        r.sessions / p.sessions as micro_rate, greatest(0, micro_rate - 0.05) as ci_low,
        least(1, micro_rate + 0.05) as ci_high, 'tracked' as tracking_state,
        true as is_complete, 'final' as maturity, null::varchar as flags
    from intermediate.int_funnel__reach_daily as r
    inner join intermediate.int_funnel__reach_daily as p
        on p.key = 'sessions' and p.property_id = r.property_id and p.date = r.date
        and p.segment_name = r.segment_name and p.segment_value = r.segment_value
    where r.key <> 'sessions'
    """,
    """
    create table marts.fct_benchmark_comparison as
    select property_id, '7d' as window_name, date '2026-03-04' as window_end,
        'all' as segment_name, 'all' as segment_value, benchmark_key,
        numerator as numerator_key, denominator as denominator_key, unit, 40 as numerator,
        200 as denominator, 0.2::double as rate, 0.15::double as ci_low, 0.26::double as ci_high,
        low as benchmark_low, high as benchmark_high, 'above' as status, source_kind,
        source as source_text, 0.0 as shortfall,
        true as is_complete, 'final' as maturity, null::varchar as flags
    from (select distinct on (benchmark_key) * from seeds.benchmarks)
    cross join (select unnest(['100', '200']) as property_id)
    """,
    """
    insert into marts.fct_benchmark_comparison by name
    select * replace (
        'own_best_weeks_of_gallery' as benchmark_key, 'gallery' as numerator_key,
        'own_history' as source_kind, 'best weeks' as source_text, null as shortfall
    )
    from marts.fct_benchmark_comparison where benchmark_key = 'add_to_cart_rate'
    """,
    """
    create table marts.fct_benchmark_figure as
    select property_id, '7d' as window_name, date '2026-03-04' as window_end, benchmark_key,
        numerator as numerator_key, denominator as denominator_key, unit, statistic, value,
        definition, publisher, sample, period
    from seeds.benchmark_figures
    cross join (select unnest(['100', '200']) as property_id)
    where industry = 'all' and device = 'all' and region = 'all'
    """,
    """
    create table marts.fct_leak as
    select * exclude (benchmark_key), benchmark_key as step_key from marts.fct_benchmark_comparison
    """,
    """
    create table marts.fct_product_funnel as
    select property_id, date, item_id, item_revenue, 'EUR' as currency from raw.ga4_items
    """,
    """
    create table marts.fct_tracking_coverage as
    select property_id, key, 'tracked' as tracking_state
    from seeds.micro_conversions cross join (select unnest(['100', '200']) as property_id)
    """,
    f"""
    create table marts.fct_data_completeness as
    select property_id, date, true as is_complete
    from ({DAYS}) cross join (select unnest(['100', '200']) as property_id)
    """,
)
