"""Every report of the catalogue gives the same numbers by both routes.

All scenarios with five seeds each: `python -m tests.study.routes`.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.e2e.shop import LAST_DAY
from tests.soak.shops import hostile_names
from tests.support.routes import REPORTS, both_routes, differences, simulated

pytestmark = pytest.mark.slow


# An event without a name is left out of the export, and counted there; one that is called as the
# API calls the total of a funnel cannot be told from it in an answer.
APART = ("", "RESERVED_TOTAL")


def other_hostile_names(events: pa.Table) -> pa.Table:
    hostile = hostile_names(events)
    return hostile.filter(pc.invert(pc.is_in(hostile["event_name"], pa.array(APART))))


@pytest.mark.parametrize(("scenario", "seed"), [("none", 1), ("server_side_orders", 2)])
def test_both_routes_give_the_same_numbers(tmp_path: Path, scenario: str, seed: int) -> None:
    events = simulated(tmp_path / "events", scenario=scenario, seed=seed, days=9, sessions=40)
    if scenario == "none":
        for path in events.glob("*.parquet"):
            pq.write_table(other_hostile_names(pq.read_table(path)), path)
    pairs = list(both_routes(events, tmp_path / "landed", LAST_DAY - timedelta(days=2)))
    assert [line for pair in pairs for line in differences(*pair)] == []
    # That there was something to compare.
    assert {told.spec.name for told, _ in pairs if told.rows.num_rows} == {
        spec.name for spec in REPORTS
    }


def test_a_difference_is_seen(tmp_path: Path) -> None:
    events = simulated(tmp_path / "1", scenario="none", seed=3, days=1, sessions=20)
    other = simulated(tmp_path / "2", scenario="none", seed=4, days=1, sessions=20)
    (told, _), (_, counted) = (
        next(both_routes(folder, tmp_path / folder.name / "landed", LAST_DAY))
        for folder in (events, other)
    )
    assert differences(told, told) == []
    assert {line.split(": ")[1] for line in differences(told, counted)} >= {
        "only the API", "only the export",
    }  # fmt: skip
