"""What Dagster shows of a version is what its readers see."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pipelines.config.settings import Settings
from pipelines.orchestration.assets.publish_asset import _facts
from pipelines.publishing.publication import Publication
from pipelines.publishing.publish import publish
from pipelines.warehouse.connect import build_database
from tests.support.hand_clock import MORNING

# Of a blocked property the build database has no rows, and readers keep those of before.
MARTS = """
    create schema marts;
    create table marts.dim_property as select '42' as property_id, 'Main' as property_name;
    create table marts.fct_finding as select '42' as property_id, 'a' as finding_id,
        1 as finding_rank, 'Less ordered.' as headline, 'Worth 2.' as worth_sentence,
        null as surplus_sentence, 'new' as state, 0.99 as p_gap;
    create table marts.fct_benchmark_comparison as select '42' as property_id,
        '28d' as window_name, 'all' as segment_name, 0.5 as rate, 'below' as status,
        'secondary' as source_kind;
    create table marts.fct_funnel_window as select '42' as property_id, 'core' as funnel,
        'purchase' as step_key, 4 as step_number;
    create table marts.fct_tracking_coverage as select '42' as property_id, 'purchase' as key,
        'tracked' as tracking_state, null as fix;
"""


def test_the_verdict_has_what_was_found_of_a_property_that_is_held_back(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    publication = Publication(
        build_db=settings.build_db, published_dir=settings.published_dir, run_id="r1",
        code_version="0.1.0", window_start="2026-03-01", window_end="2026-03-02", keep_versions=7,
        with_parquet=False, now=MORNING,
    )  # fmt: skip
    with build_database(settings.build_db) as build:
        build.execute(MARTS)
    publish(publication)
    with build_database(settings.build_db) as build:
        build.execute("delete from marts.fct_finding")
    later = replace(publication, run_id="r2", kept_back=("42",), now=MORNING + timedelta(days=1))
    publish(later)
    shown = _facts(settings, {"42": "its rows cannot be computed"})
    assert shown["verdict"].value == (
        "Finding (new): Less ordered. Worth 2. Below the floor with a probability of 99 %."
    )
    assert shown["held_back"] == ["42"]
