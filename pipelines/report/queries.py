"""The page's questions to the schemas `marts` and `ops` of a published version."""

from __future__ import annotations

import duckdb

from pipelines.config.thresholds import threshold
from pipelines.report import page_data
from pipelines.report.doubtful_days import DOUBTFUL_DAYS, DoubtfulDay
from pipelines.report.fetch import Row, fetch
from pipelines.report.page_data import PropertyData, Window

MONTH, WEEK = ("28d", 28), ("7d", 7)
ALERTS_SHOWN = 20
FINDINGS_SHOWN = 5
DAYS_SHOWN, WEEKS_SHOWN = 90, 13
ITEMS_SHOWN = 5

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
# Too few sessions to tell whether orders are tracked: no order, where they are on other days. A sum
# over a day that is not known is not known.
_SALES_DAYS = """
    thin as (
        select *, tracking_state = 'unknown_low_volume'
            and bool_or(tracking_state = 'tracked') over () as is_thin
        from marts.fct_sales_daily where property_id = $property and segment_name = 'all'
    ),
    days as (
        select * replace (
            coalesce(purchase_revenue, if(is_thin, 0, null)) as purchase_revenue,
            coalesce(transactions, if(is_thin, 0, null)) as transactions,
            coalesce(purchase_sessions, if(is_thin, 0, null)) as purchase_sessions,
            coalesce(sessions, if(is_thin, 0, null)) as sessions
        ), max(date) over () - date as age
        from thin
    )
"""
_SALES_SUMS = """
    case when count(purchase_revenue) = count(*) then sum(purchase_revenue) end as revenue,
    case when count(transactions) = count(*) then sum(transactions)::bigint end as orders,
    case when bool_and(
        sessions is not null and purchase_sessions is not null and tracking_state <> 'sessionless'
    ) and sum(sessions) > 0 then sum(purchase_sessions) / sum(sessions) end as conversion,
    case when orders > 0 and revenue >= 0 then revenue / orders end as order_value
"""
# One row; none of a property without a day.
SALES = f"""
    with {_SALES_DAYS},
    summed as (
        select age >= $days as is_prior, count(*) as days, any_value(currency) as currency,
            {_SALES_SUMS}
        from days where age < 2 * $days group by is_prior
    )
    select now.* exclude (is_prior), prior.revenue as prior_revenue,
        prior.orders as prior_orders, prior.conversion as prior_conversion,
        prior.order_value as prior_order_value
    from summed as now left join summed as prior on prior.is_prior and prior.days = $days
    where not now.is_prior
"""
SALES_WEEKS = f"""
    with {_SALES_DAYS}
    select min(date) as start, max(date) as "end", {_SALES_SUMS}
    from days where age < 7 * {WEEKS_SHOWN}
    group by age // 7 having count(*) = 7 order by start
"""
_STEP_WEEKS = f"""
    select step_key, window_start as start, window_end as end, step_rate as rate
    from marts.fct_funnel_period
    where property_id = $property and window_name = 'week' and segment_name = 'all'
        and days_loaded = window_days
    qualify dense_rank() over (order by window_start desc) <= {WEEKS_SHOWN}
    order by step_key, window_start
"""
_ENDS = f"""
    with {_LABELS}
    select step_label, labels.label as next_label, ended_sessions, ended_share, status
    from marts.fct_furthest_stage as ended left join labels on ended.next_step_key = labels.key
    where property_id = $property and window_name = $window and segment_name = 'all'
    order by step_number
"""
_CARTS = """
    select carts, lost_carts, cart_abandonment_rate, cart_status, recovery_rate, recoverable_value,
        currency
    from marts.fct_cart_recovery
    where property_id = $property and window_name = $window and segment_name = 'all'
"""
_PRODUCTS = f"""
    select item_name, step_label, units, previous_units, step_rate, shop_rate
    from marts.fct_product_funnel_window
    where property_id = $property and window_name = $window and not is_not_set
        and step_rate < shop_rate and q_value <= {threshold("false_discovery_rate")}
    order by previous_units * shop_rate - units desc, item_name limit {ITEMS_SHOWN}
"""
_PAGES = f"""
    select page_path, sessions, bounced_sessions, bounce_rate from marts.fct_page_engagement
    where property_id = $property and window_name = $window and bounced_sessions > 0
        and page_path not in ('(other)', '(not set)', '')
    order by bounced_sessions desc, page_path limit {ITEMS_SHOWN}
"""
_CONDITIONS = 'from_json(scope, \'[{"segment_name": "VARCHAR", "segment_value": "VARCHAR"}]\')'
_FINDINGS = f"""
    with {_LABELS},
    earlier as (
        select finding_id, state from ops.findings
        where property_id = $property and window_end < (
            select max(window_end) from marts.fct_finding where property_id = $property
        )
        qualify rank() over (order by window_end desc) = 1
    )
    select finding.finding_id, finding.state, earlier.state as earlier_state, finding.step_key,
        step_label, labels.label as previous_label, scope_label, title, headline, worth_sentence,
        window_start, benchmark_low, benchmark_high, since_date, since_earliest, since_latest,
        numerator, denominator, rate, before_numerator, before_denominator, before_rate,
        since_numerator, since_denominator, since_rate, now_numerator, now_denominator, now_rate,
        outside_numerator, outside_denominator, outside_rate, worth_since, currency,
        explained_share,
        array_to_string(list_transform(
            {_CONDITIONS}, lambda part: part.segment_name || ' = ' || part.segment_value
        ), ', ') as conditions
    from marts.fct_finding as finding
    inner join labels on finding.previous_step_key = labels.key
    left join earlier on finding.finding_id = earlier.finding_id
    where property_id = $property order by finding_rank
"""
# A part of one condition in the days of its segment, which are known for longest; of more, in the
# cells that have all of them.
_FINDING_DAYS = f"""
    with findings as (
        select finding_id, step_key, {_CONDITIONS} as conditions,
            case
                when len(conditions) = 0 then 'all'
                when len(conditions) = 1 then conditions[1].segment_name
                when list_contains(list_transform(
                    conditions, lambda part: part.segment_name
                ), 'country') then 'device_country'
                else 'device_channel_visitor'
            end as source
        from marts.fct_finding where property_id = $property and state <> 'healed'
        qualify row_number() over (order by finding_rank) <= {FINDINGS_SHOWN}
    ),
    shown as (
        select max(window_end) - {DAYS_SHOWN} as before
        from marts.fct_finding where property_id = $property
    ),
    counts as (
        select date, step_key, reached, previous_reached, cube as source,
            {{'device': device, 'channel': channel, 'visitor': visitor, 'country': country}} as cell
        from marts.fct_cell_funnel, shown where property_id = $property and date > before
        union all by name
        select date, step_key, reached, previous_reached, segment_name as source, {{
            'device': segment_value, 'channel': segment_value, 'visitor': segment_value,
            'country': segment_value
        }} as cell
        from marts.fct_funnel_daily, shown
        where property_id = $property and funnel = 'core' and date > before
    ),
    placed as (
        select finding_id, date, reached, previous_reached,
            len(list_filter(conditions, lambda part: part.segment_value <> case part.segment_name
                when 'device' then cell.device when 'channel' then cell.channel
                when 'visitor' then cell.visitor else cell.country end)) = 0 as is_inside
        from findings inner join counts using (step_key, source)
        where reached is not null and previous_reached is not null
    )
    select finding_id, date,
        sum(reached) filter (is_inside)::bigint as numerator,
        sum(previous_reached) filter (is_inside)::bigint as denominator,
        sum(reached) filter (not is_inside)::bigint as outside_numerator,
        sum(previous_reached) filter (not is_inside)::bigint as outside_denominator
    from placed group by finding_id, date order by finding_id, date
"""
# Steps of the core funnel have their rates there.
_MICROS = f"""
    with {_LABELS}
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
        and micro.key not in (select key from labels)
    order by stages.position, micro_rate desc nulls last, micro.key
"""
_FACTORS = f"""
    with {_LABELS}
    select factor_key as key, coalesce(labels.label, factor_key) as label, prior_value, value_now,
        contribution, case when unit = 'money' then currency end as currency, is_complete
    from marts.fct_funnel_change as change left join labels on change.factor_key = labels.key
    where property_id = $property and window_name = '28d' and effect = 'stage'
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
    where property_id = $property and window_name = '28d' and segment_name = 'device'
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
_DIAGNOSES = """
    select finding_id, segment_value, likely_cause, fix, confirm_with, evidence,
        recoverable_value, currency
    from marts.fct_diagnosis where property_id = $property and window_name = '28d'
    order by diagnosis_rank
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
# Days are pulled again and again: what earlier ones grew by is what these still have to come.
_GROWING = """
    select count(*) as days, max(usual_growth) as usual_growth from marts.fct_data_completeness
    where property_id = $property and report = 'sessions_by_all' and window_name = '1d'
        and maturity = 'provisional' and is_loaded
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
    """Everything the page says of one property.

    A version that was made by older code lacks tables and columns: what needs them is left out.
    """
    shop = fetch(connection, page_data.Shop, _SHOP, {"property": property_id})[0]
    run = next(iter(fetch(connection, page_data.Run, _RUN)), None)
    known: dict[str, object] = {"property": property_id, "run": run.run_id if run else ""}

    def ask(kind: type[Row], query: str, needs: str = "", **more: object) -> tuple[Row, ...]:
        if needs and not _has(connection, *needs.split(".")):
            return ()
        values = {**known, **more}
        wanted = {name: value for name, value in values.items() if f"${name}" in query}
        return fetch(connection, kind, query, wanted)

    def window(name: str, days: int) -> Window:
        sales = ask(page_data.Sales, SALES, "fct_sales_daily", days=days)
        carts = ask(page_data.Carts, _CARTS, window=name)
        return Window(
            days=days,
            steps=ask(page_data.Step, _STEPS, window=name),
            benchmarks=ask(page_data.Benchmark, _BENCHMARKS, window=name),
            micros=ask(page_data.Micro, _MICROS, window=name),
            sales=next(iter(sales), None),
            ends=ask(page_data.End, _ENDS, "fct_furthest_stage", window=name),
            carts=next(iter(carts), None),
            products=ask(
                page_data.Product, _PRODUCTS, "fct_product_funnel_window.q_value", window=name
            ),
            pages=ask(page_data.Page, _PAGES, window=name),
        )

    has_findings = _has(connection, "fct_finding", "title")
    return PropertyData(
        shop=shop,
        run=run,
        held_back=_held_back(connection, shop, run),
        month=window(*MONTH),
        week=window(*WEEK),
        findings=ask(page_data.Finding, _FINDINGS) if has_findings else (),
        finding_days=ask(page_data.FindingDay, _FINDING_DAYS) if has_findings else (),
        has_findings=has_findings,
        sales_weeks=ask(page_data.SalesWeek, SALES_WEEKS, "fct_sales_daily"),
        step_weeks=ask(page_data.StepWeek, _STEP_WEEKS, "fct_funnel_period"),
        factors=ask(page_data.Factor, _FACTORS),
        shifts=ask(page_data.Shift, _SHIFTS),
        alerts=ask(page_data.Alert, _ALERTS, "fct_anomaly.is_news"),
        judged=ask(page_data.Judged, _JUDGED)[0],
        diagnoses=ask(page_data.Diagnosis, _DIAGNOSES, "fct_diagnosis.finding_id"),
        coverage=ask(page_data.Coverage, _COVERAGE),
        suggestions=ask(page_data.Suggestion, _SUGGESTIONS),
        completeness=ask(page_data.Completeness, _COMPLETENESS),
        growing=next(
            iter(ask(page_data.Growing, _GROWING, "fct_data_completeness.usual_growth")),
            page_data.Growing(0, None),
        ),
        doubtful_days=doubtful_days(connection, shop.property_id),
        gates=ask(page_data.Gate, _GATES),
        warnings=ask(page_data.GateWarning, _WARNINGS),
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
    if not _has(connection, "fct_data_completeness", "has_missing_rows"):
        return ()
    days = fetch(connection, DoubtfulDay, DOUBTFUL_DAYS)
    return tuple(day for day in days if day.property_id == property_id)


def _has(connection: duckdb.DuckDBPyConnection, table: str, column: str = "property_id") -> bool:
    """Whether the version has it: one that was made before it came has not."""
    found = connection.execute(
        "select 1 from information_schema.columns where table_schema = 'marts' "
        "and table_name = ? and column_name = ?",
        [table, column],
    ).fetchone()
    return found is not None
