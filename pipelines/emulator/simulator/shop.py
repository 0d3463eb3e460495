"""The demo shop as data: its markets, traffic, devices and opening hours (its goods: catalogue.py).

Only constants belong here. Weights are shares and add up to 1 within their table.
"""

from __future__ import annotations

from dataclasses import dataclass

TIME_ZONE = "Europe/Berlin"
CURRENCY = "EUR"
DISPLAY_NAME = "Demo shop"
HOST = "https://shop.example"
STREAM_ID = "5000000001"


@dataclass(frozen=True)
class Channel:
    """A GA4 default channel group with the source and medium that lead to it."""

    name: str
    source: str
    medium: str
    campaign: str
    new_weight: float
    returning_weight: float


@dataclass(frozen=True)
class Country:
    """A market, in the words of GA4's geo fields."""

    name: str
    continent: str
    sub_continent: str
    language: str
    weight: float


@dataclass(frozen=True)
class Client:
    """A browser on a device; `weight` is its share of all visitors."""

    category: str
    brand: str
    operating_system: str
    os_version: str
    browser: str
    browser_version: str
    weight: float


DEVICES = ("mobile", "desktop", "tablet")
VISITORS = ("new", "returning")

CHANNELS = (
    Channel("Organic Search", "google", "organic", "(organic)", 0.38, 0.27),
    Channel("Paid Search", "google", "cpc", "brand_search", 0.17, 0.12),
    Channel("Direct", "(direct)", "(none)", "(direct)", 0.14, 0.33),
    Channel("Paid Social", "instagram", "paid_social", "autumn_looks", 0.11, 0.05),
    Channel("Organic Social", "instagram", "social", "(referral)", 0.07, 0.04),
    Channel("Paid Shopping", "google", "cpc", "shopping_all", 0.07, 0.04),
    Channel("Email", "newsletter", "email", "weekly_letter", 0.02, 0.12),
    Channel("Referral", "magazine.example", "referral", "(referral)", 0.04, 0.03),
)

COUNTRIES = (
    Country("Germany", "Europe", "Western Europe", "de-de", 0.52),
    Country("Austria", "Europe", "Western Europe", "de-at", 0.12),
    Country("Switzerland", "Europe", "Western Europe", "de-ch", 0.09),
    Country("Netherlands", "Europe", "Western Europe", "nl-nl", 0.08),
    Country("France", "Europe", "Western Europe", "fr-fr", 0.07),
    Country("Italy", "Europe", "Southern Europe", "it-it", 0.05),
    Country("Poland", "Europe", "Eastern Europe", "pl-pl", 0.04),
    Country("United Kingdom", "Europe", "Northern Europe", "en-gb", 0.03),
)

CLIENTS = (
    Client("mobile", "Apple", "iOS", "iOS 18.1", "Safari", "18.1", 0.33),
    Client("mobile", "Samsung", "Android", "Android 15", "Chrome", "131.0", 0.20),
    Client("mobile", "Xiaomi", "Android", "Android 14", "Chrome", "130.0", 0.09),
    Client("desktop", "Microsoft", "Windows", "Windows 11", "Chrome", "131.0", 0.15),
    Client("desktop", "Microsoft", "Windows", "Windows 11", "Edge", "131.0", 0.06),
    Client("desktop", "Microsoft", "Windows", "Windows 10", "Firefox", "132.0", 0.04),
    Client("desktop", "Apple", "Macintosh", "Intel 10.15", "Safari", "18.1", 0.09),
    Client("tablet", "Apple", "iOS", "iOS 18.1", "Safari", "18.1", 0.03),
    Client("tablet", "Samsung", "Android", "Android 14", "Chrome", "131.0", 0.01),
)

RETURNING_SHARE = 0.40

# Share of a day's sessions by local hour, 0 to 23 (relative weights).
HOUR_WEIGHTS = (
    1.6, 0.9, 0.5, 0.4, 0.4, 0.7, 1.6, 2.9, 3.9, 4.5, 4.9, 5.1,
    5.6, 5.2, 4.9, 4.9, 5.1, 5.5, 6.2, 7.3, 8.2, 8.0, 6.1, 3.6,
)  # fmt: skip

# Monday to Sunday; the mean is 1, so whole weeks keep the volume that was asked for.
WEEKDAY_FACTORS = (1.04, 0.97, 0.95, 0.96, 0.90, 0.98, 1.20)

# January to December; the mean is 1. November and December carry the year.
MONTH_FACTORS = (0.96, 0.93, 0.97, 0.98, 0.97, 0.93, 0.91, 0.93, 0.98, 1.02, 1.20, 1.22)
