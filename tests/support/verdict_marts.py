"""The few columns of the marts that a verdict is read from."""

import duckdb


def make_verdict_marts(
    connection: duckdb.DuckDBPyConnection,
    findings: str,
    status: str,
    source_kind: str = "secondary",
    uncounted: str = "",
) -> None:
    """Properties 42, which has no name, and 43 (Outlet); both have one step of that `status`.

    `findings`: a VALUES list of property, id, rank, headline, worth, state, p_gap, surplus.
    `uncounted`: what is to be done about a step of 43 that nobody counts, if there is one.
    """
    connection.execute(
        "create schema if not exists marts; "
        "create or replace table marts.dim_property as select unnest(['42', '43']) as property_id, "
        "unnest(['', 'Outlet']) as property_name"
    )
    connection.execute(
        f"create or replace table marts.fct_finding as from (values {findings}) as rows "
        "(property_id, finding_id, finding_rank, headline, worth_sentence, state, p_gap, "
        "surplus_sentence) where property_id is not null"
    )
    connection.execute(
        "create or replace table marts.fct_benchmark_comparison as select property_id, "
        f"'28d' as window_name, 'all' as segment_name, 0.5 as rate, '{status}' as status, "
        f"'{source_kind}' as source_kind from marts.dim_property"
    )
    connection.execute(
        "create or replace table marts.fct_funnel_window as select property_id, 'core' as funnel, "
        "'purchase' as step_key, 4 as step_number from marts.dim_property"
    )
    connection.execute(
        "create or replace table marts.fct_tracking_coverage as select property_id, "
        "'purchase' as key, if(fix = '', 'tracked', 'tracking_lost') as tracking_state, "
        "nullif(fix, '') as fix from (select property_id, if(property_id = '43', $1, '') as fix "
        "from marts.dim_property)",
        [uncounted],
    )


NO_FINDING = "(null, '', 0, '', '', '', 0.0, '')"
