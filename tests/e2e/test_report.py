"""The page as a part of the version: written again it is the same, and kept-back shops stay old."""

import hashlib
import json
import shutil
from pathlib import Path

import duckdb
import pytest

from pipelines.config.settings import Settings
from pipelines.errors import ReportError
from pipelines.publishing.next_version import next_version
from pipelines.report import page as report_page
from pipelines.report.page import property_page, write_page
from pipelines.report.queries import read_shop
from pipelines.report.run_page import write_run_page
from tests.e2e.shop import PROPERTY
from tests.soak.command import typed


def published_page(settings: Settings) -> str:
    return (settings.published_dir / "current" / "report.html").read_text(encoding="utf-8")


def test_version_lists_the_page(published_home: Settings) -> None:
    version = published_home.published_dir / "current"
    manifest = json.loads((version / "manifest.json").read_text(encoding="utf-8"))
    page = (version / "report.html").read_bytes()
    assert manifest["files"]["report.html"] == {
        "bytes": len(page), "sha256": hashlib.sha256(page).hexdigest(),
    }  # fmt: skip


def test_sluice_report_writes_the_published_page_again(
    published_home: Settings, tmp_path: Path
) -> None:
    home = str(published_home.home)
    done = typed("report", "--out", "again.html", folder=tmp_path, SLUICE_HOME=home)
    assert done.code == 0, done.err
    assert str(tmp_path / "again.html") in done.out
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == published_page(published_home)


def test_a_version_of_older_code_has_a_page(published_home: Settings, tmp_path: Path) -> None:
    """After an upgrade, before its first run: what the version does not have yet is left out."""
    older = shutil.copy(published_home.published_dir / "current" / "sluice.duckdb", tmp_path)
    with duckdb.connect(str(older)) as connection:
        for table in (
            "finding", "finding_detail", "diagnosis", "sales_daily", "furthest_stage",
            "funnel_period",
        ):  # fmt: skip
            connection.execute(f"drop table marts.fct_{table}")
        connection.execute("alter table marts.fct_anomaly drop column is_news")
        connection.execute("alter table marts.fct_data_completeness drop column usual_growth")
        shop = read_shop(connection, PROPERTY)
        page = property_page(connection, PROPERTY)
    assert (shop.findings, shop.diagnoses, shop.alerts, shop.month.sales) == ((), (), (), None)
    assert shop.month.whole
    assert page.verdict == "This version is of older code: the next run tells what leaks."


def test_nothing_published_and_a_full_folder_are_said_plainly(
    published_home: Settings, tmp_path: Path
) -> None:
    nothing = typed("report", folder=tmp_path, SLUICE_HOME=str(tmp_path / "empty"))
    assert nothing.code == 1
    assert "Nothing is published" in nothing.err
    (tmp_path / "file").write_text("")
    home = str(published_home.home)
    refused = typed("report", "--out", "file/report.html", folder=tmp_path, SLUICE_HOME=home)
    assert refused.code == 1
    assert "could not be written" in refused.err
    assert "Traceback" not in refused.err


def test_page_of_a_kept_back_property_shows_the_version_before(
    published_home: Settings, tmp_path: Path
) -> None:
    """Its new numbers did not pass: the page may not show them."""
    build = tmp_path / "build.duckdb"
    shutil.copy(published_home.published_dir / "current" / "sluice.duckdb", build)
    with duckdb.connect(str(build)) as connection:
        connection.execute("update marts.fct_funnel_window set reached = 987654321")
    kept_back: tuple[str, ...]
    for kept_back, is_new in (((), True), ((PROPERTY,), False)):
        page = tmp_path / f"{is_new}.html"
        with next_version(build, published_home.published_dir, kept_back) as connection:
            write_page(connection, page)
        assert ("987,654,321" in page.read_text(encoding="utf-8")) is is_new


def test_a_property_whose_part_cannot_be_made_blocks_only_itself(
    published_home: Settings, tmp_path: Path
) -> None:
    """A date that Python cannot hold; the other property's numbers are new, its own are old."""
    settings = published_home.model_copy(update={"home": tmp_path / "home"})
    shutil.copytree(published_home.published_dir, settings.published_dir, symlinks=True)
    other, changes = "200000002", {"published": 11_111_111, "other": 22_222_222}
    shutil.copy(settings.published_dir / "current" / "sluice.duckdb", settings.build_db)
    with duckdb.connect(str(settings.build_db)) as connection:
        _duplicate_property(connection, other)
        for name, reached in ((PROPERTY, changes["published"]), (other, changes["other"])):
            connection.execute(
                "update marts.fct_funnel_window set reached = ? where property_id = ?",
                [reached, name],
            )
        connection.execute(
            "update marts.dim_property set last_date = '20000-01-01' where property_id = ?",
            [PROPERTY],
        )
    path = tmp_path / "report.html"
    write_run_page(settings, "run", path)
    page = path.read_text(encoding="utf-8")
    assert ("22,222,222" in page, "11,111,111" in page) == (True, False)
    with duckdb.connect(str(settings.build_db)) as connection:
        rows = connection.execute(
            "select property_id, gate from ops.held_back where run_id = 'run'"
        )
        assert rows.fetchall() == [(PROPERTY, "report")]


def _duplicate_property(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """The same numbers once more, as another property's."""
    tables = connection.execute(
        "select table_name from duckdb_columns() where schema_name = 'marts' "
        "and column_name = 'property_id'"
    ).fetchall()
    for (table,) in tables:
        connection.execute(
            f"insert into marts.{table} select * replace ('{name}' as property_id) "
            f"from marts.{table}"
        )


def test_a_broken_template_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.html").write_text("fine\n{% if %}\n")
    (tmp_path / "style.css").write_text("")
    monkeypatch.setattr(report_page, "TEMPLATE_DIR", tmp_path)
    with pytest.raises(ReportError, match=r"line 2 .*Correct it"):
        report_page.render(())
