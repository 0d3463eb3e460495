"""The page of a run: a property of which it cannot be made is blocked, and shown as it was."""

from __future__ import annotations

import logging
from pathlib import Path

import duckdb

from pipelines.config.settings import Settings
from pipelines.errors import ReportError
from pipelines.publishing.next_version import next_version
from pipelines.report.page import ShopPage, property_page, write_shops
from pipelines.report.queries import property_ids
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.property_records import held_back, remember_held_back

logger = logging.getLogger("sluice")


def write_run_page(settings: Settings, run_id: str, path: Path) -> None:
    """Write the page over what the run is about to publish.

    Raises ReportError when it can be made of no property, for a broken template or a full disk.
    """
    shops, failed = _pages(settings, run_id)
    if failed:
        if not shops:
            raise ReportError(f"The page could not be made: {next(iter(failed.values()))}.")
        _block(settings, run_id, failed)
        # Their rows are now those of the version before, which a page was once made of.
        shops, failed = _pages(settings, run_id)
    write_shops((*shops, *map(_unmade, failed.items())), path)


def _pages(settings: Settings, run_id: str) -> tuple[tuple[ShopPage, ...], dict[str, str]]:
    """The part of every property, and why that of others could not be made."""
    with build_database(settings.build_db) as connection:
        kept_back = tuple(held_back(connection, run_id))
    with next_version(settings.build_db, settings.published_dir, kept_back) as connection:
        return property_pages(connection)


def property_pages(
    connection: duckdb.DuckDBPyConnection,
) -> tuple[tuple[ShopPage, ...], dict[str, str]]:
    """The part of every property that `connection` shows; property → why it cannot be made."""
    shops: list[ShopPage] = []
    failed: dict[str, str] = {}
    for name in property_ids(connection):
        try:
            shops.append(property_page(connection, name))
        except Exception as error:
            logger.exception("The page of property %s cannot be made.", name)
            failed[name] = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(": ")
    return tuple(shops), failed


def _block(settings: Settings, run_id: str, failed: dict[str, str]) -> None:
    with build_database(settings.build_db) as connection:
        for name, why in failed.items():
            words = f"its part of the page cannot be made ({why})"
            remember_held_back(connection, run_id, name, "report", words, now=settings.clock.now())


def _unmade(failure: tuple[str, str]) -> ShopPage:
    """What is said of a property whose part cannot be made of older rows either."""
    name, why = failure
    return ShopPage(
        anchor=f"p-{name}",
        label=name,
        property_id=name,
        verdict="This property's part of the page could not be made.",
        facts=(f"Property {name}",),
        warnings=(f"{why}. Its numbers are in the published database all the same.",),
    )
