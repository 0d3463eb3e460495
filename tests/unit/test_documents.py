"""The documents tell of what is there: links, headings, models, functions, make targets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = next(folder for folder in Path(__file__).parents if (folder / "Makefile").exists())
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
# Written by hand and about the code; the others are made from YAML, or about earlier states of it.
ABOUT_THE_CODE = (
    "architecture",
    "analytics",
    "ga4",
    "glossary",
    "experiments",
    "tracking",
    "CONTRIBUTING",
    "README",
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
MODEL = re.compile(r"`((?:stg|int|fct|dim)_[a-z0-9_]*[a-z0-9])`")
FUNCTION = re.compile(r"`([a-z_]+)\.([a-z_]+)`")
TARGET = re.compile(r"`make ([a-z-]+)")
# What `make setup` installs is not on the path of who reads.
BARE = re.compile(r"^ *(?:sluice|dagster|dbt|duckdb|pip|pytest|python)\b.*", re.MULTILINE)
BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CITED = re.compile(r'docs/(\w+\.md), "([^"]+)"')
FILE = re.compile(r"`([\w./{}-]+/[\w.-]+\.(?:py|sql|csv|yml|yaml|toml|md))`")


def ids(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def written_in(folder: Path, *suffixes: str) -> list[Path]:
    """Its files, without what dbt makes beside its sources: folders, too, that end in `.yml`."""
    return [
        path
        for path in folder.rglob("*")
        if path.suffix in suffixes
        and not {"target", "logs"} & set(path.relative_to(folder).parts)
        and path.is_file()
    ]


def headings(path: Path) -> set[str]:
    return set(re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE))


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids(DOCUMENTS))
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in LINK.findall(document.read_text(encoding="utf-8")):
        path, _, place = link.partition("#")
        if link.startswith(("http", "mailto")):
            continue
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        if place and target.suffix == ".md":
            assert place in {anchor(one) for one in headings(target)}, link


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids(DOCUMENTS))
def test_every_command_can_be_given_as_it_stands(document: Path) -> None:
    blocks = BLOCK.findall(document.read_text(encoding="utf-8"))
    assert [line for block in blocks for line in BARE.findall(block)] == []


CODE = [one for one in DOCUMENTS if one.stem in ABOUT_THE_CODE]


@pytest.mark.parametrize("document", CODE, ids=ids(CODE))
def test_what_is_named_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    models = {path.stem for path in (ROOT / "dbt_project" / "models").rglob("*.[sp][qy]*")}
    assert set(MODEL.findall(text)) <= models
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(TARGET.findall(text)) <= targets
    missing = {name for name in FILE.findall(text) if not (ROOT / name).exists()}
    assert not missing


def test_readme_lists_every_mart() -> None:
    folder = ROOT / "dbt_project" / "models" / "marts"
    marts = {path.stem for path in folder.rglob("*.sql") if path.stem.startswith(("fct_", "dim_"))}
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = "".join(line for line in text.splitlines() if line.startswith("| `"))
    assert marts == set(MODEL.findall(rows))


@pytest.mark.parametrize(
    ("page", "folder"), [("analytics", "analysis"), ("experiments", "analysis/experiments")]
)
def test_every_function_of_a_page_of_formulas_is_there(page: str, folder: str) -> None:
    sources = {path.stem: path for path in (ROOT / "pipelines" / folder).rglob("*.py")}
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    files = {"md", "yml"}
    named = [(module, name) for module, name in FUNCTION.findall(text) if name not in files]
    assert named
    for module, name in named:
        assert f"def {name}(" in sources[module].read_text(encoding="utf-8"), f"{module}.{name}"


def test_every_module_of_the_ga4_page_is_there() -> None:
    modules = {path.stem for path in (ROOT / "pipelines" / "ga4").rglob("*.py")}
    text = (ROOT / "docs" / "ga4.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`ga4/(\w+)`", text)) <= modules


def test_the_code_cites_headings_that_there_are() -> None:
    folders = ("pipelines", "data_checks", "dbt_project", "tests")
    files = [path for name in folders for path in written_in(ROOT / name, ".py", ".sql", ".yml")]
    cited = {
        one
        for path in files
        if path != Path(__file__)
        for one in CITED.findall(" ".join(path.read_text(encoding="utf-8").split()))
    }
    assert cited
    for document, heading in cited:
        assert heading in headings(ROOT / "docs" / document), (document, heading)


def test_what_dbt_made_beside_its_sources_is_no_document(tmp_path: Path) -> None:
    for name in ("models/_goods.yml", "target/run/models/_goods.yml/test.sql", "target/graph.yml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert written_in(tmp_path, ".yml", ".md") == [tmp_path / "models" / "_goods.yml"]
