"""What a run tells of its steps while it goes on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from dagster import DagsterEventType

from pipelines.orchestration.nightly_run import Step, _Progress


def entry(kind: DagsterEventType, moment: float) -> Any:
    event = SimpleNamespace(event_type=kind, step_key="gate_raw")
    return SimpleNamespace(dagster_event=event, timestamp=moment)


@pytest.mark.parametrize("kind", [DagsterEventType.STEP_SUCCESS, DagsterEventType.STEP_FAILURE])
def test_a_step_has_a_name_and_its_seconds(kind: DagsterEventType) -> None:
    told: list[Step] = []
    progress = _Progress(told.append)
    progress(entry(DagsterEventType.STEP_START, 10.0))
    progress(entry(kind, 12.5))
    assert told == [Step("gate: raw", kind is DagsterEventType.STEP_SUCCESS, 2.5)]


def test_a_display_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def closed(_: Step) -> None:
        raise BrokenPipeError

    _Progress(closed)(entry(DagsterEventType.STEP_SUCCESS, 1.0))
    assert "gate: raw" in caplog.text
