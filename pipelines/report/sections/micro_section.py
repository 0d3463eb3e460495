"""Micro-conversions: one small chart a stage of the visit."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.report import formatting
from pipelines.report.charts import RateMark, scale_of
from pipelines.report.components import Rates, Section
from pipelines.report.page_data import Window
from pipelines.report.rows.micro import Micro
from pipelines.wording import counted


def micro_section(window: Window) -> Section:
    """All actions of the tracking plan beside the funnel's own steps, by stage."""
    if not window.micros:
        text = "No micro-conversion is counted yet."
        return Section("Micro-conversions by stage", (text,))
    stages = list(dict.fromkeys(row.stage_label for row in window.micros))
    return Section(
        title="Micro-conversions by stage",
        summary=(_summary(window),),
        rates=tuple(
            _rates(stage, [row for row in window.micros if row.stage_label == stage])
            for stage in stages
        ),
        notes=(
            "Each rate counts sessions with the action among the sessions with the step it "
            "belongs to. Scales differ between charts.",
        ),
    )


def _has_moved(row: Micro) -> bool:
    """The interval of the change leaves zero out."""
    if row.change_low is None or row.change_high is None:
        return False
    return row.change_low > 0 or row.change_high < 0


def _summary(window: Window) -> str:
    rows = window.micros
    known = sum(row.rate is not None for row in rows)
    moved = "; ".join(
        f"{formatting.key_words(row.key)} {formatting.points(row.change)}"
        for row in rows
        if _has_moved(row)
    )
    return f"{known} of {counted(len(rows), 'action')} have a rate. " + (
        f"Moved by more than chance since the {window.days} days before: {moved}. One in twenty "
        "does so by chance."
        if moved
        else f"None moved by more than chance since the {window.days} days before."
    )


def _rates(stage: str, rows: Sequence[Micro]) -> Rates:
    marks = tuple(map(_mark, rows))
    return Rates(stage, marks, scale_of(marks))


def _mark(row: Micro) -> RateMark:
    return RateMark(
        label=formatting.key_words(row.key),
        text=formatting.missing_words(row.state, row.sessions is not None)
        if row.rate is None
        else _rate(row),
        rate=row.rate,
        low=row.ci_low,
        high=row.ci_high,
        before=row.prior_rate,
    )


def _rate(row: Micro) -> str:
    said = formatting.rate_of(row.rate, row.sessions, row.parent_sessions)
    if row.parent_key in {None, "sessions"}:
        return said
    return f"{said} with {formatting.key_words(str(row.parent_key)).lower()}"
