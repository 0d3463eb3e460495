"""Devices by GA4's names, of which each tool has its own."""

from __future__ import annotations

ALL = "all"
_NAMES = {
    "pc": "desktop",
    "computer": "desktop",
    "desktop": "desktop",
    "mobile": "mobile",
    "phone": "mobile",
    "smartphone": "mobile",
    "tablet": "tablet",
    "all": ALL,
    "all devices": ALL,
    "": ALL,
}


def device_name(name: str) -> str:
    """`mobile`, `desktop`, `tablet`, `all`, or the tool's own name in small letters."""
    plain = name.strip().casefold()
    return _NAMES.get(plain, plain)
