"""Micro-conversions: one small chart a stage of the visit."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.report import formatting
from pipelines.report.charts import RateMark, rates
from pipelines.report.components import Figure, Section, Table, columns
from pipelines.report.page_data import Micro, PropertyData
from pipelines.wording import counted

# A key that is a chain of its own needs no parent's name behind its rate.
_NOTE = (
    "Each rate counts sessions with the action among the sessions with the step it belongs to. The "
    "line is the 95 % interval, the small tick the 28 days before. Scales differ between charts."
)


def micro_section(shop: PropertyData) -> Section:
    """All actions of the tracking plan, by stage."""
    if not shop.micros:
        return Section("micro", "Micro-conversions", ("No micro-conversion is counted yet.",))
    stages = list(dict.fromkeys(row.stage_label for row in shop.micros))
    moved = [row for row in shop.micros if _has_moved(row)]
    return Section(
        name="micro",
        title="Micro-conversions",
        summary=(_summary(shop.micros, moved),),
        figures=tuple(
            _figure(number, stage, [row for row in shop.micros if row.stage_label == stage])
            for number, stage in enumerate(stages)
        ),
        tables=(_table(shop.micros),),
        notes=(_NOTE,),
    )


def _has_moved(row: Micro) -> bool:
    """The interval of the change leaves zero out."""
    if row.change_low is None or row.change_high is None:
        return False
    return row.change_low > 0 or row.change_high < 0


def _summary(rows: Sequence[Micro], moved: Sequence[Micro]) -> str:
    known = sum(row.rate is not None for row in rows)
    tail = "; ".join(
        f"{formatting.key_words(row.key)} {formatting.points(row.change)}" for row in moved
    )
    return f"{known} of {counted(len(rows), 'action')} have a rate. " + (
        f"Outside the interval of no change since the 28 days before: {tail}. Of many intervals, "
        "one in twenty leaves zero out by chance."
        if moved
        else "None has left the interval of no change since the 28 days before."
    )


def _figure(number: int, stage: str, rows: Sequence[Micro]) -> Figure:
    marks = [_mark(row) for row in rows]
    summary = "; ".join(mark.text for mark in marks) + "."
    return Figure(f"micro-{number}", stage, summary, rates(marks, ""))


def _mark(row: Micro) -> RateMark:
    label = formatting.key_words(row.key)
    missing = "" if row.rate is not None else _missing(row)
    value = formatting.rate_of(row.rate, row.sessions, row.parent_sessions)
    return RateMark(
        label=label,
        text=f"{label}: {missing or value}",
        rate=row.rate,
        shown=formatting.percent(row.rate),
        low=row.ci_low,
        high=row.ci_high,
        before=row.prior_rate,
        missing=missing,
    )


def _missing(row: Micro) -> str:
    return formatting.missing_words(row.state, row.sessions is not None)


def _table(rows: Sequence[Micro]) -> Table:
    return Table(
        "Micro-conversions of the whole shop",
        columns(
            "Action", "Stage", "#Rate", "Of sessions with", "#95 % interval", "#28 days before",
            "#Change (95 % interval)", "What it is",
        ),
        tuple(
            (
                formatting.key_words(row.key),
                row.stage_label,
                _missing(row)
                if row.rate is None
                else formatting.rate_of(row.rate, row.sessions, row.parent_sessions),
                formatting.key_words(row.parent_key) if row.parent_key else formatting.NOTHING,
                formatting.interval(row.ci_low, row.ci_high),
                formatting.percent(row.prior_rate),
                _change(row),
                row.description or formatting.NOTHING,
            )
            for row in rows
        ),
    )  # fmt: skip


def _change(row: Micro) -> str:
    if row.change is None:
        return formatting.NOTHING
    spread = formatting.points_interval(row.change_low, row.change_high)
    return f"{formatting.points(row.change)} ({spread})"
