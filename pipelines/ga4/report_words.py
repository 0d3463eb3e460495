"""What each report of the catalog is about, for people."""

from __future__ import annotations

# A key of the tracking plan that GA4 itself has to count (docs/glossary.md, composite key).
_COMPOSITE = "Micro-conversions with a filter or several names"
_SEGMENTED = {"sessions": "Sessions", "events": "Events", "micro": f"{_COMPOSITE},"}
_WORDS = {
    "items": "Products",
    "item_lists": "Lists of products",
    "pages": "Pages",
    "page_events": "Events by page",
    "page_micro": f"{_COMPOSITE}, by page",
    "cells": "Funnel by device, channel and visitor together",
    "cells_country": "Funnel by device and country together",
    "users_window": "Users of several days",
    "event_params": "Parameters of events, such as the payment method",
    "funnel": "Funnel of users, steps in order",
    "funnel_next_action": "What users did next after a step",
    "metadata": "Fields that the property has",
}


def report_words(name: str) -> str:
    """`micro_by_device` in words; the name of a report that is in no catalog any more."""
    kind, _, segment = name.partition("_by_")
    if kind not in _SEGMENTED:
        return _WORDS.get(name, name)
    where = "of the whole shop" if segment == "all" else f"by {segment.replace('_', ' ')}"
    return f"{_SEGMENTED[kind]} {where}"
