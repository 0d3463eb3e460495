"""Which part of the shop explains a step's shortfall, since when, and what became of it."""

from pipelines.analysis.findings.finding_table import Frames, find_findings
from pipelines.analysis.findings.property_days import DAYS
from pipelines.analysis.findings.scope_worth import WORTHS
from pipelines.analysis.stats.leak_table import GRAIN
from pipelines.config.thresholds import threshold


def model(dbt, session):
    dbt.config(materialized="table")
    # The window that the page opens with.
    chained = dbt.ref("int_leaks__chained").filter("window_name = '28d'").df()
    scored = dbt.ref("int_leaks__scored").df()
    steps = chained.merge(scored[[*GRAIN, *WORTHS]], on=GRAIN)
    keys = {*steps["previous_step_key"], *steps["step_key"]}
    first = steps["window_end"].min()
    recent = f"date > date '{first:%Y-%m-%d}' - {DAYS}" if keys else "false"
    daily = dbt.ref("int_funnel__days_filled").filter(recent)
    cells = dbt.ref("int_cells__counted").filter(recent)
    segments = daily.project(
        "property_id, date, segment_name, segment_value, key as step_key, sessions"
    ).df()
    is_part = segments["segment_name"].isin(steps["segment_name"]) & segments["step_key"].isin(keys)
    memory = dbt.source("ops", "findings").df()
    frames = Frames(
        steps, cells.df().rename(columns={"reached": "sessions"}), segments[is_part], memory
    )
    return find_findings(frames, threshold("least_p_gap"))
