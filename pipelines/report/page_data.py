"""Everything that the page says is made of this."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.report.doubtful_days import DoubtfulDay
from pipelines.report.rows.changes import Alert, Factor, Judged, Shift
from pipelines.report.rows.findings import (
    Diagnosis,
    Finding,
    FindingDay,
    FindingDetail,
    Recording,
)
from pipelines.report.rows.friction import Sign, Snapshots
from pipelines.report.rows.funnel import End, Step, StepWeek
from pipelines.report.rows.heatmaps import Click, Refused, Scroll
from pipelines.report.rows.items import Carts, Page, Product
from pipelines.report.rows.left_out import LeftOut
from pipelines.report.rows.micro import Micro
from pipelines.report.rows.properties import Shop
from pipelines.report.rows.quality import (
    Completeness,
    Gate,
    GateWarning,
    Growing,
    OtherSetting,
)
from pipelines.report.rows.register import Change, Experiment, Planned
from pipelines.report.rows.sales import Sales, SalesWeek
from pipelines.report.rows.shopify import FailedFetch, Ratio, ShopSales, ShopStep
from pipelines.report.rows.sources import Compared, Figure
from pipelines.report.rows.tracking import Coverage, Silence, Suggestion


@dataclass(frozen=True)
class Window:
    """Everything the page says of the last `days` days."""

    days: int
    steps: tuple[Step, ...]
    compared: tuple[Compared, ...]
    shop_figures: tuple[Figure, ...]
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
    held_back: str | None
    month: Window
    week: Window
    findings: tuple[Finding, ...]
    finding_days: tuple[FindingDay, ...]
    finding_details: tuple[FindingDetail, ...]
    recordings: tuple[Recording, ...]
    has_findings: bool
    friction: tuple[Sign, ...]
    friction_of_findings: tuple[Sign, ...]
    snapshots: Snapshots | None
    clicks: tuple[Click, ...]
    scrolls: tuple[Scroll, ...]
    refused_heatmaps: tuple[Refused, ...]
    sales_weeks: tuple[SalesWeek, ...]
    step_weeks: tuple[StepWeek, ...]
    factors: tuple[Factor, ...]
    shifts: tuple[Shift, ...]
    changes: tuple[Change, ...]
    experiments: tuple[Experiment, ...]
    planned: tuple[Planned, ...]
    alerts: tuple[Alert, ...]
    judged: Judged
    diagnoses: tuple[Diagnosis, ...]
    coverage: tuple[Coverage, ...]
    silences: tuple[Silence, ...]
    suggestions: tuple[Suggestion, ...]
    completeness: tuple[Completeness, ...]
    growing: Growing
    doubtful_days: tuple[DoubtfulDay, ...]
    gates: tuple[Gate, ...]
    warnings: tuple[GateWarning, ...]
    settings: tuple[OtherSetting, ...] = ()
    shop_steps: tuple[ShopStep, ...] = ()
    shop_sales: ShopSales | None = None
    ratios: tuple[Ratio, ...] = ()
    failed_fetches: tuple[FailedFetch, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def left_out_words(self, source: str) -> tuple[str, ...]:
        """That the numbers of a second source grow old; nothing of one that is asked."""
        if LeftOut(source) not in self.left_out:
            return ()
        return (f"No night asks for more: '{source}' in sluice.yml does not name the property.",)

    @property
    def leaking(self) -> tuple[Finding, ...]:
        """The findings that go on, most money first."""
        return tuple(one for one in self.findings if one.state != "healed")
