"""The page as files: one for the usual case, an index and a file a property for many."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from pipelines.report.components import Section
from pipelines.report.page import ShopPage, write_shops

MEGABYTES = 2_000_000


def shop(number: int, size: int = 95_000, property_id: str = "") -> ShopPage:
    """A property whose part of the page has about `size` bytes."""
    return ShopPage(
        anchor=f"p-{number}",
        label=f"Shop <{number}>",
        property_id=property_id or str(number),
        verdict=f"Verdict & leak of {number}.",
        facts=(f"Property {number}",),
        warnings=(f"Warning of {number}",),
        more=(Section("Funnel", (f"Body of {number}. " + "x" * size,)),),
    )


def links(page: Path) -> list[Path]:
    """What the page links to in other files, as a browser finds it."""
    found = re.findall(r'href="([^"#]+)"', page.read_text(encoding="utf-8"))
    return [(page.parent / unquote(unescape(one))).resolve() for one in found]


@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_the_usual_page_is_one_file(tmp_path: Path, count: int) -> None:
    page = tmp_path / "report.html"
    assert write_shops(tuple(map(shop, range(count))), page) == (page,)
    assert list(tmp_path.iterdir()) == [page]
    text = page.read_text(encoding="utf-8")
    assert all(f"Body of {number}." in text for number in range(count))
    assert links(page) == []


@pytest.mark.parametrize("count", [22, 30, 200])
def test_many_properties_are_an_index_and_a_file_each(tmp_path: Path, count: int) -> None:
    page = tmp_path / "report.html"
    shops = tuple(map(shop, range(count)))
    files = write_shops(shops, page)
    assert len(files) == count + 1
    assert files[-1] == page
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(files)
    assert all(path.stat().st_size < MEGABYTES for path in files)
    index = page.read_text(encoding="utf-8")
    assert links(page) == [path.resolve() for path in files[:-1]]
    for number, path in enumerate(files[:-1]):
        assert f"Shop &lt;{number}&gt;" in index
        assert f"Verdict &amp; leak of {number}." in index
        assert f"Warning of {number}" in index
        assert f'id="p-{number}"' in index
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"Body of (\d+)\.", text) == [str(number)]
        assert links(path) == [page.resolve()]
    assert "Body of" not in index


def test_the_page_is_split_by_its_bytes(tmp_path: Path) -> None:
    """Letters of two bytes: 1.2 million of them are no page of one file."""
    wide = tuple(
        ShopPage(f"p-{number}", "ä" * 300_000, str(number), "", (), ()) for number in range(2)
    )
    files = write_shops(wide, tmp_path / "report.html")
    assert len(files) == 3


@pytest.mark.parametrize("name", ["report", "a b#c%20?.html", "Übersicht \"1\" & '2'.html"])
def test_links_hold_for_any_file_name(tmp_path: Path, name: str) -> None:
    page = tmp_path / name
    files = write_shops(tuple(map(shop, range(22))), page)
    assert links(page) == [path.resolve() for path in files[:-1]]
    assert {one for path in files[:-1] for one in links(path)} == {page.resolve()}


def test_an_id_leads_out_of_no_folder(tmp_path: Path) -> None:
    page = tmp_path / "in" / "report.html"
    ids = ["../../out", "/etc/x", 'a"><b>', "..", ""]
    shops = tuple(shop(number, 500_000, one) for number, one in enumerate(ids))
    files = write_shops(shops, page)
    assert {path.parent for path in files} == {page.parent, page.parent / "report_pages"}
    assert links(page) == [path.resolve() for path in files[:-1]]
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
