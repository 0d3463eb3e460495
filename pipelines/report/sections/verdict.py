"""The first screen in words: the verdict, what to do first, what is new, what speaks against it."""

from __future__ import annotations

from pipelines.report import formatting
from pipelines.report.page_data import PropertyData
from pipelines.report.rows.findings import FINDINGS_SHOWN
from pipelines.report.rows.funnel import Step
from pipelines.report.rows.tracking import SESSIONLESS, UNTRACKED
from pipelines.report.sections.finding_cards import to_do
from pipelines.report.sections.register_section import healed_after
from pipelines.wording import counted

# Not below for sure, and not sure to be fine either.
UNDECIDED = {"insufficient_data", "leaning_below"}
_NEWS = {"New": "new", "Worse": "worse", "Recovering": "improving", "Healed": "healed"}


def verdict(shop: PropertyData) -> tuple[str, ...]:
    """The page in one sentence, then what else comes before all numbers."""
    if not shop.month.whole:
        return ("There are no numbers of the last 28 days yet.",)
    if lost := _lost(shop):
        return (_lost_sentence(shop, lost), *_sessionless(shop))
    if shop.leaking:
        return (*_sessionless(shop), shop.leaking[0].title)
    return (*_sessionless(shop), *_healed(shop), *rest(shop))


def rest(shop: PropertyData) -> list[str]:
    """What is said of the steps of the funnel that have no finding."""
    if not shop.has_findings:
        return ["This version is of older code: the next run tells what leaks."]
    told = {finding.step_key for finding in shop.findings}
    steps = [
        step
        for step in shop.month.whole
        if step.benchmark_low is not None and step.step_key not in told
    ]
    below = [step.step_label for step in steps if step.verdict == "below"]
    unsure = [_unsure(step) for step in steps if step.verdict in UNDECIDED]
    unknown = [step.step_label for step in steps if step.rate is None]
    other = "other " if told or _sessionless(shop) else ""
    said = []
    if below:
        said.append(f"Below the usual range: {', '.join(below)}.")
    elif told and not unsure and not unknown:
        said.append("Nothing else is below its usual range.")
    elif len(unsure) + len(unknown) < len(steps):
        surely = "surely " if unsure or unknown else ""
        said.append(f"No {other}step is {surely}below its usual range.")
    if unsure:
        said.append(f"There is too little data yet to tell of {', '.join(unsure)}.")
    if unknown:
        said.append(f"Not known: {', '.join(unknown)}.")
    if len(shop.leaking) > FINDINGS_SHOWN:
        smaller = counted(len(shop.leaking) - FINDINGS_SHOWN, "smaller finding")
        said.append(f"{smaller} in the table fct_finding.")
    return said


def lines(shop: PropertyData) -> tuple[str, ...]:
    """Under the verdict: what it is worth, what to do first, what is new."""
    return (*_to_do(shop), *_news(shop))


def facts(shop: PropertyData) -> tuple[str, ...]:
    """Which property, data of which days, and how much may still come."""
    found = [f"Property {shop.shop.property_id}"]
    if shop.shop.last_date:
        found.append(f"data to {shop.shop.last_date:%a} {formatting.day(shop.shop.last_date)}")
    if shop.growing.days:
        growth = shop.growing.usual_growth
        said = f"usually still grow by {formatting.percent(growth)}" if growth else "may still grow"
        found.append(f"the newest {counted(shop.growing.days, 'day')} {said}")
    return tuple(found)


def warnings(shop: PropertyData) -> tuple[str, ...]:
    """What speaks against the numbers of the whole page."""
    found = []
    if shop.held_back:
        found.append(
            f"This property was held back: {shop.held_back.rstrip('.')}. Its numbers are those of "
            "the version before."
        )
    for step in shop.month.whole[:1]:
        if step.days_loaded < step.window_days:
            found.append(f"Only {step.days_loaded} of the last {step.window_days} days are loaded.")
        if not step.is_complete:
            found.append("Some numbers rest on incomplete data: see Data quality.")
    return tuple(found)


def _sessionless(shop: PropertyData) -> list[str]:
    """What the warehouse says of core steps that came without sessions, the order first."""
    said = {row.key: row.fix for row in shop.coverage if row.state == SESSIONLESS and row.fix}
    return [fix for step in reversed(shop.month.whole) if (fix := said.get(step.step_key))]


def _unsure(step: Step) -> str:
    """A step that cannot be judged yet, and for how long."""
    if not step.weeks_to_know:
        return step.step_label
    return f"{step.step_label} ({formatting.known_in(step.weeks_to_know)})"


def _healed(shop: PropertyData) -> list[str]:
    healed = [finding for finding in shop.findings if finding.state == "healed"]
    return [
        said for one in healed for said in (one.title, healed_after(shop, one)) if said is not None
    ]


def _to_do(shop: PropertyData) -> list[str]:
    """What comes before all else, and what it is worth."""
    untracked = [one.fix for one in shop.coverage if one.key in _lost(shop) and one.fix]
    if untracked or not shop.leaking:
        return untracked
    first = shop.leaking[0]
    fixes = [one.fix for one in shop.diagnoses if one.finding_id == first.finding_id]
    others = len(shop.leaking) - 1
    return [
        first.worth_sentence,
        f"Do first: {to_do(shop, first, fixes)}.",
        *([f"{counted(others, 'more finding')} below."] if others else []),
    ]


def _lost(shop: PropertyData) -> dict[str, str]:
    """Key → label of the funnel's steps that nobody counts."""
    untracked = {row.key for row in shop.coverage if row.state in UNTRACKED}
    return {one.step_key: one.step_label for one in shop.month.whole if one.step_key in untracked}


def _lost_sentence(shop: PropertyData, lost: dict[str, str]) -> str:
    silent = {one.key for one in shop.silences}
    named = [f"“{label}”" for key, label in lost.items() if key in silent]
    if named:
        return (
            f"Nobody is counted at {' and '.join(named)} any more: the shop is broken there, or "
            "its tracking. Do it once in the shop before all else."
        )
    named = [f"“{label}”" for label in lost.values()]
    return (
        f"Set up tracking first: without {' and '.join(named)} nobody can tell where the funnel "
        "leaks."
    )


def _news(shop: PropertyData) -> list[str]:
    """What the version before did not have."""
    if not shop.has_findings:
        return []
    told = []
    for word, state in _NEWS.items():
        names = [
            one.title.rstrip(".") if state == "healed" else f"finding {number}"
            for number, one in enumerate(shop.findings, 1)
            if one.state == state != one.earlier_state
        ]
        if names:
            told.append(f"{word}: {', '.join(names)}")
    rates = sum(one.date == shop.judged.last_date for one in shop.alerts)
    if rates:
        told.append(f"{counted(rates, 'unusual rate')}, see Alerts")
    return [f"{'; '.join(told)}." if told else "Nothing new since the last version."]
