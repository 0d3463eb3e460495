"""The default channel group of a session where the export does not carry it.

The rules and the lists of sites are seeds (`channel_rules.csv`, `traffic_sources.csv`), after
Google's published ones (docs/ga4.md, "Channels of the event export").
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from pipelines.config.tracking_plan.row_models import CHANNEL_SEEDS, check_row
from pipelines.config.tracking_plan.seed_files import SEEDS_DIR, read_seed
from pipelines.sql_text import literal

UNASSIGNED = "Unassigned"
_COLUMNS = {
    "source_pattern": "session_source",
    "medium_pattern": "session_medium",
    "campaign_pattern": "session_campaign",
}


@cache
def channel_group_sql(seeds: Path = SEEDS_DIR) -> str:
    """SQL over `sessions`: GA4's own channel group, else the first rule that fits.

    NULL where neither source nor medium is known. Raises SeedError for a seed that is broken.
    """
    rules, sources = _seed(seeds, "channel_rules"), _seed(seeds, "traffic_sources")
    sites: dict[str, list[str]] = {}
    for row in sources:
        sites.setdefault(row["category"], []).append(re.escape(row["source"]))
    whens = []
    for rule in sorted(rules, key=lambda row: int(row["position"])):
        conditions = [
            _matches(column, rule[name]) for name, column in _COLUMNS.items() if rule[name]
        ]
        if category := rule["source_category"]:
            # A name between dots: of www.google.de google, and of l.facebook.com facebook.
            named = f"(^|.*[./])({'|'.join(sites.get(category, []))})($|[./].*)"
            conditions.append(_matches("session_source", named))
        whens.append(
            f"WHEN {' AND '.join(conditions) or 'true'} THEN {literal(rule['channel_group'])}"
        )
    return (
        "coalesce(channel_group, CASE WHEN session_source IS NULL AND session_medium IS NULL "
        f"THEN NULL {' '.join(whens)} ELSE '{UNASSIGNED}' END)"
    )


def _seed(folder: Path, name: str) -> list[dict[str, str]]:
    rows = read_seed(folder, name)
    for row in rows:
        check_row(CHANNEL_SEEDS[name], row, folder / f"{name}.csv", {})
    return rows


def _matches(column: str, pattern: str) -> str:
    return f"regexp_full_match(lower(coalesce({column}, '(not set)')), {literal(pattern)})"
