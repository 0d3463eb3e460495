"""What to test next: how long each metric takes to show a lift."""

from __future__ import annotations

from pipelines.report import formatting
from pipelines.report.charts import bars
from pipelines.report.components import Bars, Section
from pipelines.report.page_data import PropertyData
from pipelines.report.rows.register import Planned
from pipelines.wording import counted

_ROLES = {"primary": "primary metric", "guardrail": "guardrail"}
_NOTES = (
    "Weeks are for two variants with half of the sessions each, alpha 5 % and power 80 %, two at "
    "least, and if the whole lift carries on to purchases: 'sluice experiment plan' has others.",
)


def plan_section(shop: PropertyData) -> Section | None:
    """The metrics of the whole shop that could decide a test; None where none is planned."""
    if not shop.planned:
        return None
    lift = formatting.whole_percent(shop.planned[0].lift)
    marks = bars([(_label(one), _text(one), one.weeks) for one in shop.planned if one.weeks])
    title = f"Weeks until a lift of {lift} shows, by the metric that decides"
    return Section(
        "What to test next",
        (_recommended(shop.planned, lift),),
        bars=(Bars(title, marks),) if marks else (),
        notes=(*_unable(shop.planned, lift), *_NOTES),
    )


def _recommended(planned: tuple[Planned, ...], lift: str) -> str:
    """Which metric the next test is best decided by, and which is watched meanwhile."""
    roles = {
        one.recommended: f"{formatting.key_words(one.key).lower()} as {_ROLES[one.recommended]} "
        f"({_takes(one)})"
        for one in planned
        if one.recommended
    }
    if "primary" not in roles:
        return f"No metric can show a lift of {lift}: a test would have to try something larger."
    said = " and ".join(roles[name] for name in _ROLES if name in roles)
    return f"The next test, of a lift of {lift}, is best decided with {said}."


def _label(one: Planned) -> str:
    role = f" ({_ROLES[one.recommended]})" if one.recommended else ""
    return f"{formatting.key_words(one.key)}{role}"


def _text(one: Planned) -> str:
    rate = formatting.rate_of(one.rate, one.numerator, one.denominator)
    of = (
        ""
        if one.parent_key == "sessions"
        else f" with {formatting.key_words(one.parent_key).lower()}"
    )
    seen = (
        "no lift shows in four weeks"
        if one.detectable_lift is None
        else f"four weeks show a lift of {formatting.percent(one.detectable_lift)}"
    )
    return f"{_takes(one)}; {seen}; now {rate}{of}"


def _takes(one: Planned) -> str:
    return "its rate cannot rise so far" if one.weeks is None else counted(one.weeks, "week")


def _unable(planned: tuple[Planned, ...], lift: str) -> list[str]:
    """What nothing can be decided with."""
    names = [
        f"{formatting.key_words(one.key).lower()} "
        f"{formatting.rate_of(one.rate, one.numerator, one.denominator)}"
        for one in planned
        if not one.weeks
    ]
    return [f"Too high to rise by {lift}: {', '.join(names)}."] if names else []
