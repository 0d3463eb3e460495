"""What changed since the 28 days before, and days that stand out."""

from __future__ import annotations

from datetime import timedelta

from pipelines.config.thresholds import threshold
from pipelines.report import formatting
from pipelines.report.charts import bars
from pipelines.report.components import Bars, Card, Section, Table, columns, filled
from pipelines.report.page_data import PropertyData
from pipelines.report.rows.changes import Factor, Judged, Shift
from pipelines.report.rows.tracking import SESSIONLESS
from pipelines.wording import counted

_NOTE = (
    "The parts add up to the whole change. They say where the numbers moved, not what moved them.",
    "Rate: visitors of the same devices went on more or less often. Mix: the share of the devices "
    "changed.",
)
_ALERT_MARKS = {
    "tracking_lost": "✕ tracking lost",
    "data_quality": "! data not whole",
    "source_moved": "≠ sources differ",
    "behaviour": "↕ unusual",
}
_UNTESTED = "under 100 sessions in seven days, or fewer than six weeks to compare with"


def change_section(shop: PropertyData) -> Section:
    """The change of revenue (orders, where none is known) by factor."""
    known = [factor for factor in shop.factors if factor.contribution is not None]
    if not known:
        why = (
            "What the change consists of is not known: orders came without sessions."
            if any(row.state == SESSIONLESS for row in shop.coverage if row.key == "purchase")
            else "There are no 28 days before to compare with yet."
        )
        return Section("What changed", (why,))
    currency = known[0].currency
    total = sum(factor.contribution or 0 for factor in known)
    largest = max(known, key=lambda factor: abs(factor.contribution or 0))
    what = "Revenue" if currency else "Orders"
    summary = (
        f"{what} moved by {formatting.signed_amount(total, currency)} since the 28 days before; "
        f"the largest part, {formatting.signed_amount(largest.contribution, currency)}, is "
        f"{_factor_name(largest)}."
    )
    return Section(
        title="What changed",
        summary=(summary, *_warnings(shop.shifts), *_incomplete(known, shop.shifts)),
        bars=(_bars(known, what),),
        tables=filled(_shift_table(shop.shifts)),
        notes=_NOTE,
    )


def alert_section(shop: PropertyData) -> Section:
    """Days that are unlike their own weekdays; what was not compared is not called quiet."""
    looked = _looked_at(shop.judged)
    if not shop.alerts:
        quiet = " No day stands out." if shop.judged.tests else ""
        return Section("Alerts", (f"{looked}{quiet}",))
    cards = tuple(
        Card(
            kind=alert.alert_class,
            mark=_ALERT_MARKS.get(alert.alert_class, alert.alert_class),
            title=alert.message,
            lines=(
                (
                    "That day" if alert.window_days == 1 else f"These {alert.window_days} days",
                    formatting.rate_of(alert.observed, alert.numerator, alert.denominator),
                ),
                ("Usually", formatting.percent(alert.expected)),
            ),
        )
        for alert in shop.alerts
    )
    count = f"{counted(len(cards), 'alert')}, newest first; what goes on is told once."
    note = (
        "Days are named where they are at least 15 % off with 100 sessions or more, and at most "
        "one in twenty of such alerts would be chance."
    )
    return Section("Alerts", (looked, count), cards=cards, notes=(note,))


def _looked_at(judged: Judged) -> str:
    """How much was compared, or what is missing for it."""
    if judged.tests:
        rest = "" if judged.tested == judged.rates else f" The others have {_UNTESTED}."
        days = f"{formatting.day(judged.first_date)} to {formatting.day(judged.last_date)}"
        return (
            f"{judged.tested:,} of {counted(judged.rates, 'rate')} were compared with their own "
            f"weekdays: one, three and seven days up to each of {days} "
            f"({counted(judged.tests, 'comparison')}).{rest}"
        )
    if judged.last_date is None or judged.weeks is None:
        return "No day can be compared yet: all of them may still grow."
    if judged.weeks >= threshold("anomaly_least_weeks"):
        return f"No day could be compared: all rates have {_UNTESTED}."
    first = judged.last_date - timedelta(days=threshold("anomaly_history_days"))
    last = judged.last_date - timedelta(weeks=judged.weeks, days=1)
    return (
        f"Days can be compared once there are six weeks before them: this shop has {judged.weeks}. "
        "Where GA4 has the days, a backfill gives them at once: "
        f"sluice backfill --start {first} --end {last}."
    )


def _factor_name(factor: Factor) -> str:
    if factor.key == "sessions":
        return "the number of sessions"
    if factor.key == "order_value":
        return "the order value"
    return f"the rate of “{factor.label}”"


def _factor_label(factor: Factor) -> str:
    return formatting.key_words(factor.label)


def _warnings(shifts: tuple[Shift, ...]) -> tuple[str, ...]:
    simpson = [
        f"Every device moved one way at “{shift.label}” and the shop the other: read the devices, "
        "not the total."
        for shift in shifts
        if shift.is_simpson
    ]
    mixed = [
        f"At “{shift.label}” more of the change is the mix of devices than their rates."
        for shift in shifts
        if shift.is_mix_driven and not shift.is_simpson
    ]
    return tuple(simpson + mixed)


def _incomplete(known: list[Factor], shifts: tuple[Shift, ...]) -> tuple[str, ...]:
    """A change is as whole as the worse of its two windows."""
    if all(one.is_complete for one in known) and all(one.is_complete for one in shifts):
        return ()
    return ("Some of these numbers rest on incomplete data: see Data quality.",)


def _bars(known: list[Factor], what: str) -> Bars:
    """The part of each factor, from the 28 days before to now."""
    marks = bars(
        [
            (
                _factor_label(factor),
                f"{formatting.signed_amount(factor.contribution, factor.currency)} "
                f"({_value(factor, factor.prior_value)} → {_value(factor, factor.value_now)})",
                factor.contribution,
            )
            for factor in known
        ]
    )
    return Bars(f"{what}: what the change consists of", marks)


def _value(factor: Factor, value: float | None) -> str:
    if factor.key == "sessions":
        return formatting.count(value)
    if factor.key == "order_value":
        return formatting.amount(value, factor.currency)
    return formatting.percent(value)


def _shift_table(shifts: tuple[Shift, ...]) -> Table:
    return Table(
        "Change of each step's rate over the devices",
        columns("Step", "#Rate", "#Mix"),
        tuple(
            (shift.label, formatting.points(shift.rate_effect), formatting.points(shift.mix_effect))
            for shift in shifts
        ),
    )
