"""Devices by GA4's names, of which each tool has its own."""

from __future__ import annotations

ALL, UNKNOWN = "all", "unknown"
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
    """`mobile`, `desktop`, `tablet`, `all` (also of an empty name), or the tool's own name in small
    letters; `unknown` where that cannot be printed.
    """
    plain = name.strip().casefold()
    return _NAMES.get(plain, plain if plain.isprintable() else UNKNOWN)
