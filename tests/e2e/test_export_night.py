"""A night over one shop by both routes, and over an export that is broken on its newest day.

Exact numbers are equal, whichever route counted them; of the broken export only it waits.
"""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.config.settings import Ga4, Property, Settings
from pipelines.emulator.server import serve
from pipelines.emulator.simulator import Arm, Experiment
from pipelines.file_modes import is_all_own
from pipelines.ingest.day_window import DayWindow
from pipelines.warehouse.connect import build_database
from tests.e2e.shop import (
    LAST_DAY,
    PROPERTY,
    ZONE,
    at_now,
    night,
    published,
    published_rows,
    published_sessions,
    running_now,
    true_sessions,
    truth_of,
)
from tests.support.routes import simulated

EXPORT, BROKEN, DAYS = "100000002", "100000003", 14
BUTTON = Experiment(
    "button", "add_to_cart", (Arm("control", 0.5), Arm("green", 0.5, 2.0)), switched_share=0.1
)
# The same test by both routes; an id of its own has to say what its variants are sent as.
REGISTER = f"""\
button:
  property: "{EXPORT}"
  hypothesis: A green button is seen sooner
  key: add_to_cart
  start: {LAST_DAY - timedelta(days=DAYS - 1)}
  variants: [control, green]
  primary_metric: add_to_cart
api:
  property: "{PROPERTY}"
  hypothesis: A green button is seen sooner
  key: add_to_cart
  start: {LAST_DAY - timedelta(days=DAYS - 1)}
  variants: [control, green]
  primary_metric: add_to_cart
  exposure_values: {{control: SIM-button-control, green: SIM-button-green}}
"""
WINDOW = DayWindow(LAST_DAY - timedelta(days=DAYS - 1), LAST_DAY)

COUNTED = """
    select control_exposed, control_numerator, control_macro_converted, exposed, numerator,
        macro_converted, first_date, last_date, users_left_out, naive_variance, note, verdict
    from marts.fct_experiment where property_id = ?
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The home after the night."""
    folder = tmp_path_factory.mktemp("routes")
    events = simulated(
        folder / "events", scenario="none", seed=6, days=DAYS, sessions=60, experiments=(BUTTON,)
    )
    (folder / "experiments.yml").write_text(REGISTER)
    shutil.copytree(events, folder / BROKEN)
    _broken_file(folder).write_bytes(_broken_file(folder).read_bytes()[:-100])
    with serve([events], exact=True, now=running_now()) as emulator:
        settings = Settings(
            home=folder / "home",
            experiments=folder / "experiments.yml",
            ga4=Ga4(endpoint=emulator.endpoint),
            properties=(
                Property(id=PROPERTY, time_zone=ZONE),
                Property(
                    id=EXPORT, source="export", path=str(events), time_zone=ZONE, currency="EUR",
                    same_shop_as=PROPERTY,
                ),
                Property(
                    id=BROKEN, source="export", path=str(folder / BROKEN), time_zone=ZONE,
                    currency="EUR",
                ),
            ),
        )  # fmt: skip
        record, _ = night(at_now(settings), WINDOW)
    assert record.status == "partly_published", record.message
    return settings


def _broken_file(folder: Path) -> Path:
    return folder / BROKEN / f"events_{LAST_DAY:%Y%m%d}.parquet"


def test_only_the_broken_property_is_held_back_and_its_file_is_named(settings: Settings) -> None:
    current = settings.published_dir / "current"
    manifest = json.loads((current / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["held_back"] == [BROKEN]
    with published(settings) as connection:
        found = connection.execute(
            "select distinct property_id from marts.fct_funnel_daily order by 1"
        )
        assert found.fetchall() == [(PROPERTY,), (EXPORT,)]
    with build_database(settings.build_db, read_only=True) as connection:
        ((reason,),) = connection.execute(
            "select reason from ops.held_back where property_id = ?", [BROKEN]
        ).fetchall()
    assert reason == (
        f"Property {BROKEN} waits for {LAST_DAY}: The export file "
        f"{_broken_file(settings.home.parent)} cannot be read (No magic bytes found at end of "
        "file): write it anew from BigQuery, or correct its permissions."
    )


def test_the_days_of_the_broken_property_that_could_be_read_are_landed(settings: Settings) -> None:
    landed = sorted(path.name for path in (settings.landed_dir / BROKEN).iterdir())
    assert len(landed) == DAYS - 1
    assert landed[-1] == f"{LAST_DAY - timedelta(days=1)}"
    assert is_all_own(settings.home)


@pytest.mark.parametrize("property_id", [PROPERTY, EXPORT])
def test_the_published_sessions_are_those_of_the_simulator(
    settings: Settings, property_id: str
) -> None:
    expected = true_sessions(settings.home.parent / "events")
    assert published_sessions(settings, property_id) == expected
    assert len(expected) == DAYS


def test_every_ratio_of_exact_numbers_is_1(settings: Settings) -> None:
    rows = published_rows(
        settings,
        "select property_id, source_a, source_b, step_key, count(*), min(ratio), max(ratio), "
        "max(date), any_value(status), count(distinct status) from marts.fct_reconciliation "
        "group by all order by any_value(step_number)",
    )
    # All days but the three newest, which may still change; there are no weeks to compare with.
    told = (DAYS - 3, 1.0, 1.0, LAST_DAY - timedelta(days=3), "learning", 1)
    assert rows == [
        (PROPERTY, "data_api", "export", step, *told)
        for step in ("sessions", "product_view", "add_to_cart", "checkout_start", "purchase")
    ]


def test_experiments_are_counted_by_both_routes(settings: Settings) -> None:
    truth = truth_of(settings.home.parent / "events")
    (several,) = [one["users_in_several"] for one in truth["experiments"]]
    sums = {
        variant: [
            sum(row[place] for row in truth["experiment_outcomes"]["rows"] if row[2] == variant)
            for place in (3, 4, 5)
        ]
        for variant in ("control", "green")
    }
    with published(settings) as connection:
        export, api = (
            connection.execute(COUNTED, [name]).fetchone() or () for name in (EXPORT, PROPERTY)
        )
    period = (WINDOW.start, LAST_DAY)
    assert export == (
        *sums["control"], *sums["green"], *period, several, False, None, "keep running",
    )  # fmt: skip
    # A user of both variants is with the first one, so nobody is left out.
    assert api[0] + api[3] == sums["control"][0] + sums["green"][0] + several
    assert all(ours >= theirs for ours, theirs in zip(api[:6], export[:6], strict=True))
    words = f"Counted by GA4 as a funnel of its users from {WINDOW.start} to {LAST_DAY}."
    assert api[6:] == (*period, 0, True, words, "keep running")


def test_one_route_names_the_other(settings: Settings) -> None:
    known = published_rows(
        settings,
        "select property_id, property_source, same_shop_as from marts.dim_property order by 1",
    )
    assert known[:2] == [(PROPERTY, "data_api", None), (EXPORT, "export", PROPERTY)]
