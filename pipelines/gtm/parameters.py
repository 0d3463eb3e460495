"""The smallest parts of a container, as Tag Manager's file writes them: all values are texts.

Facts are those of Tag Manager's API (v2), whose enumerations the file writes in capitals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Part = dict[str, Any]


def template(key: str, value: str) -> Part:
    """A text, in which {{name}} is a variable."""
    return {"type": "TEMPLATE", "key": key, "value": value}


def boolean(key: str, is_on: bool) -> Part:
    """`true` or `false`."""
    return {"type": "BOOLEAN", "key": key, "value": "true" if is_on else "false"}


def table(key: str, rows: Mapping[str, str]) -> Part:
    """Names of parameters with their values, as a tag's settings have them."""
    return {
        "type": "LIST",
        "key": key,
        "list": [
            {
                "type": "MAP",
                "map": [template("parameter", name), template("parameterValue", value)],
            }
            for name, value in rows.items()
        ],
    }


def condition(kind: str, left: str, right: str) -> Part:
    """`kind` of `left`, a variable, and `right`: EQUALS, CSS_SELECTOR, …"""
    return {"type": kind, "parameter": [template("arg0", left), template("arg1", right)]}


def variable(name: str) -> str:
    """How a text names a variable."""
    return f"{{{{{name}}}}}"
