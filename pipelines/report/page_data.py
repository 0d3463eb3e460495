"""What the page reads from a published version: one frozen class a query, one field a column.

Rates and shares are 0-1, probabilities too; money is in `currency`, or orders where that is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from pipelines.report.doubtful_days import DoubtfulDay


@dataclass(frozen=True)
class Shop:
    """A property, and the window that the page is about."""

    property_id: str
    property_name: str | None
    store_name: str | None
    time_zone: str | None
    currency: str | None
    first_date: date | None
    last_date: date | None
    days_loaded: int

    @property
    def label(self) -> str:
        """Its name; the number where it has none."""
        return self.property_name or self.store_name or f"Property {self.property_id}"


@dataclass(frozen=True)
class Step:
    """A step of the core funnel, of the whole shop or of one device."""

    segment_name: str
    segment_value: str
    step_key: str
    step_label: str
    previous_label: str | None
    reached: int | None
    previous_reached: int | None
    rate: float | None
    ci_low: float | None
    ci_high: float | None
    state: str
    benchmark_low: float | None
    benchmark_high: float | None
    verdict: str | None
    weeks_to_know: float | None
    directional_evidence: str | None
    source: str | None
    prior_rate: float | None
    change: float | None
    change_low: float | None
    change_high: float | None
    window_start: date
    window_end: date
    window_days: int
    days_loaded: int
    is_complete: bool
    maturity: str


@dataclass(frozen=True)
class Benchmark:
    """A benchmark that is no step of the core funnel."""

    benchmark_key: str
    numerator: int | None
    denominator: int | None
    rate: float | None
    ci_low: float | None
    ci_high: float | None
    benchmark_low: float | None
    benchmark_high: float | None
    verdict: str
    source: str | None


@dataclass(frozen=True)
class Sales:
    """Figures of the window's `days` and of the one before; None where a day is not known."""

    days: int
    currency: str | None
    revenue: float | None
    orders: int | None
    conversion: float | None
    order_value: float | None
    prior_revenue: float | None
    prior_orders: int | None
    prior_conversion: float | None
    prior_order_value: float | None


@dataclass(frozen=True)
class SalesWeek:
    """Seven days; None where one of them is not known."""

    start: date
    end: date
    revenue: float | None
    orders: int | None
    conversion: float | None
    order_value: float | None


@dataclass(frozen=True)
class StepWeek:
    """A step's rate in a calendar week that is whole."""

    step_key: str
    start: date
    end: date
    rate: float | None


@dataclass(frozen=True)
class End:
    """Sessions that came to a step and not to the next; over all steps they add up to all."""

    step_label: str
    next_label: str | None
    ended_sessions: int | None
    ended_share: float | None
    status: str


@dataclass(frozen=True)
class Carts:
    """Carts that ended without an order, and what reminders may win back of them."""

    carts: int | None
    lost_carts: int | None
    cart_abandonment_rate: float | None
    cart_status: str
    recovery_rate: float
    recoverable_value: float | None
    currency: str | None


@dataclass(frozen=True)
class Product:
    """A product that goes on surely less often than the shop's other ones, in units."""

    item_name: str
    step_label: str
    units: int | None
    previous_units: int | None
    step_rate: float
    shop_rate: float


@dataclass(frozen=True)
class Page:
    """A page, and the sessions that ended on it at once."""

    page_path: str
    sessions: int | None
    bounced_sessions: int
    bounce_rate: float | None


@dataclass(frozen=True)
class Finding:
    """The part of the shop that explains why a step leaks: what there is to put right.

    `earlier_state` is that of the last night before; None where that had no such finding.
    """

    finding_id: str
    state: str
    earlier_state: str | None
    step_key: str
    step_label: str
    previous_label: str
    scope_label: str
    conditions: str | None
    title: str
    headline: str
    worth_sentence: str
    window_start: date
    benchmark_low: float
    benchmark_high: float
    since_date: date | None
    since_earliest: date | None
    since_latest: date | None
    numerator: int | None
    denominator: int | None
    rate: float | None
    before_numerator: int | None
    before_denominator: int | None
    before_rate: float | None
    since_numerator: int | None
    since_denominator: int | None
    since_rate: float | None
    now_numerator: int | None
    now_denominator: int | None
    now_rate: float | None
    outside_numerator: int | None
    outside_denominator: int | None
    outside_rate: float | None
    worth_since: float | None
    currency: str | None
    explained_share: float | None


@dataclass(frozen=True)
class FindingDay:
    """Counts of the step on one day, in the scope of a finding and elsewhere."""

    finding_id: str
    date: date
    numerator: int | None
    denominator: int | None
    outside_numerator: int | None
    outside_denominator: int | None


@dataclass(frozen=True)
class Micro:
    """A micro-conversion of the whole shop."""

    key: str
    stage_label: str
    description: str | None
    sessions: int | None
    parent_key: str | None
    parent_sessions: int | None
    rate: float | None
    ci_low: float | None
    ci_high: float | None
    state: str
    prior_rate: float | None
    change: float | None
    change_low: float | None
    change_high: float | None


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
    key: str
    parent_key: str
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


@dataclass(frozen=True)
class Diagnosis:
    """A likely cause, of a finding or (None) of a step that has none."""

    finding_id: str | None
    segment_value: str
    likely_cause: str
    fix: str
    confirm_with: str | None
    evidence: str
    recoverable_value: float | None
    currency: str | None


@dataclass(frozen=True)
class Coverage:
    """Whether a micro-conversion is tracked, and what to do if not."""

    key: str
    stage_label: str
    is_expected: bool
    state: str
    sessions: int | None
    last_seen_date: date | None
    fix: str | None


@dataclass(frozen=True)
class Suggestion:
    """An event that looks like a renamed one."""

    words: str
    plan_lines: str


@dataclass(frozen=True)
class Completeness:
    """A report over the newest 28 days."""

    report: str
    days: int
    complete_days: int
    provisional_from: date | None
    settled_from: date | None
    sampled: int
    thresholded: int
    other: int
    restricted: int
    truncated: int
    restatements: int


@dataclass(frozen=True)
class Growing:
    """Days whose numbers GA4 still adds to, and by which share such days usually grow, 0-1."""

    days: int
    usual_growth: float | None


@dataclass(frozen=True)
class Gate:
    """A gate of the last run."""

    gate: str
    expectations: int
    failed: int


@dataclass(frozen=True)
class GateWarning:
    """A check of the last run that failed: `days`, up to five of them, as text."""

    gate: str
    table_name: str
    expectation: str
    days: str
    observed: str


@dataclass(frozen=True)
class Run:
    """The run that made the version."""

    run_id: str
    code_version: str | None
    started_at: datetime | None


@dataclass(frozen=True)
class Window:
    """Everything the page says of the last `days` days."""

    days: int
    steps: tuple[Step, ...]
    benchmarks: tuple[Benchmark, ...]
    micros: tuple[Micro, ...]
    sales: Sales | None
    ends: tuple[End, ...]
    carts: Carts | None
    products: tuple[Product, ...]
    pages: tuple[Page, ...]

    @property
    def whole(self) -> tuple[Step, ...]:
        """The core funnel of the whole shop."""
        return tuple(step for step in self.steps if step.segment_name == "all")


@dataclass(frozen=True)
class PropertyData:
    """Everything the page says about one property."""

    shop: Shop
    run: Run | None
    held_back: str | None
    month: Window
    week: Window
    findings: tuple[Finding, ...]
    finding_days: tuple[FindingDay, ...]
    has_findings: bool
    sales_weeks: tuple[SalesWeek, ...]
    step_weeks: tuple[StepWeek, ...]
    factors: tuple[Factor, ...]
    shifts: tuple[Shift, ...]
    alerts: tuple[Alert, ...]
    judged: Judged
    diagnoses: tuple[Diagnosis, ...]
    coverage: tuple[Coverage, ...]
    suggestions: tuple[Suggestion, ...]
    completeness: tuple[Completeness, ...]
    growing: Growing
    doubtful_days: tuple[DoubtfulDay, ...]
    gates: tuple[Gate, ...]
    warnings: tuple[GateWarning, ...]

    @property
    def leaking(self) -> tuple[Finding, ...]:
        """The findings that go on, most money first."""
        return tuple(one for one in self.findings if one.state != "healed")
