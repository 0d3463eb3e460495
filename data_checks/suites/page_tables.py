"""The mart tables of pages and lists that hold rates, as data for `rate_tables.rate_slice`.

Their windows are summed from optional reports: a shop may have none of their rows.
"""

from __future__ import annotations

from dataclasses import replace

from data_checks.model import Slice
from data_checks.suites.rate_tables import TOUCHED, WINDOW, RateTable, rate_slice

PAGES = "marts.fct_page_engagement"
PAGE_KEYS = "marts.fct_page_micro_conversion"
LISTS = "marts.fct_collection"


# A window is the sum of its loaded days: of sessions and events both (int_funnel__periods_listed).
LOADED = """
    select property_id, date from ops.pulls
    where status = 'loaded' and report in ('sessions_by_all', 'events_by_all')
    group by property_id, date having count(distinct report) = 2
"""


def _sums(source: str, column: str, count: str, key: str) -> str:
    """Every shown count equals the sum of staging over the days of its window that are loaded."""
    return f"""
select
    chosen.property_id, chosen.period, chosen.{key} as label, any_value(chosen.{count}) as actual,
    coalesce(sum(staged.{column}), 0) as expected
from chosen
left join (select * from {source} semi join ({LOADED}) using (property_id, date)) as staged
    on staged.property_id = chosen.property_id and staged.{key} = chosen.{key}
    and staged.date between chosen.window_start and chosen.window_end
where chosen.{count} is not null
group by all
"""


PAGE_TABLES = (
    RateTable(
        PAGES,
        WINDOW,
        TOUCHED,
        ("window_name", "window_end", "page_path"),
        "bounced_sessions",
        "sessions",
        "bounce_rate",
        _sums("staging.stg_ga4__pages", "screen_page_views", "views", "page_path"),
        # Sessions and engaged ones are estimates, each made by itself: the second may be more.
        is_loss=True,
    ),
    RateTable(
        PAGE_KEYS,
        WINDOW,
        TOUCHED,
        ("window_name", "window_end", "page_path", "key"),
        "sessions",
        "parent_sessions",
        "micro_rate",
    ),
    RateTable(
        LISTS,
        WINDOW,
        TOUCHED,
        ("window_name", "window_end", "item_list_name"),
        "items_clicked",
        "items_viewed",
        "click_through_rate",
        _sums(
            "staging.stg_ga4__item_lists", "items_viewed_in_list", "items_viewed", "item_list_name"
        ),
    ),
)


def page_slices() -> tuple[Slice, ...]:
    """The slices of the three tables; each may be empty."""
    return tuple(replace(rate_slice(table), may_be_empty=True) for table in PAGE_TABLES)
