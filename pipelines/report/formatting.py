"""Numbers and keys as people read them. Rates come as 0-1; None is a dash, never a zero."""

from __future__ import annotations

from datetime import date
from math import floor, log10

from pipelines.wording import counted, words

NOTHING = "–"
# A number stays with its unit at the end of a line, and a sign with its currency.
_HARD_SPACE = "\u00a0"
_JOINER = "\u2060"
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£"}
_SIGNIFICANT = 3
_SMALL_RATE = 0.01
_WEEKS_OF_A_YEAR = 52
STATES = {
    "tracked": "tracked",
    "not_tracked": "not tracked",
    "unknown_low_volume": "too little traffic to tell whether it is tracked",
    "tracking_lost": "tracking lost",
    "not_applicable": "does not apply here",
    "sessionless": "came without sessions",
    "previous_sessionless": "step before: came without sessions",
    "withheld": "withheld by GA4",
    "anomaly": "more than 100 %: check the tags",
    "no_denominator": "no sessions to divide by",
    "no_parent": "has no step before it",
}
_TRACKING_STATES = {"not_tracked", "unknown_low_volume", "tracking_lost", "not_applicable"}
VERDICTS = {
    "below": "below",
    "leaning_below": "leaning below",
    "within": "within",
    "likely_within": "likely within",
    "leaning_above": "leaning above",
    "above": "above",
    "insufficient_data": "too little data to tell",
}
# A sign beside each word: nothing on the page is told by its colour alone.
SIGNS = {
    "below": "▼",
    "leaning_below": "▽",
    "within": "●",
    "likely_within": "○",
    "leaning_above": "△",
    "above": "▲",
}


def key_words(key: str) -> str:
    """`add_to_cart` as `Add to cart`."""
    text = words(key)
    return text[:1].upper() + text[1:]


def state_words(state: str | None) -> str:
    """A tracking state or status as words; unknown ones keep their name."""
    return STATES.get(state or "", words(state or "not known"))


def missing_words(state: str | None, is_counted: bool) -> str:
    """Why there is no rate; where the thing itself is counted, it is the step before that lacks."""
    if is_counted and state in _TRACKING_STATES:
        return f"step before: {state_words(state)}"
    return state_words(state)


def verdict_words(status: str | None) -> str:
    """A benchmark status with its sign."""
    if status is None:
        return "no benchmark"
    words = VERDICTS.get(status) or state_words(status)
    return f"{SIGNS[status]} {words}" if status in SIGNS else words


def known_in(weeks: float) -> str:
    """When a rate can be told from its floor: known in about 5 weeks."""
    if weeks > _WEEKS_OF_A_YEAR:
        return "not known within a year"
    return f"known in about {counted(round(weeks) or 1, 'week')}"


def count(number: float | None) -> str:
    """12,345."""
    return NOTHING if number is None else f"{number:,.0f}"


def percent(rate: float | None) -> str:
    """34.7 %; below 1 % with two decimals."""
    if rate is None:
        return NOTHING
    decimals = 2 if 0 < abs(rate) < _SMALL_RATE else 1
    return f"{100 * rate:.{decimals}f}{_HARD_SPACE}%".replace("-", "−")


def whole_percent(share: float) -> str:
    """95 %."""
    return f"{100 * share:.0f}{_HARD_SPACE}%"


def bound(rate: float | None) -> str:
    """An end of a benchmark: 50 %, 5.5 %."""
    return NOTHING if rate is None else f"{100 * rate:.4g}{_HARD_SPACE}%"


def band(low: float | None, high: float | None) -> str:
    """A benchmark: 50 – 70 %."""
    if low is None or high is None:
        return NOTHING
    return f"{100 * low:.4g} – {bound(high)}"


def rate_of(rate: float | None, numerator: float | None, denominator: float | None) -> str:
    """34.7 % (305 of 878): a rate never goes without its denominator."""
    if rate is None or denominator is None:
        return NOTHING
    return f"{percent(rate)} ({count(numerator)} of {count(denominator)})"


def interval(low: float | None, high: float | None) -> str:
    """28.3 – 41.8 %."""
    if low is None or high is None:
        return NOTHING
    return f"{percent(low).removesuffix('%').strip()} – {percent(high)}"


def points(difference: float | None) -> str:
    """A difference of two rates: +1.7 points."""
    if difference is None:
        return NOTHING
    return f"{100 * difference:+.1f}{_HARD_SPACE}points".replace("-", "−")


def relative(change: float) -> str:
    """A change as a share of what was before: +12 %."""
    return f"{100 * change:+.0f}{_HARD_SPACE}%".replace("-", "−")


def amount(value: float | None, currency: str | None) -> str:
    """€15,200 to three digits, or `134 orders` where no revenue is known."""
    if value is None:
        return NOTHING
    number = f"{abs(_three_digits(value)):,.0f}"
    sign = f"−{_JOINER}" if value < 0 and number != "0" else ""
    if currency is None:
        return f"{sign}{number}{_HARD_SPACE}orders"
    symbol = _SYMBOLS.get(currency, f"{currency}{_HARD_SPACE}")
    return f"{sign}{symbol}{number}"


def signed_amount(value: float | None, currency: str | None) -> str:
    """The same of a change, with its sign."""
    text = amount(value, currency)
    return f"+{_JOINER}{text}" if value is not None and value > 0 else text


def bare_day(moment: date) -> str:
    """19 Nov."""
    return f"{moment.day} {moment:%b}"


def day(moment: date | None) -> str:
    """19 Nov 2026."""
    return NOTHING if moment is None else f"{moment.day} {moment:%b %Y}"


def _three_digits(value: float) -> float:
    if abs(value) < 1:
        return value
    return round(value, _SIGNIFICANT - 1 - floor(log10(abs(value))))
