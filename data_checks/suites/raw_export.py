"""What the files of an event export hold, property by property and day by day."""

from __future__ import annotations

from data_checks.model import WARNING, Bound, Slice, Suite, never
from data_checks.sql import IN_WINDOW
from pipelines.config.thresholds import threshold

_SHARES = {
    "few_rows_are_there_twice": ("duplicate_share", "max_duplicate_share"),
    "sessions_have_a_channel": ("no_channel_share", "max_no_channel_share"),
    "events_have_a_session": ("no_session_share", "max_no_session_share"),
}


def export_suite() -> Suite:
    """One row per property × day with files. What is left out is counted, and said when it is
    much; rows without a user depend on the visitors' consent alone.
    """
    return Suite(
        "export_days",
        ("date",),
        (
            Slice(
                "ops.export_days",
                f"""
select
    property_id, date, row_count, other_days, unnamed,
    duplicates / greatest(row_count, 1)::double as duplicate_share,
    without_session / greatest(row_count, 1)::double as no_session_share,
    without_channel / greatest(session_count, 1)::double as no_channel_share
from ops.export_days
where {IN_WINDOW}
order by property_id, date
""",
                may_be_empty=True,
            ),
        ),
        (
            Bound("rows_are_there", "row_count", minimum=1),
            never("rows_are_of_their_day", "other_days", WARNING),
            never("rows_have_name_and_time", "unnamed", WARNING),
            *(
                Bound(name, column, maximum=threshold(limit), severity=WARNING)
                for name, (column, limit) in _SHARES.items()
            ),
        ),
    )
