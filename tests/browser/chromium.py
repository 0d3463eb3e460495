"""Debian's Chromium, headless, opened on one page file after the other."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Dialog, Page, sync_playwright

# As root, without a network, and without looking for one.
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
NO_BROWSER = "no Chromium on this machine: 'apt-get install chromium' lets these tests run"


@dataclass
class Opened:
    """A page that was opened, and what it said and asked for meanwhile."""

    page: Page
    said: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def refuse(self, dialog: Dialog) -> None:
        """A page of numbers has nothing to ask."""
        self.said.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def ask(self, script: str, value: Any = None) -> Any:
        """What a JavaScript expression (or a function of `value`) gives."""
        return self.page.evaluate(script, value)


def find_chromium() -> str | None:
    """Where the browser is; None where none is installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A running browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=_ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def open_page(
    browser: Browser,
    file: Path,
    *,
    width: int = 1440,
    scheme: str = "light",
    anchor: str = "",
) -> Iterator[Opened]:
    """`file` at a width and colour scheme."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    opened = Opened(context.new_page())
    opened.page.on("console", lambda message: opened.said.append(message.text))
    opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
    opened.page.on("dialog", opened.refuse)
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.goto(f"{file.as_uri()}{anchor}")
    yield opened
    context.close()
