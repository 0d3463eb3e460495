"""What each experiment's outcomes say, and how long a test of each metric would take."""

from pipelines.analysis.experiments.experiment_table import scored_properties
from pipelines.experiments.candidates import planned_metrics


def model(dbt, session):
    # Beside the marts, since a plan is made of published rates.
    dbt.config(materialized="table", schema="intermediate", contract={"enforced": False})
    changes = dbt.ref("stg_register__changes").df()
    outcomes = dbt.ref("stg_register__outcomes").df()
    dbt.ref("fct_micro_conversion_window")
    dbt.ref("fct_funnel_window")
    dbt.ref("dim_property")
    plans = {name: planned_metrics(session, name) for name in changes["property_id"].unique()}
    return scored_properties(changes, outcomes, plans)
