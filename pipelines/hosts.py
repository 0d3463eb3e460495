"""Which hosts are this machine itself: there no credentials are sent, and no proxy has a say."""

from __future__ import annotations

import ipaddress
from contextlib import suppress


def is_loopback(host: str) -> bool:
    """Whether a host name or address, with a port or without, is this machine's own."""
    name = host if host.count(":") > 1 else host.partition(":")[0]
    with suppress(ValueError):
        return ipaddress.ip_address(name).is_loopback
    return name == "localhost"
