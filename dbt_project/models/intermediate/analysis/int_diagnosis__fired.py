"""Where the conditions of the playbook hold, with the evidence for each."""

from pipelines.analysis.diagnosis.evaluate import diagnose
from pipelines.analysis.diagnosis.playbook import SEED, read_rules


def model(dbt, session):
    dbt.config(materialized="table")
    playbook = dbt.ref("diagnosis_playbook").df()
    levels = dbt.ref("int_metrics__levelled").df()
    return diagnose(levels, read_rules(playbook.to_dict("records"), f"{SEED}.csv"))
