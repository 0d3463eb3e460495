"""What changed since the window before, and days that stand out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipelines.report.rows.funnel import LABELS

ALERTS_SHOWN = 20
FACTORS = f"""
    with {LABELS}
    select factor_key as key, coalesce(labels.label, factor_key) as label, prior_value, value_now,
        contribution, case when unit = 'money' then currency end as currency, is_complete
    from marts.fct_funnel_change as change left join labels on change.factor_key = labels.key
    where property_id = $property and window_name = '28d' and effect = 'stage'
        and segment_name = 'all'
    order by factor_number
"""
SHIFTS = f"""
    with {LABELS}
    select any_value(coalesce(labels.label, factor_key)) as label,
        sum(contribution) filter (effect = 'rate') as rate_effect,
        sum(contribution) filter (effect = 'mix') as mix_effect,
        coalesce(bool_or(is_simpson), false) as is_simpson,
        coalesce(bool_or(is_mix_driven), false) as is_mix_driven,
        bool_and(is_complete) as is_complete
    from marts.fct_funnel_change as change left join labels on change.factor_key = labels.key
    where property_id = $property and window_name = '28d' and segment_name = 'device'
        and effect in ('rate', 'mix')
    group by factor_number, factor_key order by factor_number
"""
ALERTS = f"""
    select date, window_days, alert_class, message, numerator, denominator,
        observed, expected
    from marts.fct_anomaly where property_id = $property and is_news
    order by date desc, alert_order, q_value, message limit {ALERTS_SHOWN}
"""
JUDGED = """
    with mine as (
        select *, max(date) over () as newest_date, (segment_name, segment_value, key) as rate
        from marts.fct_anomaly where property_id = $property
    )
    select count(distinct rate) as rates, count(q_value) as tests,
        count(distinct rate) filter (q_value is not null) as tested,
        max(weeks) filter (date = newest_date) as weeks,
        min(date) filter (q_value is not null) as first_date, max(newest_date) as last_date
    from mine
"""


@dataclass(frozen=True)
class Factor:
    """A factor of the change of revenue, or of orders where no revenue is known."""

    key: str
    label: str
    prior_value: float | None
    value_now: float | None
    contribution: float | None
    currency: str | None
    is_complete: bool


@dataclass(frozen=True)
class Shift:
    """The change of a step's rate over the devices: rate and mix."""

    label: str
    rate_effect: float | None
    mix_effect: float | None
    is_simpson: bool
    is_mix_driven: bool
    is_complete: bool


@dataclass(frozen=True)
class Alert:
    """Days unlike their own weekdays, a lost tag or data that is not whole."""

    date: date
    window_days: int
    alert_class: str
    message: str
    numerator: int | None
    denominator: int | None
    observed: float | None
    expected: float | None


@dataclass(frozen=True)
class Judged:
    """What was looked at for alerts: `tests` of `tested` of all `rates`, since `first_date`.

    `weeks`: same weekdays before the newest day, of the rate that has most.
    """

    rates: int
    tests: int
    tested: int
    weeks: int | None
    first_date: date | None
    last_date: date | None
