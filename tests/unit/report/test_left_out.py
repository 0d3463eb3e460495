"""Numbers of a second source that sluice.yml does not name any more are said to grow old."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from pipelines.report.fetch import fetch
from pipelines.report.rows.friction import SNAPSHOTS, Snapshots
from pipelines.report.rows.heatmaps import REFUSED, Refused
from pipelines.report.rows.left_out import LEFT_OUT, LeftOut
from pipelines.report.rows.shopify import FAILED_FETCHES, FailedFetch
from pipelines.report.sections.friction_section import friction_section
from pipelines.report.sections.heatmap_section import heatmap_section
from pipelines.report.sections.shopify_section import shopify_section
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.fetches import leave_out_unnamed
from tests.support.hand_clock import MORNING
from tests.unit.report.test_friction_section import SHOP
from tests.unit.report.test_heatmap_section import MENU
from tests.unit.report.test_shopify_section import STEPS

SAID = "No night asks for more: '{}' in sluice.yml does not name the property."
NAMES = ("clarity", "heatmaps", "shopify")


def test_each_section_says_so_of_its_own_source() -> None:
    shop = replace(SHOP, clicks=(MENU,), shop_steps=STEPS)
    for name, section in zip(
        NAMES, (friction_section, heatmap_section, shopify_section), strict=True
    ):
        for gone in NAMES:
            told = section(replace(shop, left_out=(LeftOut(gone),)))
            assert told is not None
            assert (SAID.format(name) in told.summary) == (gone == name)


def test_what_failed_before_a_source_was_taken_out_is_no_fault_of_tonights(tmp_path: Path) -> None:
    with build_database(tmp_path / "build.duckdb") as build:
        build.execute("create schema marts")
        build.execute(
            "create table marts.fct_page_friction (property_id varchar, window_end timestamptz, "
            "window_hours integer, hours_lost_before integer, is_newest boolean, "
            "is_complete boolean)"
        )
        for name in NAMES:
            fail(build, name, MORNING)
        assert asked(build) == [0, 1, 1, 1]
        for night in (1, 2):
            later = MORNING + timedelta(days=night)
            leave_out_unnamed(build, {("clarity", "42")}, run_id=f"r{night}", now=later)
            assert asked(build) == [2, 1, 0, 0]
        # Once, from when on.
        (count,) = build.execute("select count(*) from ops.fetches").fetchone() or (0,)
        assert count == len(NAMES) + 2
        # It is named again.
        fail(build, "shopify", MORNING + timedelta(days=3))
        leave_out_unnamed(
            build, {(one, "42") for one in NAMES[:1] + NAMES[2:]}, run_id="r3", now=MORNING
        )
        assert asked(build) == [1, 1, 0, 1]


def fail(build: duckdb.DuckDBPyConnection, source: str, at: datetime) -> None:
    build.execute(
        "insert into ops.fetches (run_id, property_id, source, table_name, status, message, "
        "fetched_at) values ('r', '42', ?, 't', 'failed', 'It is shut.', ?)",
        [source, at],
    )


def asked(build: duckdb.DuckDBPyConnection) -> list[int]:
    """How many rows each of the page's queries has."""
    queries = (
        (LeftOut, LEFT_OUT), (Snapshots, SNAPSHOTS), (Refused, REFUSED),
        (FailedFetch, FAILED_FETCHES),
    )  # fmt: skip
    return [len(fetch(build, kind, query, {"property": "42"})) for kind, query in queries]
