"""What stands beside a rate, and whose it is: ranges, published figures, the shop's best weeks."""

from __future__ import annotations

from dataclasses import dataclass

COMPARED = """
    select numerator_key, denominator_key, numerator, denominator, rate, ci_low, ci_high,
        benchmark_low, benchmark_high, status as verdict, sample, source_text, link,
        source_kind = 'own_history' as is_own_weeks
    from marts.fct_benchmark_comparison
    where property_id = $property and window_name = $window and segment_name = 'all'
    order by numerator_key, benchmark_key
"""
FIGURES = """
    select numerator_key, denominator_key, statistic_text, value, definition, scope,
        concat_ws(
            ', ', publisher, if(sample = 'not stated', 'no sample stated', sample)
        ) as shops,
        concat_ws(', ', shops, period, nullif(read_from, 'primary')) as source_text, link
    from marts.fct_benchmark_figure
    where property_id = $property and window_name = $window and segment_name = 'all'
    order by denominator_key <> 'sessions', numerator_key, value, statistic
"""


@dataclass(frozen=True)
class Compared:
    """What a rate of the whole shop is compared with; `is_own_weeks`: no benchmark."""

    numerator_key: str
    denominator_key: str
    numerator: int | None
    denominator: int | None
    rate: float | None
    ci_low: float | None
    ci_high: float | None
    benchmark_low: float | None
    benchmark_high: float | None
    verdict: str
    sample: str
    source_text: str
    link: str | None
    is_own_weeks: bool


@dataclass(frozen=True)
class Figure:
    """A published figure, and the shops that it is of."""

    numerator_key: str
    denominator_key: str
    statistic_text: str
    value: float
    definition: str
    scope: str
    shops: str
    source_text: str
    link: str | None
