"""Event names that are known, and names that look like a known one written differently. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from pipelines.config.textfile import NO_TEXT

# What GA4 sends by itself for a website (automatically collected, and enhanced measurement), so
# not worth a word when the tracking plan does not use it.
AUTOMATIC = frozenset({
    "click", "file_download", "first_open", "first_visit", "form_start", "form_submit",
    "page_view", "scroll", "session_start", "user_engagement", "video_complete",
    "video_progress", "video_start", "view_search_results",
})  # fmt: skip
# Names that GA4 keeps for itself without sending them from a website ("Event naming rules").
RESERVED = frozenset({
    "ad_impression", "app_remove", "app_store_refund", "app_store_subscription_cancel",
    "app_store_subscription_renew", "error", "in_app_purchase", "view_complete",
})  # fmt: skip
# GA4's recommended events of a shop that carry items: their numbers stand in the data layer's
# `ecommerce` (Google's measurement guide for ecommerce).
ECOMMERCE = frozenset({
    "add_payment_info", "add_shipping_info", "add_to_cart", "add_to_wishlist", "begin_checkout",
    "purchase", "refund", "remove_from_cart", "select_item", "select_promotion", "view_cart",
    "view_item", "view_item_list", "view_promotion",
})  # fmt: skip
# view_items ~ view_item is 0.94; view_item ~ view_item_list 0.80, add_to_compare ~ add_to_cart
# 0.76 and sign_in ~ sign_up 0.67 are other events.
_CUTOFF = 0.82
_WORD_ENDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PLAIN = re.compile(r"[^\s|]+( +[^\s|]+)*")
_NO_LETTER = re.compile(r"[\W_]+")


def is_plain(name: str) -> bool:
    """Whether a plan can name the event: '|' parts names, and SQL takes spaces away around them."""
    return bool(_PLAIN.fullmatch(name)) and not NO_TEXT.search(name)


def looks_like(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` may stand for: other case, camel case, separators, word order
    or a letter or two; None when there is no such name."""
    names = list(known)
    # In the order of the words first: it is the stronger likeness.
    for spell in (_in_order, _sorted):
        written = {spell(one): one for one in names}
        close = difflib.get_close_matches(spell(name), written, n=1, cutoff=_CUTOFF)
        if close:
            return written[close[0]]
    return None


def _in_order(name: str) -> str:
    return "".join(_words(name))


def _sorted(name: str) -> str:
    return "".join(sorted(_words(name)))


def _words(name: str) -> list[str]:
    parts = _NO_LETTER.split(_WORD_ENDS.sub("_", name).casefold())
    return [part for part in parts if part]
