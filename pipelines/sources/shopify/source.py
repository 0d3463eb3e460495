"""One shop as a second source, by whichever way its entry says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from pipelines.config.settings import Settings, Shopify
from pipelines.ga4.rate_limit import Clock
from pipelines.ingest.day_window import DayWindow
from pipelines.sources.contract import Fetched, SourceTable
from pipelines.sources.shopify.api import ShopifyApi
from pipelines.sources.shopify.client import ShopifyClient
from pipelines.sources.shopify.tables import SHOPIFY_TABLES


class ShopifySource:
    """Fits `pipelines.sources.contract.Source`."""

    name = "shopify"

    def __init__(self, entry: Shopify, settings: Settings, clock: Clock | None = None) -> None:
        """`clock`: what waits go by; days and stamps go by the home's."""
        self.property_id, self.account = entry.property, entry.shop
        self.tables: Sequence[SourceTable] = SHOPIFY_TABLES
        self._entry, self._settings, self._clock = entry, settings, clock

    def fetch(self, table: SourceTable, window: DayWindow) -> Fetched:
        """The rows of one table; raises SourceError."""
        return self._api.fetch(table, window)

    @cached_property
    def _api(self) -> ShopifyApi:
        return ShopifyApi(ShopifyClient(self._entry, self._clock), self._settings.clock.now)
