"""The raw table of Clarity: what one row is, and which columns it has."""

from __future__ import annotations

from pipelines.sources.contract import SourceTable

# The whole project, which one call without dimensions tells.
ALL_PAGES = "(all)"
# What a row without a sign of friction is: who came, and how far they scrolled.
TRAFFIC = "traffic"
# Name of the metric as it is on the wire, without spaces and in small letters → our signal.
SIGNALS = {
    "deadclickcount": "dead_click",
    "errorclickcount": "error_click",
    "excessivescroll": "excessive_scroll",
    "quickbackclick": "quick_back",
    "rageclickcount": "rage_click",
    "scripterrorcount": "script_error",
}
CLARITY_PAGE = SourceTable(
    "clarity_page",
    "Sessions with signs of friction, per page, device and snapshot of the last hours.",
    {
        "window_end": "TIMESTAMPTZ",
        "window_hours": "INTEGER",
        "page_path": "VARCHAR",
        "device": "VARCHAR",
        "signal": "VARCHAR",
        "sessions": "BIGINT",
        "sessions_with_signal": "BIGINT",
        "page_views": "BIGINT",
        "occurrences": "BIGINT",
        "bot_sessions": "BIGINT",
        "scroll_depth": "DOUBLE",
        "is_complete": "BOOLEAN",
    },
    keys=("window_end", "page_path", "device", "signal"),
    counts=("sessions", "sessions_with_signal", "page_views", "occurrences", "bot_sessions"),
)
CLARITY_TABLES = (CLARITY_PAGE,)
