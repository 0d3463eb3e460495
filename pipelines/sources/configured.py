"""The sources that the settings name; the one list of which kinds there are."""

from __future__ import annotations

from pipelines.config.settings import Settings
from pipelines.sources.clarity.source import ClaritySource
from pipelines.sources.clarity.tables import CLARITY_TABLES
from pipelines.sources.contract import Source, SourceTable
from pipelines.sources.heatmaps.source import HeatmapSource
from pipelines.sources.heatmaps.tables import HEATMAP_TABLES
from pipelines.sources.shopify.source import shopify_source
from pipelines.sources.shopify.tables import SHOPIFY_TABLES

# The section in sluice.yml, which is also the tag of its models → its raw tables.
TABLES: dict[str, tuple[SourceTable, ...]] = {
    "shopify": SHOPIFY_TABLES,
    "clarity": CLARITY_TABLES,
    "heatmaps": HEATMAP_TABLES,
}


def configured_sources(settings: Settings) -> list[Source]:
    """One source an entry; nothing is read yet."""
    return [
        *(shopify_source(entry, settings) for entry in settings.shopify),
        *(ClaritySource(entry, settings) for entry in settings.clarity),
        *(HeatmapSource(entry, settings) for entry in settings.heatmaps),
    ]


def named_sources(settings: Settings) -> frozenset[tuple[str, str]]:
    """(source, property) of every entry."""
    return frozenset((name, one.property) for name in TABLES for one in getattr(settings, name))


def tables_of(settings: Settings) -> tuple[SourceTable, ...]:
    """The raw tables of the sources that some property has."""
    return tuple(
        table for name, tables in TABLES.items() if getattr(settings, name) for table in tables
    )


def unused(settings: Settings) -> list[str]:
    """Tags of the models that are not built, as no property has their source."""
    return [name for name in TABLES if not getattr(settings, name)]
