"""The staging models as data: the raw reports under each, its keys, and what must survive.

A new staging model is a new entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from data_checks.catalog import Catalog


@dataclass(frozen=True)
class StagedModel:
    """A staging model, the raw reports under it, and the measures that must survive.

    `report`: the raw report, or the family of reports with one table per segment; `reports`: the
    values of the column `report`, where the model has several by name.
    `measures`: column of the model → column of the raw tables it must add up to.
    """

    table_name: str
    report: str
    keys: tuple[str, ...]
    measures: Mapping[str, str]
    is_segmented: bool = True
    may_be_empty: bool = False
    reports: tuple[str, ...] = ()

    @property
    def part(self) -> str:
        """SQL of what tells the rows of its raw tables apart."""
        return "report" if self.reports else "segment_name" if self.is_segmented else "'all'"

    def sources(self, catalog: Catalog) -> tuple[tuple[str, str], ...]:
        """(`part`, raw table) of every table that exists."""
        found: tuple[tuple[str, str], ...]
        if self.reports:
            found = tuple((report, f"raw.ga4_{report}") for report in self.reports)
        elif not self.is_segmented:
            found = (("all", f"raw.ga4_{self.report}"),)
        else:
            prefix = f"{self.report}_by_"
            names = (r.removeprefix(prefix) for r in catalog.reports() if r.startswith(prefix))
            found = tuple((n, f"raw.ga4_{prefix}{n}") for n in names if n in catalog.segments)
        return tuple((part, table) for part, table in found if catalog.has(table))


SEGMENT_KEYS = ("segment_name", "segment_value")
FUNNEL_KEYS = (
    "window_name", "window_start", "funnel", "device_category", "step_number", "step_key",
)  # fmt: skip
MODELS = (
    StagedModel(
        "staging.stg_ga4__sessions",
        "sessions",
        SEGMENT_KEYS,
        {
            "sessions": "sessions",
            "transactions": "transactions",
            "purchase_revenue": "purchase_revenue",
        },
    ),
    StagedModel(
        "staging.stg_ga4__events",
        "events",
        (*SEGMENT_KEYS, "event_name"),
        {"events": "event_count", "sessions": "sessions"},
    ),
    StagedModel(
        "staging.stg_ga4__micro_conversions",
        "micro",
        (*SEGMENT_KEYS, "key"),
        {"events": "event_count", "sessions": "sessions"},
        may_be_empty=True,
    ),
    StagedModel(
        "staging.stg_ga4__cells",
        "cells",
        ("cube", "device", "channel", "visitor", "country", "key"),
        {"events": "event_count", "sessions": "sessions"},
        is_segmented=False,
        may_be_empty=True,
        reports=("cells", "cells_country"),
    ),
    StagedModel(
        "staging.stg_ga4__items",
        "items",
        ("item_id", "item_name"),
        {
            "items_viewed": "items_viewed",
            "items_purchased": "items_purchased",
            "item_revenue": "item_revenue",
        },
        is_segmented=False,
        may_be_empty=True,
    ),
    *(
        StagedModel(
            f"staging.stg_ga4__{report}",
            report,
            keys,
            measures,
            is_segmented=False,
            may_be_empty=True,
        )
        for report, keys, measures in (
            ("pages", ("page_path",), {"screen_page_views": "screen_page_views"}),
            (
                "page_events",
                ("event_name", "page_path"),
                {"events": "event_count", "sessions": "sessions"},
            ),
            (
                "page_micro",
                ("key", "page_path"),
                {"events": "event_count", "sessions": "sessions"},
            ),
            (
                "item_lists",
                ("item_list_name",),
                {name: name for name in ("items_viewed_in_list", "items_clicked_in_list")},
            ),
            (
                "event_params",
                ("parameter", "event_name", "parameter_value"),
                {"events": "event_count"},
            ),
            # Users add up to nothing; here both sides do so alike.
            ("funnel", FUNNEL_KEYS, {"active_users": "active_users"}),
            (
                "funnel_next_action",
                (*FUNNEL_KEYS, "next_action"),
                {"active_users": "active_users"},
            ),
        )
    ),
)
