"""Texts and names inside of SQL, where no parameter can be bound."""

from __future__ import annotations


def literal(text: object) -> str:
    """An SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A column's name for SQL."""
    return '"' + name.replace('"', '""') + '"'
