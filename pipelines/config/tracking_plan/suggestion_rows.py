"""The rule of `suggestions` on a table of events, for the dbt model int_events__suggested.

Apart from it, so that a command does not wait for pandas.
"""

from __future__ import annotations

import pandas as pd

from pipelines.config.tracking_plan.suggestions import suggest, unknown_events

COLUMNS = ("property_id", "event_name", "looks_like", "suggested_key", "words", "plan_lines")


def suggest_rows(events: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    """One row per property and event that looks like a known one.

    `events`: property_id, event_name, events of the events that the plan does not count. `plan`:
    key, event_names joined by `|` (NULL for the key `sessions`), is_not_applicable.
    """
    counted = plan[plan["event_names"].notna() & ~plan["is_not_applicable"].astype(bool)]
    keys = {
        str(key): tuple(part.strip() for part in str(names).split("|") if part.strip())
        for key, names in zip(counted["key"], counted["event_names"], strict=True)
    }
    rows = []
    for property_id, own in events.groupby("property_id"):
        counts = dict(zip(own["event_name"], map(int, own["events"]), strict=True))
        rows += [
            (property_id, one.event, one.looks_like, ", ".join(one.keys), one.words,
             "\n".join(one.lines))
            for one in suggest(unknown_events(counts, ()), keys)
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype("string")
