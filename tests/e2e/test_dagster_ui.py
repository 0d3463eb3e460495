"""What Dagster's UI shows after a night: rows, columns and lineage of all, the verdict, the log."""

import duckdb
import pytest
from dagster import AssetKey, AssetMaterialization
from pydantic import SecretStr

from pipelines.config.folders import DBT_PROJECT_DIR
from pipelines.config.second_sources import Clarity, Heatmaps, Shopify
from pipelines.config.settings import Settings
from pipelines.monitoring.status import read_status
from pipelines.orchestration.asset_facts import COLUMN_SCHEMA, ROW_COUNT
from pipelines.orchestration.build import build_defs
from pipelines.orchestration.checks import GUARDED
from pipelines.orchestration.column_lineage import KEY, derive_lineage
from pipelines.orchestration.dagster_home import open_instance
from pipelines.publishing.verdict import headlines
from pipelines.publishing.version_diff import mart_rows
from pipelines.publishing.versions import current_version
from pipelines.warehouse.connect import build_database
from tests.e2e.shop import PROPERTY

# sqlglot does not follow the columns of these.
OF_PYTHON = {path.stem for path in DBT_PROJECT_DIR.glob("models/**/*.py")}
PAGE = AssetKey(["published", "report"])
VERSION = AssetKey(["published", "version"])


@pytest.fixture(scope="module")
def home(published_home: Settings) -> Settings:
    """With the second sources that its night had, whose servers have gone."""
    token = SecretStr("gone")
    return published_home.model_copy(
        update={
            "shopify": (Shopify(shop="demo-shop.myshopify.com", property=PROPERTY, token=token),),
            "clarity": (Clarity(property=PROPERTY, token=token),),
            "heatmaps": (Heatmaps(property=PROPERTY, path="*.csv"),),
        }
    )


@pytest.fixture(scope="module")
def materialized(home: Settings) -> dict[AssetKey, AssetMaterialization]:
    """The newest materialization of every asset of our own."""
    specs = build_defs(home).resolve_all_asset_specs()
    keys = [spec.key for spec in specs if spec.group_name != "ops"]
    with open_instance(home) as instance:
        found = {key: instance.get_latest_materialization_event(key) for key in keys}
    return {key: event.asset_materialization for key, event in found.items() if event}


def test_every_table_tells_its_rows(home, materialized) -> None:
    tables = [key for key in materialized if key not in {PAGE, VERSION}]
    assert len(tables) > 130
    with build_database(home.build_db, read_only=True) as connection:
        for key in tables:
            schema, table = key.path
            ((rows,),) = connection.execute(f"select count(*) from {schema}.{table}").fetchall()
            assert materialized[key].metadata[ROW_COUNT].value == rows, key


def test_every_table_has_its_columns(home, materialized) -> None:
    """From the contract or the report where they are told, else from the table itself."""
    specs = {spec.key: spec for spec in build_defs(home).resolve_all_asset_specs()}
    with build_database(home.build_db, read_only=True) as connection:
        for key in set(materialized) - {PAGE, VERSION}:
            built = materialized[key].metadata.get(COLUMN_SCHEMA)
            shown = built.schema if built else specs[key].metadata[COLUMN_SCHEMA]
            names = {column.name for column in shown.columns}
            found = connection.execute(f"describe {'.'.join(key.path)}").fetchall()
            assert names == {name for name, *_ in found}, key


def test_every_model_of_sql_has_its_lineage(home, materialized) -> None:
    lineage = derive_lineage(home)
    models = {
        key.path[-1] for key in materialized if key.path[0] in {"staging", "intermediate", "marts"}
    }
    assert models - set(lineage) == OF_PYTHON
    assert all(lineage.values())
    # Of a union by name, whose parts have unlike columns.
    assert lineage["fct_finding_detail"]["page_type"] == [
        ["intermediate/int_landing_pages__stepped", "page_type"]
    ]
    cells = lineage["stg_ga4__cells"]
    assert cells["visitor"] == [["raw/ga4_cells", "new_vs_returning"]]
    # Every part is a column of an asset that is there.
    specs = build_defs(home, lineage=lineage).resolve_all_asset_specs()
    assets = {spec.key.to_user_string() for spec in specs}
    parts = [part for columns in lineage.values() for part in columns.values()]
    assert {asset for part in parts for asset, _ in part} <= assets
    assert sum(KEY in spec.metadata for spec in specs) == len(lineage)


def test_a_second_look_reads_no_statement_again(home, monkeypatch) -> None:
    first = derive_lineage(home)
    monkeypatch.setattr("pipelines.orchestration.column_lineage.lineage", None)
    assert derive_lineage(home) == first


def test_the_version_tells_what_it_holds_and_found(home, materialized) -> None:
    version = current_version(home.published_dir)
    shown = {name: one.value for name, one in materialized[VERSION].metadata.items()}
    assert shown[ROW_COUNT] == mart_rows(version.manifest)
    assert (
        shown["days"]
        == f"{version.manifest['window']['start']} to " + (version.manifest["window"]["end"])
    )
    assert shown["version"] == version.name
    assert shown["page"].endswith("/report.html")
    with duckdb.connect(str(version.path / "sluice.duckdb"), read_only=True) as connection:
        told = connection.execute("select headline from marts.fct_finding").fetchall()
        assert read_status(home).findings == headlines(connection)
    assert all(headline in shown["verdict"] for (headline,) in told)
    assert shown["verdict"]


def test_a_gate_s_result_can_be_read(home) -> None:
    checks = build_defs(home).resolve_asset_graph().asset_check_keys
    with open_instance(home) as instance:
        latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(checks))
    assert {key.name for key in latest} == set(GUARDED.values())
    for record in latest.values():
        result = record.event.dagster_event.asset_check_evaluation_data
        assert result.description
        assert result.metadata["expectations"].value > 0


def test_the_log_of_a_run_is_its_step_log(home) -> None:
    with open_instance(home) as instance:
        run = instance.get_run_records(limit=1)[0].dagster_run
        events = instance.all_logs(run.run_id)
        (captured,) = [
            one.dagster_event.event_specific_data
            for one in events
            if one.dagster_event and one.dagster_event.event_type_value == "LOGS_CAPTURED"
        ]
        manager = instance.compute_log_manager
        key = [run.run_id, "compute_logs", captured.file_key]
        data = manager.get_log_data(key)
    assert b" INFO " in data.stderr
    assert manager.is_capture_complete(key)
