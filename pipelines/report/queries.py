"""The page's questions to the schemas `marts` and `ops` of a published version."""

from __future__ import annotations

import duckdb

from pipelines.report import page_data
from pipelines.report.doubtful_days import DOUBTFUL_DAYS, DoubtfulDay
from pipelines.report.fetch import Row, fetch
from pipelines.report.page_data import PropertyData

WINDOW = "28d"
ALERTS_SHOWN = 20
SEGMENT_LEAKS_SHOWN = 8
DIAGNOSES_SHOWN = 12

_PROPERTY_IDS = "select property_id from marts.dim_property order by property_name, property_id"
_SHOP = """
    select property_id, property_name, store_name, time_zone, currency, first_date, last_date,
        days_loaded
    from marts.dim_property where property_id = $property
"""
_LABELS = """
    labels as (
        select distinct step_key as key, step_label as label
        from marts.fct_funnel_window where property_id = $property and funnel = 'core'
    )
"""
_STEPS = f"""
    with {_LABELS}
    select segment_name, segment_value, step_key, step_label, labels.label as previous_label,
        reached, previous_reached, step_rate as rate, ci_low, ci_high,
        case when tracking_state <> 'tracked' then tracking_state
            when status = 'sessionless' then 'previous_sessionless'
            else status end as state,
        benchmark_low, benchmark_high, benchmark_status as verdict, weeks_to_know,
        directional_evidence, benchmark_source as source, prior_step_rate as prior_rate,
        step_rate_change as change, change_ci_low as change_low, change_ci_high as change_high,
        window_start, window_end, window_days, days_loaded, is_complete, maturity
    from marts.fct_funnel_window as funnel
    left join labels on funnel.previous_step_key = labels.key
    where property_id = $property and window_name = $window
        and funnel = 'core' and segment_name in ('all', 'device')
    order by segment_name, step_number, segment_value
"""
_BENCHMARKS = """
    select benchmark_key, numerator, denominator, rate, ci_low, ci_high, benchmark_low,
        benchmark_high, status as verdict, source
    from marts.fct_benchmark_comparison as benchmark
    where property_id = $property and window_name = $window and segment_name = 'all'
        and not exists (
            select 1 from marts.fct_funnel_window as funnel
            where funnel.property_id = benchmark.property_id and funnel.funnel = 'core'
                and funnel.benchmark_key = benchmark.benchmark_key
        )
    order by benchmark_key
"""
_LEAKS = f"""
    with {_LABELS},
    shown as (
        select * from marts.fct_leak
        where property_id = $property and window_name = $window
            and (segment_name = 'all' or is_leak)
        qualify segment_name = 'all' or row_number() over (
            partition by segment_name = 'all' order by leak_order
        ) <= {SEGMENT_LEAKS_SHOWN}
    )
    select leak_order, segment_name, segment_value, step_key, step_label,
        labels.label as previous_label, numerator, denominator, rate, benchmark_low,
        opportunity_p05 as p05,
        opportunity_p50 as p50, opportunity_p95 as p95,
        opportunity_p50_reduced as p50_reduced, p_gap, p_biggest, allocated, currency,
        coalesce(is_leak, false) as is_leak, status as state
    from shown left join labels on shown.previous_step_key = labels.key
    order by segment_name <> 'all', leak_order
"""
_FINDINGS = """
    select headline, concat_ws(' ', worth_sentence, surplus_sentence) as worth, state
    from marts.fct_finding where property_id = $property order by finding_rank
"""
_MICROS = """
    select micro.key, coalesce(stages.stage_label, micro.stage) as stage_label,
        plan.description, sessions, micro.parent_key, parent_sessions, micro_rate as rate,
        ci_low, ci_high,
        case when tracking_state <> 'tracked' then tracking_state
            when status = 'sessionless' then 'previous_sessionless'
            else status end as state,
        prior_micro_rate as prior_rate, micro_rate_change as change,
        change_ci_low as change_low, change_ci_high as change_high
    from marts.fct_micro_conversion_window as micro
    left join marts.dim_micro_conversion as plan on micro.key = plan.key
    left join marts.dim_stage as stages on micro.stage = stages.stage
    where property_id = $property and window_name = $window and segment_name = 'all'
    order by stages.position, micro_rate desc nulls last, micro.key
"""
_FACTORS = f"""
    with {_LABELS}
    select factor_key as key, coalesce(labels.label, factor_key) as label, prior_value, value_now,
        contribution, case when unit = 'money' then currency end as currency, is_complete
    from marts.fct_funnel_change as change left join labels on change.factor_key = labels.key
    where property_id = $property and window_name = $window and effect = 'stage'
        and segment_name = 'all'
    order by factor_number
"""
_SHIFTS = f"""
    with {_LABELS}
    select any_value(coalesce(labels.label, factor_key)) as label,
        sum(contribution) filter (effect = 'rate') as rate_effect,
        sum(contribution) filter (effect = 'mix') as mix_effect,
        coalesce(bool_or(is_simpson), false) as is_simpson,
        coalesce(bool_or(is_mix_driven), false) as is_mix_driven,
        bool_and(is_complete) as is_complete
    from marts.fct_funnel_change as change left join labels on change.factor_key = labels.key
    where property_id = $property and window_name = $window and segment_name = 'device'
        and effect in ('rate', 'mix')
    group by factor_number, factor_key order by factor_number
"""
_ALERTS = f"""
    select date, window_days, alert_class, key, parent_key, message, numerator, denominator,
        observed, expected
    from marts.fct_anomaly where property_id = $property and is_news
    order by date desc, alert_order, q_value, message limit {ALERTS_SHOWN}
"""
_JUDGED = """
    with mine as (
        select *, max(date) over () as newest_date, (segment_name, segment_value, key) as rate
        from marts.fct_anomaly where property_id = $property
    )
    select count(distinct rate) as rates, count(q_value) as tests,
        count(distinct rate) filter (q_value is not null) as tested,
        max(weeks) filter (date = newest_date) as weeks,
        min(date) filter (q_value is not null) as first_date, max(newest_date) as last_date
    from mine
"""
_DIAGNOSES = f"""
    select segment_name, segment_value, rule, likely_cause, fix, confirm_with, evidence,
        recoverable_value, currency
    from marts.fct_diagnosis where property_id = $property and window_name = $window
    order by diagnosis_rank limit {DIAGNOSES_SHOWN}
"""
_COVERAGE = """
    select coverage.key, coalesce(stages.stage_label, coverage.stage) as stage_label,
        coverage.is_expected, tracking_state as state, sessions_28d as sessions,
        last_seen_date, fix
    from marts.fct_tracking_coverage as coverage
    left join marts.dim_stage as stages on coverage.stage = stages.stage
    where property_id = $property
    order by fix is null, not coverage.is_expected, stages.position, coverage.key
"""
_SUGGESTIONS = """
    select words, plan_lines from marts.fct_event_suggestion
    where property_id = $property order by events_28d desc, event_name limit 5
"""
_COMPLETENESS = """
    with newest as (
        select *, max(date) over () - 27 as first_date
        from marts.fct_data_completeness where property_id = $property
    )
    select report, count(*) as days, count_if(is_complete) as complete_days,
        min(date) filter (maturity = 'provisional') as provisional_from,
        min(date) filter (maturity = 'settled') as settled_from,
        count_if(is_sampled) as sampled, count_if(is_thresholded) as thresholded,
        count_if(has_other_row) as other, count_if(is_restricted) as restricted,
        count_if(is_truncated) as truncated,
        coalesce(sum(restatement_count), 0)::bigint as restatements
    from newest where date >= first_date group by report order by report
"""
_RUN = """
    select run_id, code_version, started_at from ops.runs order by started_at desc limit 1
"""
_GATES = """
    select gate, count(*) as expectations, count_if(not is_success) as failed
    from ops.gate_results where run_id = $run and property_id = $property
    group by gate order by min(checked_at), gate
"""
# Those that every pull of the report tells of itself come last.
_WARNINGS = """
    select gate, table_name, expectation, observed, coalesce(array_to_string(
        list_transform(from_json(sample, '["json"]'), lambda key: key ->> '$.date'), ', '
    ), '') as days
    from ops.gate_results where run_id = $run and property_id = $property and not is_success
    order by expectation like 'is_not_%', checked_at, table_name, expectation
"""
_HELD_BACK = "select reason from ops.held_back where run_id = ? and property_id = ? limit 1"


def property_ids(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """All properties in the order of the page; one without any row still has its place."""
    return tuple(name for (name,) in connection.execute(_PROPERTY_IDS).fetchall())


def read_shop(connection: duckdb.DuckDBPyConnection, property_id: str) -> PropertyData:
    """Everything the page says of one property."""
    shop = fetch(connection, page_data.Shop, _SHOP, {"property": property_id})[0]
    run = next(iter(fetch(connection, page_data.Run, _RUN)), None)

    def ask(kind: type[Row], query: str) -> tuple[Row, ...]:
        known = {"property": shop.property_id, "window": WINDOW, "run": run.run_id if run else ""}
        wanted = {name: value for name, value in known.items() if f"${name}" in query}
        return fetch(connection, kind, query, wanted)

    has_diagnosis = _has_table(connection, "fct_diagnosis")
    has_news = _has_column(connection, "fct_anomaly", "is_news")
    return PropertyData(
        shop=shop,
        run=run,
        held_back=_held_back(connection, shop, run),
        steps=ask(page_data.Step, _STEPS),
        benchmarks=ask(page_data.Benchmark, _BENCHMARKS),
        leaks=ask(page_data.Leak, _LEAKS),
        micros=ask(page_data.Micro, _MICROS),
        factors=ask(page_data.Factor, _FACTORS),
        shifts=ask(page_data.Shift, _SHIFTS),
        alerts=ask(page_data.Alert, _ALERTS) if has_news else (),
        judged=ask(page_data.Judged, _JUDGED)[0],
        diagnoses=ask(page_data.Diagnosis, _DIAGNOSES) if has_diagnosis else (),
        has_diagnosis=has_diagnosis,
        coverage=ask(page_data.Coverage, _COVERAGE),
        suggestions=ask(page_data.Suggestion, _SUGGESTIONS),
        completeness=ask(page_data.Completeness, _COMPLETENESS),
        doubtful_days=doubtful_days(connection, shop.property_id),
        gates=ask(page_data.Gate, _GATES),
        warnings=ask(page_data.GateWarning, _WARNINGS),
        findings=ask(page_data.Finding, _FINDINGS) if _has_table(connection, "fct_finding") else (),
    )


def _held_back(
    connection: duckdb.DuckDBPyConnection, shop: page_data.Shop, run: page_data.Run | None
) -> str | None:
    if run is None:
        return None
    row = connection.execute(_HELD_BACK, [run.run_id, shop.property_id]).fetchone()
    return str(row[0]) if row else None


def doubtful_days(
    connection: duckdb.DuckDBPyConnection, property_id: str
) -> tuple[DoubtfulDay, ...]:
    """Those of one property, newest first; none in a version made before they were told."""
    if not _has_column(connection, "fct_data_completeness", "has_missing_rows"):
        return ()
    days = fetch(connection, DoubtfulDay, DOUBTFUL_DAYS)
    return tuple(day for day in days if day.property_id == property_id)


def _has_column(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> bool:
    found = connection.execute(
        "select 1 from information_schema.columns where table_schema = 'marts' "
        "and table_name = ? and column_name = ?",
        [table, column],
    ).fetchone()
    return found is not None


def _has_table(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """A version that was made before the table came has none."""
    found = connection.execute(
        "select 1 from information_schema.tables where table_schema = 'marts' and table_name = ?",
        [table],
    ).fetchone()
    return found is not None
