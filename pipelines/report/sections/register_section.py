"""Experiments and changes, and which change stands beside a finding's days."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby

from pipelines.analysis.experiments.register import NAIVE, OVER, is_near
from pipelines.report import formatting
from pipelines.report.components import Card, Section, Table, columns
from pipelines.report.page_data import PropertyData
from pipelines.report.rows.findings import Finding
from pipelines.report.rows.register import Change, Experiment
from pipelines.wording import counted

NEAR = timedelta(days=7)
"""So long before a rate moved a change may stand behind it (house default)."""

CHANGES_SHOWN = 20
ENDED_SHOWN = 4
"""So many that are over have a card; older ones are a row each."""

_MARKS = {
    "planned": "… planned",
    "running": "▶ running",
    "ended": "■ ended",
    "withdrawn": "✕ withdrawn",
}
_VERDICTS = {
    "ship": "Ship it",
    "hold, macro unproven": "Hold: it wins, but whether it costs purchases is not known yet",
    "keep running": "Not decided yet: keep it running",
    "undecided": "It ended undecided",
    "stop": "Stop: no difference that matters",
    "reject": "Reject: it does harm",
    "invalid": "Invalid: its result is not shown",
}
_NOTES = (
    "An experiment that is counted by day has an interval that holds whenever it is looked at.",
    "One change at a time: of two at the same place and time nobody can tell which one did it.",
)


def register_section(shop: PropertyData) -> Section | None:
    """What is tried and what was changed; None where nothing is registered."""
    if not shop.changes:
        return None
    tried = [list(rows) for _, rows in groupby(shop.experiments, key=lambda one: one.experiment_id)]
    ended = [rows for rows in tried if rows[0].state in OVER]
    older = ended[ENDED_SHOWN:]
    changed = [one for one in shop.changes if one.kind == "change"]
    running = sum(one.kind == "experiment" and one.state == "running" for one in shop.changes)
    summary = (
        f"{counted(len(tried), 'experiment')}, {running} of them running; "
        f"{counted(len(changed), 'change')} of the site."
    )
    return Section(
        "Experiments and changes",
        (summary, *_healed(shop)),
        cards=tuple(_card(rows) for rows in tried if rows not in older),
        tables=(*_older(older), *_table(changed)),
        notes=_NOTES if tried else (),
    )


def changed_before(shop: PropertyData, finding: Finding) -> list[Change]:
    """What was changed shortly before the finding began."""
    if finding.since_earliest is None or finding.since_latest is None:
        return []
    return _near(shop, finding, finding.since_earliest, finding.since_latest)


def suspects(shop: PropertyData, finding: Finding) -> list[Change]:
    """Of these the ones between the finding's step and the one before it, or next to them."""
    stages = [finding.stage, finding.previous_stage]
    return [
        one
        for one in changed_before(shop, finding)
        if any(stage is None or is_near(one.stage, stage) for stage in stages)
    ]


def healed_after(shop: PropertyData, finding: Finding) -> str | None:
    """A sentence on what was changed shortly before the finding's rate rose again."""
    if finding.recovered_date is None:
        return None
    near = _near(shop, finding, finding.recovered_date, finding.recovered_date)
    if not near:
        return None
    return (
        f"It rose again after a change ({'; '.join(map(told, near))}): they go together, which "
        "does not prove that the one caused the other."
    )


def _healed(shop: PropertyData) -> list[str]:
    """What healed after a change; it has no card of its own any more."""
    told = ((one.title, healed_after(shop, one)) for one in shop.findings if one.state == "healed")
    return [f"{title} {after}" for title, after in told if after]


def _near(shop: PropertyData, finding: Finding, first: date, last: date) -> list[Change]:
    """Those that began from a week before `first` to `last`, on devices that the finding has."""
    device = next(
        (
            part.removeprefix("device = ")
            for part in (finding.conditions or "").split(", ")
            if part.startswith("device = ")
        ),
        None,
    )
    return [
        one
        for one in reversed(shop.changes)
        if first - NEAR <= one.start_date <= last
        and (device is None or one.device in ("all", device))
    ]


def told(change: Change) -> str:
    """When, what and where."""
    kind = "experiment " if change.kind == "experiment" else ""
    return f"{formatting.day(change.start_date)}, {kind}“{change.description}”, {_place(change)}"


def _place(change: Change) -> str:
    """Stage, page and device, as far as they are told."""
    page = (change.page,) if change.page else ()
    device = () if change.device == "all" else (change.device,)
    return ", ".join((change.stage_label.lower(), *page, *device))


def _card(rows: list[Experiment]) -> Card:
    """One experiment: its verdict, and each variant's difference."""
    first = rows[0]
    verdict = first.experiment_verdict
    going = [row for row in rows if row.state == "running" and row.verdict == verdict]
    weeks = [row.weeks_left for row in going if row.weeks_left]
    goes_on = "" if first.state == "withdrawn" else " on"
    until = f" to {formatting.day(first.end_date)}" if first.end_date else goes_on
    return Card(
        kind=(verdict or "none").split(",")[0].replace(" ", "_"),
        mark=f"{_MARKS[first.state]} · {formatting.day(first.start_date)}{until}",
        title=first.hypothesis,
        lines=(
            ("Verdict", _verdict(first)),
            ("Why", first.experiment_reason),
            *(
                (f"{row.variant} against {row.control}", _difference(row))
                for row in rows
                if row.rate is not None
            ),
            *([("To know", " ".join(known))] if (known := _known(first)) else []),
            *([("Still to come", f"about {counted(min(weeks), 'week')}")] if weeks else []),
            *([("Changed after its start", first.edits)] if first.edits else []),
        ),
    )


def _older(tried: list[list[Experiment]]) -> tuple[Table, ...]:
    """What was learnt from experiments that are long over."""
    if not tried:
        return ()
    rows = tuple(
        (
            formatting.day(first.start_date),
            formatting.day(first.end_date),
            first.hypothesis,
            formatting.key_words(first.primary_metric),
            _verdict(first),
        )
        for first, *_ in tried
    )
    heading = columns("From", "To", "What was tried", "Primary metric", "Verdict")
    return (Table("Tried before", heading, rows),)


def _verdict(row: Experiment) -> str:
    return _VERDICTS.get(row.experiment_verdict or "", "None yet")


def _known(row: Experiment) -> list[str]:
    """Sentences on how the outcomes were counted."""
    left_out = row.users_left_out
    return [
        *([f"{counted(left_out, 'user')} saw several variants: left out."] if left_out else []),
        *([NAIVE] if row.naive_variance else []),
        *([row.note] if row.note else []),
    ]


def _difference(row: Experiment) -> str:
    metric = formatting.key_words(row.primary_metric)
    if not row.is_share:
        own = _ratio(row.rate, row.numerator, row.denominator)
        control = _ratio(row.control_rate, row.control_numerator, row.control_denominator)
        rates = f"{metric}: {own} against {control}"
        difference, low, high = (_plain(one) for one in (row.difference, row.ci_low, row.ci_high))
    else:
        own = formatting.rate_of(row.rate, row.numerator, row.denominator)
        control = formatting.rate_of(
            row.control_rate, row.control_numerator, row.control_denominator
        )
        rates = f"{metric}: {own} against {control}"
        difference, high = formatting.points(row.difference), formatting.points(row.ci_high)
        low = formatting.points(row.ci_low).removesuffix("points").strip()
    if row.ci_low is None:
        return f"{rates}; too few units or conversions for an interval"
    always = ", whenever looked at" if row.is_nightly else ""
    return f"{rates}; {difference} (95 % interval {low} to {high}{always})"


def _ratio(rate: float | None, numerator: float | None, denominator: float | None) -> str:
    """A rate of users' sums: 1.25 (625 of 500)."""
    sums = f"{formatting.count(numerator)} of {formatting.count(denominator)}"
    return f"{_plain(rate)} ({sums})"


def _plain(value: float | None) -> str:
    return formatting.NOTHING if value is None else f"{value:.4g}"


def _table(changed: list[Change]) -> tuple[Table, ...]:
    if not changed:
        return ()
    rows = tuple(
        (
            formatting.day(one.start_date),
            one.description,
            _place(one),
            formatting.day(one.end_date),
            _doubt(one),
        )
        for one in changed
    )
    heading = columns("From", "Change", "Where", "Taken back after", "Effect can be told")
    newest = (
        f", the newest {CHANGES_SHOWN} of {len(changed)}" if len(changed) > CHANGES_SHOWN else ""
    )
    return (Table(f"What was changed{newest}", heading, rows[:CHANGES_SHOWN]),)


def _doubt(change: Change) -> str:
    """Why its effect cannot be told."""
    reasons = [
        *([f"overlaps with {change.overlaps_with}"] if change.overlaps_with else []),
        *(["several elements at once"] if change.confounded else []),
    ]
    return f"no: {' and '.join(reasons)}" if reasons else "yes"
