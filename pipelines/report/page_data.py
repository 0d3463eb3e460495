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
class Leak:
    """What a step's gap to the floor of its benchmark is worth; `leak_order` 1 is the largest."""

    leak_order: int
    segment_name: str
    segment_value: str
    step_key: str
    step_label: str
    previous_label: str | None
    numerator: int | None
    denominator: int | None
    rate: float | None
    benchmark_low: float | None
    p05: float | None
    p50: float | None
    p95: float | None
    p50_reduced: float | None
    p_gap: float | None
    p_biggest: float | None
    allocated: float | None
    currency: str | None
    is_leak: bool
    state: str


@dataclass(frozen=True)
class Finding:
    """The part of the shop that explains why a step leaks, and its worth, as sentences."""

    headline: str
    worth: str
    state: str


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
    """A rule of the playbook that fired."""

    segment_name: str
    segment_value: str
    rule: str
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
class PropertyData:
    """Everything the page says about one property."""

    shop: Shop
    run: Run | None
    held_back: str | None
    steps: tuple[Step, ...]
    benchmarks: tuple[Benchmark, ...]
    leaks: tuple[Leak, ...]
    micros: tuple[Micro, ...]
    factors: tuple[Factor, ...]
    shifts: tuple[Shift, ...]
    alerts: tuple[Alert, ...]
    judged: Judged
    diagnoses: tuple[Diagnosis, ...]
    has_diagnosis: bool
    coverage: tuple[Coverage, ...]
    suggestions: tuple[Suggestion, ...]
    completeness: tuple[Completeness, ...]
    doubtful_days: tuple[DoubtfulDay, ...]
    gates: tuple[Gate, ...]
    warnings: tuple[GateWarning, ...]
    findings: tuple[Finding, ...]

    @property
    def whole(self) -> tuple[Step, ...]:
        """The core funnel of the whole shop."""
        return tuple(step for step in self.steps if step.segment_name == "all")
