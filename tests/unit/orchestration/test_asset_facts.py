"""What Dagster's UI shows of every asset before anything has run."""

from datetime import timedelta
from pathlib import Path

import pytest
from dagster import Definitions

from data_checks import GATES
from pipelines.config.settings import Property, Settings
from pipelines.orchestration.asset_facts import COLUMN_SCHEMA
from pipelines.orchestration.build import build_defs
from pipelines.orchestration.checks import GUARDED
from pipelines.orchestration.column_lineage import KEY

pytestmark = pytest.mark.slow

LINEAGE = {"fct_leak": {"gap": [["intermediate/int_leaks__chained", "gap"]]}}


@pytest.fixture(scope="module")
def defs(tmp_path_factory: pytest.TempPathFactory) -> Definitions:
    home: Path = tmp_path_factory.mktemp("dagster") / "home"
    settings = Settings(home=home, properties=(Property(id="42", time_zone="Europe/Berlin"),))
    return build_defs(settings, lineage=LINEAGE)


def test_every_asset_has_owner_description_topic_and_freshness(defs: Definitions) -> None:
    specs = defs.resolve_all_asset_specs()
    assert len(specs) > 140
    for spec in specs:
        assert spec.owners, spec.key
        assert spec.description, spec.key
        assert spec.group_name not in {None, "default"}, spec.key
        # Of what a run leaves behind by the way, no schedule tells.
        if spec.group_name != "ops":
            assert spec.freshness_policy.fail_window.to_timedelta() == timedelta(hours=36)


def test_topics_are_small(defs: Definitions) -> None:
    groups = [spec.group_name for spec in defs.resolve_all_asset_specs()]
    assert {"raw", "seeds", "ops", "staging_ga4", "marts_leaks", "published"} <= set(groups)
    assert max(groups.count(name) for name in set(groups) - {"raw"}) <= 20


def test_raw_tables_have_their_columns_before_the_first_night(defs: Definitions) -> None:
    raw = [spec for spec in defs.resolve_all_asset_specs() if spec.group_name == "raw"]
    assert len(raw) >= 28
    for spec in raw:
        columns = {one.name: one.type for one in spec.metadata[COLUMN_SCHEMA].columns}
        assert columns["property_id"] == "VARCHAR NOT NULL"


def test_checks_are_called_after_what_they_guard(defs: Definitions) -> None:
    names = [key.name for key in defs.resolve_asset_graph().asset_check_keys]
    assert sorted(names) == sorted(GUARDED.values())
    assert set(GUARDED) == set(GATES)


def test_lineage_is_shown_where_it_is_known(defs: Definitions) -> None:
    shown = {
        spec.key.to_user_string(): spec.metadata[KEY].deps_by_column
        for spec in defs.resolve_all_asset_specs()
        if KEY in spec.metadata
    }
    (part,) = shown.pop("marts/fct_leak")["gap"]
    assert [part.asset_key.to_user_string(), part.column_name] == LINEAGE["fct_leak"]["gap"][0]
    assert not shown
