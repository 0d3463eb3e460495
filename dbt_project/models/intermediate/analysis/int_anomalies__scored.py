"""Days whose rate is unlike the same weekday of the weeks before, night after night."""

from pipelines.analysis.stats.anomaly_table import score_days


def model(dbt, session):
    dbt.config(materialized="table")
    df = dbt.ref("int_anomalies__dated").df()
    return score_days(df, str(df["first_judged"].min()))
