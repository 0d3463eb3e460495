"""Rows of an export's files as SQL: which can be counted, and what they hold before it is flat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipelines.export.columns import ITEM_FIELDS, Columns


@dataclass(frozen=True)
class EventRows:
    """Rows of files of one format. `relation`: FROM, with `place`, a row's own number in it."""

    columns: Columns
    relation: str
    number: int

    @property
    def position(self) -> str:
        """A row's place among all files of its day."""
        return f"({self.number}::UBIGINT << 60) + place"

    def judged_sql(self, day: date) -> str:
        """Whether each row is named and of the day; neither says anything of its content."""
        return (
            "SELECT user_pseudo_id, coalesce(event_name <> '' "
            "AND TRY_CAST(event_timestamp AS BIGINT) IS NOT NULL, false) AS is_named, "
            f"coalesce(event_date = '{day:%Y%m%d}', false) AS is_of_day FROM {self.relation}"
        )

    def decoded_sql(self, day: date) -> str:
        """The rows that can be counted, with the lists of their parameters' names and values."""
        names, texts = self.columns.parameters()
        return f"SELECT *, {names} AS param_names, {texts} AS param_texts FROM {self._usable(day)}"

    def items_sql(self, day: date) -> str:
        """Every item of the rows that can be counted, with the row's position and event name."""
        return (
            f"SELECT {self.position} AS position, CAST(event_name AS VARCHAR) AS event_name, "
            f"unnest({self.columns.items_of('items')}) AS item FROM {self._usable(day)}"
        )

    def _usable(self, day: date) -> str:
        return (
            f"{self.relation} WHERE event_date = '{day:%Y%m%d}' AND event_name <> '' "
            "AND TRY_CAST(event_timestamp AS BIGINT) IS NOT NULL AND user_pseudo_id IS NOT NULL"
        )

    def content_sql(self, day: date) -> str:
        """`position`, and a hash of all that an event carries, however it is written."""
        told = ("batch_event_index", "batch_ordering_id", "batch_page_id",
                "ecommerce.transaction_id")  # fmt: skip
        parts = ["param_names", "param_texts", *map(self.columns.field, told)]
        parts.append(self.columns.field("ecommerce.purchase_revenue", "DOUBLE"))
        if self.columns.has("items"):
            fields = ", ".join(map(self.columns.item_text, ITEM_FIELDS))
            items = f"list_transform({self.columns.items_of('items')}, lambda item: [{fields}])"
            parts.append(f"nullif({items}, [])")
        else:
            parts.append("NULL")
        return (
            f"SELECT {self.position} AS position, hash({', '.join(parts)}) AS content "
            f"FROM ({self.decoded_sql(day)})"
        )
