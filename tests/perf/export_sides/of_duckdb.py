"""The floor: one SELECT that decodes the columns that the default tracking plan needs.

Every parameter is looked up and made text, nothing is written and no number told. Of the ways that
DuckDB has to look one up this is the cheapest that was found: list_filter takes twice as long.
"""

from __future__ import annotations

import duckdb

from tests.perf.export_sides.told import FIELDS, PARAMETERS, task, tell


def main() -> None:
    asked = task()
    kinds = ("string_value", "int_value", "double_value", "float_value")
    text = f"coalesce({', '.join(f'CAST(p.value.{kind} AS VARCHAR)' for kind in kinds)})"
    needed = [f"texts[list_position(names, '{name}')]" for name in ("ga_session_id", *PARAMETERS)]
    needed += ["event_date", "event_name", "event_timestamp", "user_pseudo_id", *FIELDS.values()]
    item = ("item_id", "item_name", "item_list_name", "quantity", "price", "item_revenue")
    items = "[" + ", ".join(f"hash(item.{name})" for name in item) + "]"
    needed.append(f"list_transform(items, lambda item: {items})")
    duckdb.execute(
        f"""
SELECT {", ".join(f"count({column})" for column in needed)}
FROM (
    SELECT *, list_transform(event_params, lambda p: p.key) AS names,
        list_transform(event_params, lambda p: {text}) AS texts
    FROM read_parquet('{asked.files}')
)
"""
    ).fetchall()
    tell([], [], [], [])


if __name__ == "__main__":
    main()
