"""What a doctor says of heatmap downloads, with a column map that can be used once edited."""

from pathlib import Path

import pytest

from pipelines.config.second_sources import Heatmaps
from pipelines.config.settings import Property, Settings
from pipelines.monitoring.doctor.heatmap_steps import heatmap_steps
from pipelines.monitoring.doctor.step_model import Mark, Step


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "clicks.csv").write_text('Title,1\nCSS selector,"Clicks, all"\n#buy,3\n')
    (tmp_path / "depth.csv").write_text("Scroll depth;Visitors;% of visitors\n0;8;100\n50;2;25\n")
    return tmp_path


def step(folder: Path, property_id: str = "42") -> Step:
    entry = Heatmaps(property="42", path=folder / "*.csv", columns=folder / "heatmap_columns.yml")
    settings = Settings.model_construct(
        home=folder / "home", properties=(Property(id="42"),), heatmaps=(entry,)
    )
    (found,) = heatmap_steps(settings, property_id)
    return found


def test_a_property_without_downloads_has_no_step() -> None:
    assert heatmap_steps(Settings(), "42") == ()


def test_the_map_that_is_proposed_can_be_used_once_it_is_edited(folder: Path) -> None:
    found = step(folder)
    assert found.mark is Mark.WRONG
    assert found.message.startswith(f"{folder}/heatmap_columns.yml is missing")
    headings, mapped = found.details[:2], found.details[3:]
    assert headings == (
        "headings of clicks.csv: CSS selector, Clicks, all",
        "headings of depth.csv: Scroll depth, Visitors, % of visitors",
    )
    text = "\n".join(mapped).replace("tool: …", "tool: hotjar").replace("/…", "/a")
    text = text.replace("start: 2026-…, end: 2026-…", "start: 2026-06-01, end: 2026-06-30")
    assert "…" not in text
    (folder / "heatmap_columns.yml").write_text(text)
    assert step(folder) == Step(Mark.RIGHT, "heatmaps", "2 files of 1 page")


def test_a_file_that_fits_no_pattern_gets_lines_of_its_own(folder: Path) -> None:
    (folder / "heatmap_columns.yml").write_text(
        "maps:\n  d: {kind: scroll, tool: x, columns: {depth: Scroll depth, visitors: Visitors}}\n"
        "files:\n  depth.csv: {map: d, page: /a, start: 2026-06-01, end: 2026-06-30}\n"
    )
    found = step(folder)
    assert found.message.startswith("clicks.csv fits no pattern under 'files'")
    assert found.details[-3:-1] == (
        "  map1: {kind: clicks, tool: …, "
        'columns: {element: "CSS selector", clicks: "Clicks, all"}}',
        "files:",
    )


def test_no_file(tmp_path: Path) -> None:
    assert step(tmp_path).message == (
        f"There is no file {tmp_path.name}/*.csv: put a heatmap download there, or correct 'path' "
        "under heatmaps."
    )
