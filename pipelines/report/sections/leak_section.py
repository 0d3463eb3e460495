"""The leaks in the order of what they are worth, and the verdict that opens the page."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.config.thresholds import threshold
from pipelines.report import formatting
from pipelines.report.charts import BarMark, bars
from pipelines.report.components import Figure, Section, Table, columns
from pipelines.report.page_data import Finding, Leak, PropertyData

UNTRACKED = {"not_tracked", "tracking_lost"}
SESSIONLESS = "sessionless"
# In the first sentence of the page; the others are among the leaks.
FINDINGS_TOLD = 2
HOW_COUNTED = (
    "Worth: the sessions that are missing up to the floor of the benchmark, carried through to the "
    "order at today's rates and order value; the range holds 90 % of 20,000 draws. It is "
    "what would come in if nothing else changed, not a forecast.",
    "Cautious: the same if visitors won later buy less readily than those already here (half as "
    "readily, unless the dbt variable marginal_visitor_share says otherwise).",
    "Segments overlap (a mobile visitor is new or returning too): rows of different segments are "
    "never added up. “In the total” is each step's share when all steps are lifted together, and "
    "may be added up over the steps of the whole shop.",
)


def verdict(shop: PropertyData) -> str:
    """The page in one sentence: what to do first."""
    steps = shop.whole
    if not steps:
        return "There are no numbers of the last 28 days yet."
    sessionless = _sessionless(shop)
    untracked = {row.key for row in shop.coverage if row.state in UNTRACKED}
    lost = [step.step_label for step in steps if step.step_key in untracked]
    if lost:
        names = " and ".join(f"“{name}”" for name in lost)
        first = f"Set up tracking first: without {names} nobody can tell where the funnel leaks."
        return " ".join([first, *sessionless])
    return " ".join([*sessionless, _of_leaks(shop, "other step" if sessionless else "step")])


def _sessionless(shop: PropertyData) -> list[str]:
    """What the warehouse says of core steps that came without sessions, the order first."""
    said = {row.key: row.fix for row in shop.coverage if row.state == SESSIONLESS and row.fix}
    return [fix for step in reversed(shop.whole) if (fix := said.get(step.step_key))]


def _of_leaks(shop: PropertyData, step_word: str) -> str:
    """What can be told of leaks; `step_word`: how a step that is judged is called."""
    if shop.findings:
        return " ".join(_finding_sentence(finding) for finding in shop.findings[:FINDINGS_TOLD])
    leaks = _found(shop.leaks)
    if any(leak.segment_name == "all" for leak in leaks):
        return _leak_sentence(leaks[0], leaks)
    if leaks:
        return (
            "The shop as a whole is not likely below any floor, but a part of it is: "
            + _what(leaks[0])
            + "."
        )
    judged = [step for step in shop.whole if step.verdict and step.verdict != SESSIONLESS]
    if not judged or all(step.verdict == "insufficient_data" for step in judged):
        return f"There is too little data yet to tell whether any {step_word} leaks."
    return f"No {step_word} of the funnel is likely below the floor of its benchmark."


def leak_section(shop: PropertyData) -> Section:
    """Every core step of the shop, and the parts of the shop that leak most."""
    if not shop.leaks:
        return Section("leaks", "Leaks", ("Nothing can be valued yet: no step has a benchmark.",))
    found = _found(shop.leaks)
    whole = [leak for leak in shop.leaks if leak.segment_name == "all"]
    return Section(
        name="leaks",
        title="Leaks",
        summary=(_summary(found, whole),),
        figures=(_figure(found),) if found else (),
        tables=(_table(shop.leaks),),
        notes=HOW_COUNTED,
    )


def _found(leaks: Sequence[Leak]) -> list[Leak]:
    """What is called a leak, the largest first."""
    return sorted((leak for leak in leaks if leak.is_leak), key=lambda leak: leak.leak_order)


def leak_name(leak: Leak) -> str:
    """Where a leak is."""
    if leak.segment_name == "all":
        return f"{leak.step_label}, whole shop"
    segment = formatting.key_words(leak.segment_name).lower()
    return f"{leak.step_label}, {segment}: {leak.segment_value}"


def _finding_sentence(finding: Finding) -> str:
    """Where, since when and whether it goes on; of what goes on, what it is worth."""
    if finding.state == "healed":
        return f"Healed: {finding.headline}"
    return f"{finding.headline} {finding.worth}"


def _leak_sentence(leak: Leak, leaks: Sequence[Leak]) -> str:
    device = next(
        (
            one
            for one in leaks
            if one.segment_name == "device" and one.step_key == leak.step_key and one.p50
        ),
        None,
    )
    where = (
        f", most of it on {device.segment_value}: "
        f"{formatting.rate_of(device.rate, device.numerator, device.denominator)}"
        if device and leak.segment_name == "all" and leak.p50 and (device.p50 or 0) > leak.p50 / 2
        else ""
    )
    return f"The largest leak is likely {_what(leak)}{where}."


def _what(leak: Leak) -> str:
    where = "" if leak.segment_name == "all" else f" ({leak.segment_value})"
    return (
        f"between “{leak.previous_label}” and “{leak.step_label}”{where}: "
        f"{formatting.rate_of(leak.rate, leak.numerator, leak.denominator)} go on where at least "
        f"{formatting.bound(leak.benchmark_low)} is usual, {_worth(leak)}"
    )


def _worth(leak: Leak) -> str:
    if leak.p50 is None:
        return "of unknown worth, for orders are not counted"
    return f"worth about {formatting.amount(leak.p50, leak.currency)} ({_range(leak)}) in 28 days"


def _range(leak: Leak) -> str:
    if leak.p05 is None:
        return formatting.NOTHING
    low = formatting.amount(leak.p05, leak.currency)
    return f"{low} to {formatting.amount(leak.p95, leak.currency)}"


def _summary(found: Sequence[Leak], whole: Sequence[Leak]) -> str:
    if not found:
        unknown = [leak.step_label for leak in whole if leak.p_gap is None]
        tail = f" Not known for {', '.join(unknown)}." if unknown else ""
        return f"No step is likely below the floor of its benchmark.{tail}"
    first = found[0]
    return (
        f"{leak_name(first)}: {_worth(first)}, below its floor with a "
        f"probability of {formatting.chance(first.p_gap)}, and the biggest leak of its funnel with "
        f"{formatting.chance(first.p_biggest)}. A leak is named only from "
        f"{formatting.chance(threshold('least_p_gap'))} on."
    )


def _figure(found: Sequence[Leak]) -> Figure:
    marks = [
        BarMark(
            label=leak_name(leak),
            text=f"{leak_name(leak)}: {_worth(leak)}",
            short=formatting.amount(leak.p50, leak.currency),
            value=leak.p50,
            low=leak.p05,
            high=leak.p95,
            group="below",
        )
        for leak in found
    ]
    summary = "; ".join(mark.text for mark in marks) + "."
    unit = found[0].currency or "Orders"
    title = f"{unit} in 28 days, with the range of 90 %"
    return Figure("leaks", "What each leak is worth", summary, bars(marks, title))


def _table(leaks: Sequence[Leak]) -> Table:
    return Table(
        "Steps of the whole shop, and the parts of it that likely leak",
        columns(
            "Leak", "#Rate", "#Floor", "#Worth in 28 days", "#Range (90 %)", "#Cautious",
            "#In the total", "#P(below floor)", "#P(biggest)", "Finding",
        ),
        tuple(
            (
                leak_name(leak),
                formatting.rate_of(leak.rate, leak.numerator, leak.denominator),
                formatting.bound(leak.benchmark_low),
                formatting.amount(leak.p50, leak.currency),
                _range(leak),
                formatting.amount(leak.p50_reduced, leak.currency),
                formatting.amount(leak.allocated, leak.currency),
                formatting.chance(leak.p_gap),
                formatting.chance(leak.p_biggest),
                _finding(leak),
            )
            for leak in leaks
        ),
    )  # fmt: skip


def _finding(leak: Leak) -> str:
    if leak.is_leak:
        return "▼ likely a leak"
    # That there is no leak has to be as sure as that there is one.
    if leak.p_gap is not None and leak.p_gap > 1 - threshold("least_p_gap"):
        return "○ cannot be told yet"
    return "no leak" if leak.state == "no_leak" else formatting.state_words(leak.state)
