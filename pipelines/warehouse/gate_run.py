"""One gate of one run: judged over the properties that are still in it, recorded, and followed."""

from __future__ import annotations

from collections.abc import Sequence

from data_checks import GateReport, ModelTest, Window, record, run_gate
from pipelines.config.settings import Settings
from pipelines.ingest.day_window import DayWindow
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.property_records import held_back, remember_held_back
from pipelines.warehouse.runs import pulled_days


def judge_gate(
    settings: Settings,
    gate: str,
    run_id: str,
    window: DayWindow,
    tests: Sequence[ModelTest] = (),
) -> GateReport:
    """Run a gate over the properties that are still in the run, and remember what it found.

    Over `window` and the days that the run pulled further back. A property that fails is held back
    from here on, if others go on without it.
    """
    with build_database(settings.build_db) as connection:
        gone = held_back(connection, run_id)
        pulled = pulled_days(connection, run_id)
        worked = window.joined(DayWindow(*pulled) if pulled else None)
        report = run_gate(
            gate,
            connection,
            window=Window(worked.start, worked.end),
            run_id=run_id,
            properties=[item.id for item in settings.properties if item.id not in gone],
            tests=tests,
            now=settings.clock.now(),
        )
        record(connection, report)
        if report.others_go_on:
            for result in report.failed_critical:
                assert result.property_id is not None, "what is nobody's own stops all"
                remember_held_back(
                    connection, run_id, result.property_id, gate, result.sentence,
                    now=settings.clock.now(),
                )  # fmt: skip
    return report
