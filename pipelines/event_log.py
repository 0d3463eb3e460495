"""The place that `dagster.yaml` names in a home of an older version; the log is orchestration's."""

from pipelines.orchestration.event_log import EventLog

__all__ = ["EventLog"]
