"""What to look into: causes of what has no finding, and the tracking that is missing."""

from __future__ import annotations

from pipelines.report import formatting
from pipelines.report.components import Card, Section, Table, columns
from pipelines.report.page_data import PropertyData
from pipelines.report.rows.findings import Diagnosis
from pipelines.report.rows.tracking import SESSIONLESS, UNTRACKED, Coverage
from pipelines.wording import counted

_MISSING = {*UNTRACKED, SESSIONLESS}


def hint_section(shop: PropertyData) -> Section:
    """Likely causes of what is low without a finding, with what speaks for them."""
    hints = [one for one in shop.diagnoses if one.finding_id is None]
    if not hints:
        return Section("Other hints", ("The numbers point at no further known cause.",))
    text = "What is often behind such numbers. Confirm it before changing anything."
    cards = tuple(map(_hint, hints))
    return Section("Other hints", (text,), cards=cards)


def tracking_section(shop: PropertyData) -> Section:
    """The to-do list: what is expected first."""
    if not shop.coverage:
        return Section("Tracking to-do", ("No tracking can be judged yet.",))
    todo = [row for row in shop.coverage if row.fix]
    tracked = sum(row.state == "tracked" for row in shop.coverage)
    summary = f"{tracked} of {counted(len(shop.coverage), 'action')} are tracked. " + (
        f"{counted(len(todo), 'thing')} to do." if todo else "Nothing to do."
    )
    renamed = tuple(
        Card("suggestion", "? renamed", one.words, (("Into tracking_plan.yml", one.plan_lines),))
        for one in shop.suggestions
    )
    return Section(
        title="Tracking to-do",
        summary=(summary,),
        cards=(*(_todo(row) for row in todo), *renamed),
        tables=(_table(shop.coverage),),
    )


def _hint(one: Diagnosis) -> Card:
    where = "" if one.segment_value == "all" else f" ({one.segment_value})"
    lines = [("Evidence", one.evidence), ("Try", one.fix)]
    if one.confirm_with:
        lines.append(("Confirm with", one.confirm_with))
    if one.recoverable_value is not None:
        worth = formatting.amount(one.recoverable_value, one.currency)
        lines.append(("May win back", f"about {worth} in 28 days"))
    return Card("hint", "likely", one.likely_cause + where, tuple(lines))


def _todo(row: Coverage) -> Card:
    weight = "expected" if row.is_expected else "optional"
    mark = f"{'✕' if row.state in _MISSING else '?'} {weight}"
    lines = [("To do", row.fix or ""), ("State", formatting.state_words(row.state))]
    if row.last_seen_date:
        lines.append(("Last seen", formatting.day(row.last_seen_date)))
    kind = "missing" if row.is_expected and row.state in _MISSING else "optional"
    return Card(kind, mark, formatting.key_words(row.key), tuple(lines))


def _table(rows: tuple[Coverage, ...]) -> Table:
    return Table(
        "Tracking coverage, 28 days",
        columns("Action", "Stage", "State", "Expected", "#Sessions with it", "Last seen"),
        tuple(
            (
                formatting.key_words(row.key),
                row.stage_label,
                formatting.state_words(row.state),
                "yes" if row.is_expected else "no",
                formatting.count(row.sessions) if row.state == "tracked" else formatting.NOTHING,
                formatting.day(row.last_seen_date),
            )
            for row in rows
        ),
    )
