"""How far the numbers can be trusted: what is missing, what may still grow, what failed."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.ga4.report_words import report_words
from pipelines.report import formatting
from pipelines.report.components import Section, Table, columns, filled
from pipelines.report.doubtful_days import DoubtfulDay
from pipelines.report.page_data import PropertyData
from pipelines.report.rows.quality import Completeness, Gate, GateWarning, OtherSetting
from pipelines.wording import counted

# The page stays readable: the rest is counted, and stands in `ops.gate_results`.
DAYS_NAMED = 5
DAYS_SHOWN = 20
WARNINGS_SHOWN = 20
_DOUBTS = {
    "sampled": "sampled",
    "thresholded": "thresholded for privacy",
    "other": "partly in (other)",
    "restricted": "restricted",
    "truncated": "cut off",
}


def quality_section(shop: PropertyData) -> Section:
    """What was pulled, what is missing, what may still change."""
    reports = shop.completeness
    if not reports:
        return Section("Data quality", ("Nothing was pulled yet.",))
    return Section(
        title="Data quality",
        summary=(
            _whole(reports),
            *_doubtful(shop.doubtful_days),
            *_settings(shop.settings),
            _provisional(reports),
            *_doubts(reports),
            *_gates(shop.gates),
        ),
        tables=filled(
            _day_table(shop.doubtful_days),
            _table(reports),
            _gate_table(shop.gates),
            _warning_table(shop.warnings),
        ),
        notes=(
            "Late events arrive for 72 hours, attribution moves for about 12 days: until then a "
            "number may still change, and later nights pull it again.",
        ),
    )


def _whole(reports: Sequence[Completeness]) -> str:
    pulled = sum(one.days for one in reports)
    complete = sum(one.complete_days for one in reports)
    if complete == pulled:
        return f"All {pulled:,} daily reports of the last 28 days are complete."
    gaps = [report_words(one.report) for one in reports if one.complete_days < one.days]
    return (
        f"{complete:,} of {pulled:,} daily reports of the last 28 days are complete; not: "
        f"{'; '.join(gaps)}."
    )


def _doubtful(days: Sequence[DoubtfulDay]) -> tuple[str, ...]:
    """The days by name: what is wrong with each stands in the table."""
    if not days:
        return ()
    names = list(dict.fromkeys(formatting.day(one.date) for one in days))
    left = len(names) - DAYS_NAMED
    more = f" and {counted(left, 'more day')}" if left > 0 else ""
    return (f"Not whole, though GA4 answered: {', '.join(names[:DAYS_NAMED])}{more}.",)


def _settings(found: Sequence[OtherSetting]) -> tuple[str, ...]:
    return tuple(
        f"GA4's {one.setting} of the property was {one.before} when the days up to "
        f"{formatting.day(one.last_date)} were pulled, and is {one.now}: numbers before and after "
        "cannot be compared, and money of both is not added up, until 'sluice backfill' has pulled "
        "those days again."
        for one in found
    )


def _day_table(days: Sequence[DoubtfulDay]) -> Table:
    return Table(
        _caption("Days that are not whole", len(days), DAYS_SHOWN),
        columns("Day", "Report", "What is wrong"),
        tuple(
            (formatting.day(one.date), report_words(one.report), one.words)
            for one in days[:DAYS_SHOWN]
        ),
    )


def _caption(title: str, number: int, shown: int) -> str:
    return title if number <= shown else f"{title} ({shown} of {number:,})"


def _provisional(reports: Sequence[Completeness]) -> str:
    days = [one.provisional_from for one in reports if one.provisional_from]
    if not days:
        return "No day grows any more."
    return f"From {formatting.day(min(days))} on days may still grow: GA4 adds events for 72 hours."


def _doubts(reports: Sequence[Completeness]) -> tuple[str, ...]:
    found = []
    for field, said in _DOUBTS.items():
        number = sum(getattr(one, field) for one in reports)
        if number:
            found.append(f"{counted(number, 'report')} {said}")
    restated = sum(one.restatements for one in reports)
    if restated:
        found.append(f"{counted(restated, 'number')} restated by GA4")
    return (f"{'; '.join(found)}.",) if found else ()


def _gates(gates: Sequence[Gate]) -> tuple[str, ...]:
    if not gates:
        return ()
    total, failed = sum(gate.expectations for gate in gates), sum(gate.failed for gate in gates)
    if not failed:
        return (f"All {total:,} checks passed.",)
    return (f"{failed:,} of {total:,} checks failed, none of which holds the numbers back.",)


def _table(reports: Sequence[Completeness]) -> Table:
    return Table(
        "Reports of the last 28 days",
        columns("Report", "#Days pulled", "#Complete", "May grow from", "May move from", "Notes"),
        tuple(
            (
                report_words(one.report),
                formatting.count(one.days),
                formatting.count(one.complete_days),
                formatting.day(one.provisional_from),
                formatting.day(one.settled_from),
                "; ".join(
                    f"{getattr(one, field)} {said}"
                    for field, said in _DOUBTS.items()
                    if getattr(one, field)
                )
                or formatting.NOTHING,
            )
            for one in reports
        ),
    )


def _gate_table(gates: Sequence[Gate]) -> Table:
    return Table(
        "Checks of the run",
        columns("Stage", "#Checks", "#Failed"),
        tuple(
            (gate.gate, formatting.count(gate.expectations), formatting.count(gate.failed))
            for gate in gates
        ),
    )


def _warning_table(warnings: Sequence[GateWarning]) -> Table:
    return Table(
        _caption("Checks that failed", len(warnings), WARNINGS_SHOWN),
        columns("Stage", "Table", "Check that failed", "Days", "Observed"),
        tuple(
            (
                one.gate,
                one.table_name,
                formatting.key_words(one.expectation),
                one.days or formatting.NOTHING,
                one.observed,
            )
            for one in warnings[:WARNINGS_SHOWN]
        ),
    )
