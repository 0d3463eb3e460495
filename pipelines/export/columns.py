"""SQL expressions over the export's nested columns, whatever part of the schema a file really has.

Files differ: older ones lack columns, `ecommerce` may be text, lists may have a level
`list.element`, integers may be text. What a file lacks reads as NULL. Nothing here runs SQL.

The emulator reads the same schema by code of its own (`emulator/server/export.py`): the two routes
prove each other only as long as they share none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from duckdb.sqltypes import DuckDBPyType

from pipelines.sql_text import identifier

# Columns without which a file is no export of GA4's.
REQUIRED = ("event_date", "event_timestamp", "event_name", "event_params", "user_pseudo_id")

_VALUE = (
    "STRUCT(string_value VARCHAR, int_value VARCHAR, float_value VARCHAR, double_value VARCHAR)"
)
ITEM_NUMBERS = ("price", "item_revenue")
ITEM_FIELDS = (
    "item_id", "item_name", "item_list_name", "item_brand", "item_category", "item_variant",
    "quantity", "promotion_id", "promotion_name", "creative_name", "creative_slot", "coupon",
    "item_list_index", *ITEM_NUMBERS,
)  # fmt: skip
_ITEM = ", ".join(f"{name} VARCHAR" for name in ITEM_FIELDS)
# What is read of newline JSON. Everything that may be text or a number is text until it is used;
# `ecommerce` may be a record or the text "null".
JSON_COLUMNS = {
    "event_date": "VARCHAR",
    "event_timestamp": "VARCHAR",
    "event_name": "VARCHAR",
    "event_params": f'STRUCT("key" VARCHAR, "value" {_VALUE})[]',
    "user_pseudo_id": "VARCHAR",
    "device": "STRUCT(category VARCHAR, operating_system VARCHAR, language VARCHAR, "
    "web_info STRUCT(browser VARCHAR, hostname VARCHAR))",
    "geo": "STRUCT(continent VARCHAR, country VARCHAR, region VARCHAR, city VARCHAR)",
    "platform": "VARCHAR",
    "ecommerce": "JSON",
    "items": f"STRUCT({_ITEM})[]",
    "collected_traffic_source": "STRUCT(manual_source VARCHAR, manual_medium VARCHAR, "
    "manual_campaign_name VARCHAR, gclid VARCHAR)",
    "session_traffic_source_last_click": "STRUCT(cross_channel_campaign STRUCT(source VARCHAR, "
    "medium VARCHAR, campaign_name VARCHAR, default_channel_group VARCHAR))",
    "is_active_user": "VARCHAR",
    "batch_event_index": "VARCHAR",
    "batch_ordering_id": "VARCHAR",
    "batch_page_id": "VARCHAR",
}  # fmt: skip


@dataclass(frozen=True)
class Columns:
    """The columns that files have: name → DuckDB type."""

    types: Mapping[str, DuckDBPyType]

    def has(self, column: str) -> bool:
        """Whether the column is there at all."""
        return column in self.types

    def field(self, path: str, kind: str = "VARCHAR") -> str:
        """A column, or a field of nested records (`device.web_info.browser`), or NULL."""
        first, *rest = path.split(".")
        sql, found = identifier(first), self.types.get(first)
        for place, name in enumerate(rest):
            if found is not None and found.id == "varchar":
                # A record that was written as text.
                return _cast(
                    f"json_extract_string({_json(sql)}, '$.{'.'.join(rest[place:])}')", kind
                )
            found = _children(found).get(name)
            sql += f".{identifier(name)}"
        return _cast(sql if found is not None else "NULL", kind)

    def is_list_of_records(self, column: str) -> bool:
        """Whether it is what `event_params` and `items` are."""
        fields = self._element_type(column)
        return {"key", "value"} <= set(fields) if column == "event_params" else bool(fields)

    def parameters(self) -> tuple[str, str]:
        """The lists of an event's parameter names, and of their values as the API shows them."""
        name, value = self._element("event_params", "p")
        known = _children(self._element_type("event_params").get("value"))
        parts = {kind: f"{value}.{kind}" for kind in known}
        kinds = (kind for kind in ("double_value", "float_value") if kind in parts)
        number = _first([_cast(parts[kind], "DOUBLE") for kind in kinds])
        text = _first(
            [
                *(f"CAST({parts[kind]} AS VARCHAR)" for kind in ("string_value", "int_value")
                  if kind in parts),
                f"regexp_replace(CAST({number} AS VARCHAR), '\\.0$', '')",
            ]
        )  # fmt: skip
        listed = self.items_of("event_params")
        return (
            f"list_transform({listed}, lambda p: {name})",
            f"list_transform({listed}, lambda p: {text})",
        )

    def items_of(self, column: str) -> str:
        """A list column without the level `list` that some writers put around it."""
        found = self.types.get(column)
        if found is None:
            return "[]"
        return f"{identifier(column)}.list" if found.id == "struct" else identifier(column)

    def item(self, name: str, kind: str = "VARCHAR") -> str:
        """A field of `item`, one unnested element of `items`, or NULL."""
        if name not in self._element_type("items"):
            return _cast("NULL", kind)
        element = "item.element" if self._has_element("items") else "item"
        return _cast(f"{element}.{identifier(name)}", kind)

    def item_text(self, name: str) -> str:
        """A field of `item` as text, the same for 10, 10.0 and "10"."""
        is_number = name in ITEM_NUMBERS
        return _cast(self.item(name, "DOUBLE" if is_number else "VARCHAR"), "VARCHAR")

    def _element(self, column: str, row: str) -> tuple[str, str]:
        place = f"{row}.element" if self._has_element(column) else row
        return f'{place}."key"', f'{place}."value"'

    def _has_element(self, column: str) -> bool:
        found = self.types.get(column)
        return found is not None and found.id == "struct"

    def _element_type(self, column: str) -> Mapping[str, DuckDBPyType]:
        found = self.types.get(column)
        if found is not None and found.id == "struct":
            found = _children(found).get("list")
        if found is None or found.id != "list":
            return {}
        inner = _children(dict(found.children)["child"])
        return _children(inner.get("element")) if self._has_element(column) else inner


def _json(sql: str) -> str:
    """A record that was written as text, or as text within JSON."""
    text = f"CAST({sql} AS VARCHAR)"
    bare = f"CASE WHEN json_valid({text}) THEN json_extract_string({text}, '$') END"
    return f"CASE WHEN json_valid({bare}) THEN {bare} END"


def _children(kind: object) -> dict[str, DuckDBPyType]:
    """Fields of a record; of any other type none."""
    if not isinstance(kind, DuckDBPyType) or kind.id != "struct":
        return {}
    return {name: child for name, child in kind.children if isinstance(child, DuckDBPyType)}


def _first(choices: list[str]) -> str:
    return f"coalesce({', '.join([*choices, 'NULL'])})"


def _cast(sql: str, kind: str) -> str:
    """A value that does not fit is none: one odd row must not cost a day."""
    return f"TRY_CAST({sql} AS {kind})"
