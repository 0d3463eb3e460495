"""The short soak of `make test`: the seed with the widest mix, and that the soak can fail."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.config.settings import Settings
from tests.e2e.shop import PROPERTY, Shop
from tests.soak.behaviours import BEHAVIOURS
from tests.soak.command import Ended
from tests.soak.conditions import Result, ended_well, numbers_of, others_are_published
from tests.soak.draw import Night, draw_soak
from tests.soak.numbers import Slack
from tests.soak.run import run_soak
from tests.soak.shops import SHOPS, simulate_all
from tests.soak.shops import Shop as SoakShop
from tests.soak.truth import Bounds

SEEDS = range(60)
# A night under faults, and one without.
SHORT = 2


def widest() -> int:
    """The seed with most different behaviours in one night."""
    return max(SEEDS, key=lambda seed: len(draw_soak(seed, SHORT).behaviours))


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("soak")
    simulate_all(folder)
    return folder


def test_a_night_under_faults_and_one_without(shops: Path, tmp_path: Path) -> None:
    report = run_soak(draw_soak(widest(), SHORT), shops, tmp_path / "home")
    assert report.problems == []
    assert report.codes[-1] == 0
    assert report.compared > 30_000


def test_every_behaviour_is_drawn_often() -> None:
    drawn = [name for seed in SEEDS for name in draw_soak(seed).behaviours]
    assert {name for name in BEHAVIOURS if drawn.count(name) < 5} == set()


@pytest.fixture
def copy(published_home: Settings, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published database of a night without faults, to be spoilt; lies in `tmp_path`."""
    source = published_home.published_dir / "current" / "sluice.duckdb"
    shutil.copy(source, tmp_path / "sluice.duckdb")
    with duckdb.connect(str(tmp_path / "sluice.duckdb")) as connection:
        yield connection


OF_ONE_CELL = (
    "where date = '2026-06-20' and segment_name = 'device' and segment_value = 'mobile' "
    "and funnel = 'core' and step_key = 'product_view'"
)
SPOILT = [
    ("nothing", None, 0),
    ("one too many", f"update marts.fct_funnel_daily set reached = reached + 1 {OF_ONE_CELL}", 1),
    (
        "one too many, and flagged",
        f"update marts.fct_funnel_daily set reached = reached + 1, flags = 'sampled' {OF_ONE_CELL}",
        0,
    ),
    (
        "one too many, and not complete",
        "update marts.fct_funnel_daily set reached = reached + 1, is_complete = false "
        f"{OF_ONE_CELL}",
        0,
    ),
    # Sessions of three devices: rows of a day that calls itself complete.
    (
        "rows that are missing",
        "delete from marts.fct_funnel_daily where date = '2026-06-20' "
        "and segment_name = 'device' and step_key = 'sessions'",
        3,
    ),
    (
        "rows that are missing from a report that says so",
        "delete from marts.fct_funnel_daily where date = '2026-06-20' and segment_name = 'device' "
        "and step_key = 'sessions'; update marts.fct_data_completeness set is_complete = false "
        "where date = '2026-06-20' and report = 'sessions_by_device'",
        0,
    ),
]


@pytest.mark.parametrize(("name", "change", "wrong"), SPOILT, ids=[one[0] for one in SPOILT])
def test_wrong_and_missing_numbers_are_seen(
    shop: Shop, copy: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, change: str, wrong: int
) -> None:
    if change:
        copy.execute(change)
    copy.close()
    # The shop is served as it comes: engaged sessions may be one too many in a row.
    slack = Slack(engaged=1)
    found = numbers_of(SoakShop(PROPERTY, 40, 150), shop.events, tmp_path, Bounds(), slack)
    assert found.count > 30_000
    assert found.wrong_count == wrong, found.wrong
    assert bool(found.wrong) == bool(wrong)


FINE = Ended(0, json.dumps({"state": "fine"}), "")
ENDS = [
    (Ended(0, "", ""), FINE, ["ended with 0, but held back everything"]),
    (Ended(1, "", "Error: no."), FINE, ["ended with 1: Error: no."]),
    (Ended(2, "", ""), FINE, ["ended with 2, but 'sluice status' with 0"]),
    (Ended(75, "", "Traceback"), Ended(75, '{"state": "paused"}', ""), ["printed a traceback"]),
]


@pytest.mark.parametrize(("nightly", "status", "words"), ENDS)
def test_exit_codes_and_status(nightly: Ended, status: Ended, words: list[str]) -> None:
    found = list(ended_well(Result(nightly, status, None)))
    assert [word in one for word, one in zip(words, found, strict=True)] == [True] * len(words)


def test_a_night_that_published_is_fine(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"run_id": "r", "held_back": []}', encoding="utf-8")
    assert list(ended_well(Result(Ended(0, '{"run_id": "r"}', ""), FINE, tmp_path))) == []


def test_a_healthy_property_must_be_published(tmp_path: Path) -> None:
    """Two properties, nothing hit them, and one was held back all the same."""
    first, second = SHOPS[:2]
    manifest = {"run_id": "r", "held_back": [second.property_id]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    run = {"run_id": "r", "message": f"property {second.property_id} was held back: so."}
    result = Result(Ended(2, json.dumps(run), ""), FINE, tmp_path)
    night = Night(draw_soak(0).nights[0].end)
    (found,) = others_are_published(night, (first, second), result)
    assert second.property_id in found
    assert found.endswith("only nothing hit it: so.")
