"""Numbers of requirements mean nothing to a reader: they stand in docs/requirements.csv alone."""

import csv
import re
from functools import cache

from tests.unit.test_documents import ROOT, written_in

NUMBER = re.compile(r"\b[A-Z]\d{1,3}\b")
TABLE = ROOT / "docs" / "requirements.csv"
# What readers see, or what they see is made of.
SHOWN = [
    *ROOT.glob("*.md"),
    ROOT / "sluice.example.yml",
    *written_in(ROOT / "docs", ".md", ".yml", ".yaml"),
    *written_in(ROOT / "dbt_project", ".yml", ".md", ".csv"),
    *written_in(ROOT / "pipelines", ".py"),
    *(path for path in (ROOT / "pipelines").rglob("template*/*") if path.is_file()),
]


@cache
def numbers() -> set[str]:
    with TABLE.open(encoding="utf-8") as file:
        return {row["id"] for row in csv.DictReader(file)}


def cited(text: str) -> set[str]:
    return set(NUMBER.findall(text)) & numbers()


def test_there_are_numbers_to_look_for() -> None:
    assert len(numbers()) >= 90
    assert cited("as A30 asks (B35)") == {"A30", "B35"}


def test_no_document_and_no_source_cites_one() -> None:
    found = {path: cited(path.read_text(encoding="utf-8")) for path in SHOWN}
    assert len(found) > 300
    assert {path: names for path, names in found.items() if names} == {}
