"""What `sluice backfill` says of its plan."""

import pytest

from pipelines.cli.backfill import _show_plan, backfill
from pipelines.config.settings import Settings
from pipelines.errors import ConfigError
from pipelines.ingest.backfill import TokenPlan

ITEMS = {"items": 3, "done_items": 0, "probe_tokens": 0, "by_report": {}}


@pytest.mark.parametrize(
    ("tokens", "hours", "days", "unpriced", "words"),
    [
        (10, 1, 1, 0, "about 10 tokens; one hour's quota is enough."),
        (30_000, 3, 1, 0, "with the quota of a standard property it ends about 20"),
        (450_000, 41, 3, 0, "quota of 3 days: when a day's tokens are gone it stops"),
        (0, 0, 0, 3, "when it would end cannot be told yet. 3 of the pulls are not in that"),
    ],
)
def test_a_plan_promises_no_end_that_nobody_knows(tmp_path, capsys, tokens, hours, days, unpriced,
                                                  words):  # fmt: skip
    plan = TokenPlan(tokens=tokens, hours=hours, days=days, unpriced_items=unpriced, **ITEMS)
    _show_plan(plan, Settings(home=tmp_path), as_json=False)
    assert words in " ".join(capsys.readouterr().err.split())


def test_who_only_wants_to_measure_begins_no_backfill():
    with pytest.raises(ConfigError, match="--dry-run"):
        backfill("2026-01-01", "2026-01-31", measure=True)
