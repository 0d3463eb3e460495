"""Days of a report that are not whole: what the raw gate or GA4's own total knows, in words.

The alert and the page tell them alike; both read them from `marts.fct_data_completeness`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

# Of the newest four weeks, on which the windows of today's numbers rest. `is_told_by_ga4`: GA4
# itself says why (sampled, thresholded, truncated), night after night: no news in the morning.
DOUBTFUL_DAYS = """
    select property_id, report, date, has_missing_rows, missing_share, has_low_volume, warnings,
        is_sampled or is_thresholded or is_truncated as is_told_by_ga4
    from (
        select *, max(date) over (partition by property_id) as newest_date
        from marts.fct_data_completeness
    )
    where (has_missing_rows or has_low_volume) and window_name = '1d' and date > newest_date - 28
    order by property_id, date desc, report
"""


@dataclass(frozen=True)
class DoubtfulDay:
    """A day of a report whose rows are missing, or whose volume is far below what is usual.

    `missing_share`: of GA4's own total, 0-1. `warnings`: what the raw gate observed.
    """

    property_id: str
    report: str
    date: date
    has_missing_rows: bool
    missing_share: float | None
    has_low_volume: bool
    warnings: str | None
    is_told_by_ga4: bool

    @property
    def words(self) -> str:
        """What is wrong, and how it was noticed."""
        found = []
        if self.has_missing_rows:
            found.append("rows are missing")
        if self.has_low_volume:
            found.append("the volume is unusually low")
        noticed = [self.warnings] if self.warnings else []
        if self.has_missing_rows and self.missing_share:
            noticed.append(f"the rows lack {100 * self.missing_share:.0f} % of GA4's own total")
        details = f" ({'; '.join(noticed)})" if noticed else ""
        return f"{' and '.join(found)}{details}"
