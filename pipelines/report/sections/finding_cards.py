"""The findings as cards: one cause is one card, and its words are those of fct_finding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import groupby
from statistics import median

from pipelines.config.thresholds import threshold
from pipelines.report import formatting
from pipelines.report.charts import Stretch, Trend, trend_of
from pipelines.report.components import Cause, FindingCard, Link
from pipelines.report.page_data import PropertyData
from pipelines.report.rows.findings import FINDINGS_SHOWN, Finding, FindingDay
from pipelines.report.sections.benchmark_section import beside
from pipelines.report.sections.friction_section import friction_there
from pipelines.report.sections.register_section import changed_before, healed_after, suspects, told

_STATES = {"ongoing": "goes on"}
WEEK = 7
_KINDS = {
    "product": "Products that do clearly worse",
    "landing_page": "Landing pages that do clearly worse",
}
_NO_CAUSE = "No known cause fits these numbers"
_NO_FIX = "Watch where these visits stop"


def finding_cards(shop: PropertyData) -> tuple[FindingCard, ...]:
    """Most money first, at most five."""
    return tuple(_card(shop, finding) for finding in shop.leaking[:FINDINGS_SHOWN])


def to_do(shop: PropertyData, finding: Finding, fixes: Sequence[str]) -> str:
    """What to do first: where it began on a day, to see what came with it."""
    steps = [fixes[0] if fixes else _NO_FIX]
    if finding.since_date:
        known = ", ".join(f"“{one.description}”" for one in suspects(shop, finding))
        steps.insert(
            0, f"See what changed {_began(finding)} ({known or 'a release, a campaign, a tag'})"
        )
    return ". Then: ".join(steps)


def _card(shop: PropertyData, finding: Finding) -> FindingCard:
    days = [day for day in shop.finding_days if day.finding_id == finding.finding_id]
    causes = tuple(
        Cause(one.likely_cause, one.evidence, one.fix, one.confirm_with)
        for one in shop.diagnoses
        if one.finding_id == finding.finding_id
    )
    trend = _trend(finding, days)
    return FindingCard(
        tag=_STATES.get(finding.state, finding.state),
        title=finding.title,
        trend=trend,
        legend=_legend(finding, trend, _length(days)),
        rates=_rates(finding),
        worth=finding.worth_sentence,
        lines=(
            *_since(finding),
            *_changed(shop, finding),
            *_share(finding),
            *_doing(shop, finding, causes),
            *_details(shop, finding),
            *_usual(shop, finding),
            *friction_there(shop, finding),
            *_recordings(shop, finding),
        ),
        causes=causes,
    )


def _trend(finding: Finding, days: Sequence[FindingDay]) -> Trend | None:
    """Of the scope and of the rest of the shop; None where no day is known."""
    if not days:
        return None
    anchor = finding.since_date or days[-1].date + timedelta(1)
    length = _length(days)
    return trend_of(
        _stretches(days, anchor, length, lambda day: (day.numerator, day.denominator)),
        finding.headline,
        outside=_stretches(
            days, anchor, length, lambda day: (day.outside_numerator, day.outside_denominator)
        ),
        band=(finding.benchmark_low, finding.benchmark_high),
        mark=finding.since_date,
    )


def _length(days: Sequence[FindingDay]) -> int:
    """Days that a rate is drawn of together: one where a day of either line is enough to judge."""
    lines = [
        [day.denominator for day in days if day.denominator is not None],
        [day.outside_denominator for day in days if day.outside_denominator is not None],
    ]
    is_thin = any(line and median(line) < threshold("least_trials") for line in lines)
    return WEEK if is_thin else 1


def _stretches(
    days: Sequence[FindingDay],
    anchor: date,
    length: int,
    counts: Callable[[FindingDay], tuple[int | None, int | None]],
) -> list[Stretch]:
    """`length` days at a time, so that one begins at `anchor`."""
    found = []
    for _, group in groupby(days, key=lambda day: (day.date - anchor).days // length):
        members = list(group)
        told = [(x, n) for x, n in map(counts, members) if x is not None and n is not None]
        trials = sum(n for _, n in told)
        rate = sum(x for x, _ in told) / trials if trials else None
        found.append(Stretch(members[0].date, members[-1].date, rate))
    return found


def _legend(finding: Finding, trend: Trend | None, length: int) -> tuple[tuple[str, str], ...]:
    """Kind of mark and what it is."""
    outside = [("outside", "elsewhere")] if finding.outside_rate is not None else []
    is_marked = trend is not None and trend.mark is not None and finding.since_date is not None
    return (
        ("inside", f"{finding.scope_label}, by {'day' if length == 1 else 'week'}"),
        *outside,
        *([("since", formatting.bare_day(finding.since_date))] if is_marked else []),
        ("band", f"usual: {formatting.band(finding.benchmark_low, finding.benchmark_high)}"),
    )


def _rates(finding: Finding) -> tuple[tuple[str, str, str], ...]:
    stretches = [
        ("before", finding.before_rate, finding.before_numerator, finding.before_denominator),
        (
            f"since {formatting.bare_day(finding.since_date)}" if finding.since_date else "since",
            finding.since_rate, finding.since_numerator, finding.since_denominator,
        ),
        ("now (last 7 days)", finding.now_rate, finding.now_numerator, finding.now_denominator),
        (
            "elsewhere", finding.outside_rate, finding.outside_numerator,
            finding.outside_denominator,
        ),
    ]  # fmt: skip
    if finding.since_date is None:
        stretches[1] = ("in 28 days", finding.rate, finding.numerator, finding.denominator)
    return tuple(
        (name, formatting.percent(rate), f"{formatting.count(x)} of {formatting.count(n)}")
        for name, rate, x, n in stretches
        if rate is not None
    )


def _since(finding: Finding) -> list[tuple[str, str]]:
    """The set of dates, and what was lost since where the 28 days do not hold all of it."""
    found = []
    if finding.since_date:
        found.append(("It began", f"{_began(finding)} (95 % sure)"))
        if finding.since_date < finding.window_start and finding.worth_since is not None:
            lost = formatting.amount(finding.worth_since, finding.currency)
            found.append(("Lost since then", f"about {lost}"))
    return found


def _changed(shop: PropertyData, finding: Finding) -> list[tuple[str, str]]:
    """What the register has of the days on which the rate fell, and rose again."""
    before = "; ".join(map(told, changed_before(shop, finding)))
    after = healed_after(shop, finding)
    return [
        *([("Changed at that time", before)] if before else []),
        *([("Since it rose", after)] if after else []),
    ]


def _began(finding: Finding) -> str:
    """The day, or the two that it lies between."""
    first, last = finding.since_earliest, finding.since_latest
    if first == last:
        return f"on {formatting.day(finding.since_date)}"
    return f"between {formatting.day(first)} and {formatting.day(last)}"


def _share(finding: Finding) -> list[tuple[str, str]]:
    """How much of what the step lacks is lost here, or what the rest of the shop has beyond it."""
    if finding.surplus_sentence:
        return [("Against the rest of the shop", finding.surplus_sentence)]
    if finding.explained_share is None or not finding.conditions:
        return []
    share = formatting.whole_percent(finding.explained_share)
    return [("How much of it", f"{share} of what this step lacks is lost here")]


def _doing(shop: PropertyData, finding: Finding, causes: Sequence[Cause]) -> list[tuple[str, str]]:
    return [
        ("Likely cause", causes[0].likely_cause if causes else _NO_CAUSE),
        ("What to do", to_do(shop, finding, [cause.fix for cause in causes])),
        *[("To be sure", one.confirm_with) for one in causes[:1] if one.confirm_with],
    ]


def _details(shop: PropertyData, finding: Finding) -> list[tuple[str, str]]:
    """Products and landing pages to look at first; they are known of the whole shop."""
    found = []
    for kind, name in _KINDS.items():
        texts = [
            f"{one.detail_name}: "
            f"{formatting.rate_of(one.rate, one.numerator, one.denominator)}, others "
            f"{formatting.percent(one.outside_rate)}"
            for one in shop.finding_details
            if (one.finding_id, one.kind) == (finding.finding_id, kind)
        ]
        if texts:
            found.append((name, "; ".join(texts)))
    return found


def _usual(shop: PropertyData, finding: Finding) -> list[tuple[str, Link]]:
    """Whose range it is that the step is below, and what other shops have."""
    links = {row.source_text: row.link for row in shop.month.compared}
    for step in shop.month.whole:
        if step.step_key == finding.step_key and step.source:
            found = beside(shop.month, step)
            return [
                ("Usual according to", Link(step.source, links.get(step.source))),
                *([("For comparison", found)] if found else []),
            ]
    return []


def _recordings(shop: PropertyData, finding: Finding) -> list[tuple[str, Link]]:
    """What to filter session recordings by, for each tool."""
    told = [one for one in shop.recordings if one.finding_id == finding.finding_id]
    return [("Recordings to watch", Link(one.recipe, one.link)) for one in told]
