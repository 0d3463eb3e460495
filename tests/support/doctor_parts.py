"""What several tests of the doctor are made of: a list of fields, and a published version."""

from datetime import datetime
from pathlib import Path
from typing import Any

from google.analytics.data_v1beta import types as ga4

from pipelines.config.settings import Settings
from pipelines.emulator.server.fields import catalogue
from pipelines.publishing.versions import NAME_FORMAT, point_current_at
from pipelines.warehouse.connect import build_database
from tests.support.published import write_manifest


def metadata_of(*, without: tuple[str, ...] = (), custom: tuple[str, ...] = ()) -> Any:
    """A raw Metadata: GA4's own fields but `without`, and these custom dimensions."""
    message = ga4.Metadata.pb()()
    for dimension in catalogue().dimensions.values():
        if dimension.api_name not in without:
            message.dimensions.add(api_name=dimension.api_name)
    for name in custom:
        message.dimensions.add(api_name=f"customEvent:{name}", custom_definition=True)
    for metric in catalogue().metrics.values():
        if metric.api_name not in without:
            message.metrics.add(api_name=metric.api_name)
    return message


def publish(settings: Settings, *runs: tuple[str, str, datetime]) -> Path:
    """A version with these rows (command, status, finished) in `ops.runs`; its folder."""
    name = runs[-1][2].strftime(NAME_FORMAT)
    folder = settings.published_dir / "versions" / name
    folder.mkdir(parents=True)
    with build_database(folder / "sluice.duckdb") as connection:
        for number, (command, status, finished) in enumerate(runs):
            connection.execute(
                "insert into ops.runs (run_id, command, window_end, status, finished_at) "
                "values (?, ?, '2026-06-30', ?, ?)",
                [f"{name}-{number}", command, status, finished],
            )
    write_manifest(folder)
    point_current_at(settings.published_dir, name)
    return folder
