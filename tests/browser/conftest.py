"""One browser for all tests of the page; skipped where none is installed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from pipelines.config.settings import Settings
from tests.browser.chromium import NO_BROWSER, find_chromium, open_browser
from tests.browser.pages import crowded_page, difficult_page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if find_chromium() is None:
        pytest.skip(NO_BROWSER)
    with open_browser() as running:
        yield running


@pytest.fixture(scope="session")
def published(browser: Browser, published_home: Settings) -> Path:
    """The folder of the published version. Asks for a browser first: a night takes long."""
    return published_home.published_dir / "current"


@pytest.fixture(scope="session")
def page_file(published: Path) -> Path:
    return (published / "report.html").resolve()


@pytest.fixture(scope="session")
def many_file(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of several properties that are hard to show."""
    return difficult_page(published, tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="session")
def crowded_file(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of fifteen properties."""
    return crowded_page(published, tmp_path_factory.mktemp("crowd"))


@pytest.fixture(scope="session")
def thronged_file(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of more properties than one file can hold."""
    return crowded_page(published, tmp_path_factory.mktemp("throng"), properties=40)
