"""`make picture`: the README's picture, taken of a published page."""

import sys
from pathlib import Path

from playwright.sync_api import FloatRect

from tests.browser.chromium import open_browser, open_page

PICTURE = Path("docs/images/report-light.png")
WIDTH, MARGIN = 1000, 12


def take(page: Path, picture: Path = PICTURE) -> None:
    """Its top in light colours: the verdict, the figures and the first finding."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    with open_browser() as browser, open_page(browser, page.resolve(), width=WIDTH) as opened:
        bottom = opened.ask("document.querySelector('.finding').getBoundingClientRect().bottom")
        clip = FloatRect(x=0, y=0, width=WIDTH, height=bottom + MARGIN)
        opened.page.screenshot(path=picture, full_page=True, clip=clip)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
