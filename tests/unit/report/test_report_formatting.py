"""Numbers as people read them: denominators, missing values, rounding, signs."""

from datetime import date

import pytest

from pipelines.report import formatting
from pipelines.wording import counted


@pytest.mark.parametrize(
    ("rate", "said"),
    [(0.3474, "34.7 %"), (0.0, "0.0 %"), (0.00042, "0.04 %"), (1.056, "105.6 %"), (None, "–")],
)
def test_percent(rate: float | None, said: str) -> None:
    assert formatting.percent(rate) == said.replace(" ", "\u00a0")


def test_a_rate_stands_with_its_denominator_or_not_at_all() -> None:
    assert formatting.rate_of(0.25, 500, 2000) == "25.0\u00a0% (500 of 2,000)"
    assert formatting.rate_of(None, 0, 2000) == "–"
    assert formatting.rate_of(0.25, 500, None) == "–"


@pytest.mark.parametrize(
    ("value", "currency", "said"),
    [
        (15175.02, "EUR", "€15,200"),
        (-22299.68, "USD", "−\u2060$22,300"),
        (9447.6, "CHF", "CHF 9,450"),
        (134.4, None, "134 orders"),
        (0.0, "EUR", "€0"),
        (-0.2, "EUR", "€0"),
        (None, "EUR", "–"),
    ],
)
def test_amounts_have_three_digits(value: float | None, currency: str | None, said: str) -> None:
    assert formatting.amount(value, currency) == said.replace(" ", "\u00a0")


def test_weeks_to_know_end_with_a_year() -> None:
    assert [formatting.known_in(weeks) for weeks in (0.2, 5.2, 415)] == [
        "known in about 1 week", "known in about 5 weeks", "not known within a year",
    ]  # fmt: skip


def test_points_and_bands() -> None:
    assert formatting.points(-0.2607) == "−26.1\u00a0points"
    assert formatting.band(0.5, 0.7) == "50 – 70\u00a0%"
    assert formatting.band(0.055, 0.098) == "5.5 – 9.8\u00a0%"
    assert formatting.interval(0.2831, 0.4177) == "28.3 – 41.8\u00a0%"


def test_words_for_keys_days_and_states() -> None:
    assert formatting.key_words("add_to_cart") == "Add to cart"
    assert formatting.day(date(2026, 11, 9)) == "9 Nov 2026"
    assert formatting.verdict_words("below") == "▼ below"
    assert formatting.verdict_words("not_tracked") == "not tracked"
    assert formatting.state_words("brand_new_state") == "brand new state"
    assert counted(1, "day") == "1 day"
    assert counted(1200, "day") == "1,200 days"
