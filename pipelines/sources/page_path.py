"""A page as GA4 names it: the path of its address. Nothing else of an address is ever stored."""

from __future__ import annotations

import re

_HOST = re.compile(r"^([a-z][a-z0-9+.-]*:)?//[^/?#;]*", re.IGNORECASE)
# No host but a file of the site, of which the folder is not said.
_FILE = re.compile(r"^[^/?#;]*\.(html?|php|aspx?|jsp)(?=[?#;]|$)", re.IGNORECASE)
_BARE_HOST = re.compile(r"^([a-z0-9-]+\.)+[a-z]{2,}(:[0-9]+)?(?=[/?#;]|$)", re.IGNORECASE)
# Queries hold search words, mail addresses and the ids of advertisers; so do session parameters.
_REST = re.compile(r"[?#;].*", re.DOTALL)
_PERSONAL = re.compile(r"[^/]*(?:@|%40)[^/]*", re.IGNORECASE)
REMOVED = "(removed)"


def page_path(address: str) -> str | None:
    """`/products/a` of `https://www.shop.example/products/a?utm=x`; None where it is no page.

    A part of the path that looks like a mail address becomes "(removed)".
    """
    text = address.strip()
    if _FILE.match(text):
        return None
    for host in (_HOST, _BARE_HOST):
        if found := host.match(text):
            text = text[found.end() :] or "/"
            break
    path = _PERSONAL.sub(REMOVED, _REST.sub("", text)) if text[:1] not in ("?", "#") else "/"
    return path if path.startswith("/") and path.isprintable() else None
