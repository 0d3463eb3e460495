"""The raw tables of Shopify: what one row is, and which columns it has."""

from __future__ import annotations

from pipelines.sources.contract import SourceTable

# Column of the raw table, which is ShopifyQL's name of the metric, too.
FUNNEL = (
    "sessions",
    "sessions_with_cart_additions",
    "sessions_that_reached_checkout",
    "sessions_that_completed_checkout",
)
ALL_DEVICES = "all"
# Which sessions are counted: without identified bots, all, or whatever a report was set to.
HUMAN, EVERYONE, AS_REPORTED = "human", "none", "as_reported"
API, CSV = "api", "csv"

SHOPIFY_SESSIONS = SourceTable(
    "shopify_sessions",
    "Sessions of the online store and how far they came, per shop, date, device and filter.",
    {
        "shop": "VARCHAR",
        "date": "DATE",
        "device": "VARCHAR",
        "bot_filter": "VARCHAR",
        **dict.fromkeys(FUNNEL, "BIGINT"),
        "is_complete": "BOOLEAN",
        "origin": "VARCHAR",
    },
    keys=("shop", "date", "device", "bot_filter"),
    counts=FUNNEL,
)
SHOPIFY_SALES = SourceTable(
    "shopify_sales",
    "Orders and sales of the online store, per shop and date.",
    {
        "shop": "VARCHAR",
        "date": "DATE",
        "orders": "BIGINT",
        "net_sales": "DECIMAL(18, 4)",
        "total_sales": "DECIMAL(18, 4)",
        "currency": "VARCHAR",
    },
    keys=("shop", "date"),
    counts=("orders",),
)
SHOPIFY_CHECKOUTS = SourceTable(
    "shopify_checkouts",
    "Checkouts left after contact data were entered, counted per shop and date: nobody's data.",
    {
        "shop": "VARCHAR",
        "date": "DATE",
        "abandoned": "BIGINT",
        "recovered": "BIGINT",
        "abandoned_value": "DECIMAL(18, 4)",
        "currency": "VARCHAR",
    },
    keys=("shop", "date"),
    counts=("abandoned", "recovered"),
)
SHOPIFY_TABLES = (SHOPIFY_SESSIONS, SHOPIFY_SALES, SHOPIFY_CHECKOUTS)
