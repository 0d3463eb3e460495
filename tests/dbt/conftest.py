"""dbt in this process, parsed once a process, on warehouses that the tests make by hand."""

import os
from collections.abc import Callable, Iterator
from datetime import date
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from dbt.cli.main import dbtRunner, dbtRunnerResult

import data_checks
from data_checks.dbt_tests import judge_tests
from pipelines.config.folders import DBT_PROJECT_DIR as PROJECT
from pipelines.orchestration.assets.dbt_layers import NOT_AT_NIGHT
from pipelines.orchestration.dbt_cli import parse_project
from pipelines.orchestration.layer_build import LAYERS
from pipelines.warehouse.connect import kept_open
from tests.dbt import changed_days, shop
from tests.dbt.warehouse import Warehouse
from tests.support.shared_folder import made_once

DATABASE_VARIABLE = "DBT_SLUICE_DATABASE"
# Modules of this folder whose `fill` puts their shops into one warehouse.
HAND_MADE = (
    "playbook_shops", "test_flags", "test_leaks", "test_left_out", "test_odd_numbers",
    "test_odd_rows", "test_page_sources", "test_reconciliation", "test_sessionless",
    "test_tracking_set_up", "test_shopify",
)  # fmt: skip


class Dbt:
    """Runs dbt commands on one warehouse after another with one parsed manifest."""

    def __init__(self, scratch: Path) -> None:
        self._folders = [
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *("--target-path", str(scratch / "target"), "--log-path", str(scratch / "logs")),
        ]
        os.environ[DATABASE_VARIABLE] = str(scratch / "build.duckdb")
        # What a night in this process has parsed already is not parsed again.
        self._manifest: Any = parse_project(PROJECT, scratch).manifest

    @property
    def manifest(self) -> Any:
        """The parsed project."""
        return self._manifest

    def __call__(self, warehouse: Warehouse, command: str, *arguments: str) -> dbtRunnerResult:
        os.environ[DATABASE_VARIABLE] = str(warehouse.path)
        # As a night has it; models take nine tenths of the CPU then.
        with kept_open(warehouse.path):
            return self._invoke(command, *arguments)

    def build(self, warehouse: Warehouse) -> None:
        """What a night builds and tests: generic tests as the gates judge them, not one by one."""
        self(warehouse, "build", "--exclude", NOT_AT_NIGHT)
        properties = [name for (name,) in warehouse.query("select property_id from ops.properties")]
        always = data_checks.Window(date.min, date.max)
        with warehouse.opened() as connection:
            results = judge_tests(self.generic_tests, connection, always, properties)
        assert [one.sentence for one in results if not one.is_success] == []
        assert len(results) == len(self.generic_tests)

    @cached_property
    def generic_tests(self) -> tuple[data_checks.ModelTest, ...]:
        """Every generic test of the project."""
        manifest = self._manifest.writable_manifest().to_dict(omit_none=False)
        return tuple(one for name in LAYERS for one in data_checks.tests_of_layer(manifest, name))

    def failing_tests(self, warehouse: Warehouse, *arguments: str) -> set[str]:
        """Ids of the tests that `dbt test` calls failed."""
        os.environ[DATABASE_VARIABLE] = str(warehouse.path)
        command = ["--quiet", "test", *self._folders, *arguments]
        results = dbtRunner(manifest=self._manifest).invoke(command).result
        assert len(results) > 0
        return {one.node.unique_id for one in results if one.status == "fail"}

    def _invoke(self, command: str, *arguments: str) -> dbtRunnerResult:
        runner = dbtRunner(manifest=self._manifest)
        result = runner.invoke(["--quiet", command, *self._folders, *arguments])
        assert result.success, _failures(result)
        return result


def _failures(result: dbtRunnerResult) -> str:
    if result.exception or not hasattr(result.result, "results"):
        return str(result.exception)
    return "\n".join(
        f"{one.node.name}: {one.message}"
        for one in result.result.results
        if one.status in ("error", "fail")
    )


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dbt]:
    before = os.environ.get(DATABASE_VARIABLE)
    yield Dbt(tmp_path_factory.mktemp("dbt"))
    if before is None:
        os.environ.pop(DATABASE_VARIABLE, None)
    else:
        os.environ[DATABASE_VARIABLE] = before


@pytest.fixture(scope="module")
def new_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Warehouse]:
    """A factory of empty warehouses; all are called build.duckdb, as the manifest names it."""
    return lambda: Warehouse(tmp_path_factory.mktemp("warehouse") / "build.duckdb")


@pytest.fixture(scope="session")
def built_shops(dbt: Dbt, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The shops of `shop.py`, built once for all workers: copy it before changing it."""
    with made_once(tmp_path_factory, "built-shops") as (folder, is_new):
        warehouse = Warehouse(folder / "build.duckdb")
        if is_new:
            with warehouse.opened():
                shop.open_shops(warehouse)
                shop.fill(warehouse)
            dbt(warehouse, "build", "--exclude", NOT_AT_NIGHT)
            # What dbt still has open is not in the file yet that another worker copies.
            warehouse.close()
    return warehouse


@pytest.fixture(scope="session")
def changed_shops(
    dbt: Dbt, built_shops: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Warehouse:
    """The same after old days changed, and one more night: copy it before changing it."""
    with made_once(tmp_path_factory, "changed-shops") as (folder, is_new):
        if is_new:
            warehouse = built_shops.copied_to(folder)
            changed_days.change(warehouse)
            _next_night(dbt, warehouse)
    return Warehouse(folder / "build.duckdb")


@pytest.fixture(scope="session")
def rested_shops(
    dbt: Dbt, changed_shops: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Warehouse:
    """The same after another night, with nothing to say of the gappy shop and without the blind
    one; for reading only.
    """
    with made_once(tmp_path_factory, "rested-shops") as (folder, is_new):
        if is_new:
            warehouse = changed_shops.copied_to(folder)
            changed_days.heal(warehouse)
            warehouse.query(
                "update ops.properties set is_active = false where property_id = ?", [shop.BLIND]
            )
            _next_night(dbt, warehouse)
    return Warehouse(folder / "build.duckdb")


def _next_night(dbt: Dbt, warehouse: Warehouse) -> None:
    """Its own window is the newest day only."""
    from tests.dbt.test_incremental import run

    run(dbt, warehouse, shop.LAST)
    warehouse.close()


@pytest.fixture(scope="session")
def hand_made(dbt: Dbt, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The shops of several files, built once for all workers; for reading only.

    A build costs what its models cost, of ten shops as of one.
    """
    with made_once(tmp_path_factory, "hand-made") as (folder, is_new):
        warehouse = Warehouse(folder / "build.duckdb")
        if is_new:
            with warehouse.opened():
                for name in HAND_MADE:
                    import_module(f"tests.dbt.{name}").fill(warehouse)
            dbt.build(warehouse)
            warehouse.close()
    return warehouse.copied_to(tmp_path_factory.mktemp("hand-made"))
