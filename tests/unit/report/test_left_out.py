"""Numbers of a second source that sluice.yml does not name any more are said to grow old."""

from dataclasses import replace
from pathlib import Path

from pipelines.report.fetch import fetch
from pipelines.report.rows.friction import SNAPSHOTS, Snapshots
from pipelines.report.rows.heatmaps import REFUSED, Refused
from pipelines.report.rows.left_out import LEFT_OUT, LeftOut
from pipelines.report.rows.shopify import FAILED_FETCHES, FailedFetch
from pipelines.report.sections.friction_section import friction_section
from pipelines.report.sections.heatmap_section import heatmap_section
from pipelines.report.sections.shopify_section import shopify_section
from pipelines.warehouse.connect import build_database
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


def test_a_source_is_left_out_that_the_newest_run_did_not_ask(tmp_path: Path) -> None:
    with build_database(tmp_path / "build.duckdb") as build:
        build.execute("create schema marts")
        build.execute(
            "create table marts.fct_page_friction (property_id varchar, window_end timestamptz, "
            "window_hours integer, hours_lost_before integer, is_newest boolean, "
            "is_complete boolean)"
        )
        told = []
        for number, run_id in enumerate(("before", "newest")):
            at = f"2026-07-0{number + 1} 04:00:00+00"
            build.execute("insert into ops.runs (run_id, started_at) values (?, ?)", [run_id, at])
            for name in NAMES if run_id == "before" else NAMES[:1]:
                build.execute(
                    "insert into ops.fetches (run_id, property_id, source, table_name, status, "
                    "message, fetched_at) values (?, '42', ?, 't', 'failed', 'It is shut.', ?)",
                    [run_id, name, at],
                )
            told.append(
                [
                    len(fetch(build, kind, query, {"property": "42"}))
                    for kind, query in (
                        (LeftOut, LEFT_OUT), (Snapshots, SNAPSHOTS), (Refused, REFUSED),
                        (FailedFetch, FAILED_FETCHES),
                    )
                ]
            )  # fmt: skip
    # What failed before the source was taken out is no fault of tonight's.
    assert told == [[0, 1, 1, 1], [2, 1, 0, 0]]
