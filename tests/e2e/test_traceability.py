"""Every requirement of docs/requirements.csv names a column of a mart that has values."""

import csv
from pathlib import Path

import pytest

from pipelines.config.folders import PROJECT_DIR
from pipelines.config.settings import Settings
from tests.e2e.shop import published

REGISTER = PROJECT_DIR / "docs" / "requirements.csv"
# The ids that must be in the register; there are no B4, B6 and B8.
WANTED = {
    *(f"A{number}" for number in range(1, 23)),
    *(f"B{number}" for number in range(1, 37) if number not in {4, 6, 8}),
    "B45", "B49", "B50", "B51", "B55",
}  # fmt: skip


def register(path: Path = REGISTER) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


ROWS = [row for row in register() if row["status"] == "built"]
# A healthy shop has no diagnosis; test_scenarios.py has one of a sick one.
PLACES = sorted(
    {
        (row["place"], row["condition"])
        for row in ROWS
        if not row["place"].startswith("fct_diagnosis.")
    }
)


def test_every_requirement_is_in_the_register() -> None:
    assert {row["id"] for row in ROWS} >= WANTED
    assert all(row["requirement"] and row["place"].count(".") == 1 for row in register())


@pytest.mark.parametrize(("place", "condition"), PLACES)
def test_the_place_is_there_and_not_empty(
    published_home: Settings, place: str, condition: str
) -> None:
    table, column = place.split(".")
    with published(published_home) as connection:
        (filled,) = connection.execute(
            f"select count({column}) from marts.{table} where {condition or 'true'}"
        ).fetchone()
    assert filled > 0
