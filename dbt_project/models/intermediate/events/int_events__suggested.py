"""Events that look like a known one written differently: the rule of `sluice doctor`."""

from pipelines.config.tracking_plan.suggestion_rows import suggest_rows


def model(dbt, session):
    dbt.config(materialized="table")
    events = dbt.ref("int_events__unplanned").df()
    plan = dbt.ref("int_plan__resolved").df()
    return suggest_rows(events, plan)
