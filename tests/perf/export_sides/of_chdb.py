"""chdb: the files decoded once; the funnel by ClickHouse's windowFunnel.

windowFunnel tells how far a unit came within a window after its first step, and no moments. With a
window longer than the period it is the strict ordered funnel: events of one moment are in order.
"""

from __future__ import annotations

import json
from typing import Any

from chdb import session as chdb_session

from tests.perf.export_sides.told import FIELDS, PARAMETERS, Task, task, tell

_FOREVER = 10**15
_KEYS = "event_params.key"
# Made text once for all lookups, which takes two thirds of a lookup in each kind.
_KINDS = [f"event_params.value.{kind}_value" for kind in ("string", "int", "double", "float")]
_TEXTS = f"""
    arrayMap((s, i, d, f) -> coalesce(s, toString(i), toString(d), toString(f)),
        {", ".join(_KINDS)}) AS texts
"""
_BARE = f"""
    toLowCardinality(assumeNotNull(event_date)) AS day,
    toLowCardinality(assumeNotNull(event_name)) AS event,
    toUInt64(assumeNotNull(event_timestamp)) AS moment, cityHash64(user_pseudo_id) AS user,
    event_params.value.int_value[indexOf({_KEYS}, 'ga_session_id')] AS number,
    if(isNull(number), NULL, cityHash64(user, number)) AS session
"""


def main() -> None:
    asked = task()
    with chdb_session.Session() as session:

        def rows(sql: str) -> list[Any]:
            lines = str(session.query(sql, "JSONCompactEachRow")).splitlines()
            return [json.loads(line) for line in lines]

        session.query("SET output_format_json_quote_64bit_integers = 0")
        session.query("SET engine_file_truncate_on_insert = 1")
        for sql in _landing(asked) if asked.landed else [_in_memory(asked)]:
            session.query(sql)
        flat = f"file('{asked.landed}/events.parquet', Parquet)" if asked.landed else "flat"
        # uniqExact leaves out NULL.
        reach = rows(f"SELECT day, event, count(), uniqExact(session) FROM {flat} GROUP BY ALL")
        sessions = rows(f"SELECT day, uniqExact(session) FROM {flat} GROUP BY ALL")
        steps = ", ".join(f"event = '{name}'" for name in asked.steps)
        names = ", ".join(f"'{name}'" for name in asked.steps)
        levels = (
            rows(
                f"""
SELECT level, count() FROM (
    SELECT {unit}, windowFunnel({_FOREVER})(moment, {steps}) AS level FROM {flat}
    WHERE day >= '{asked.funnel_from}' AND event IN ({names}) AND {unit} IS NOT NULL
    GROUP BY {unit}
) GROUP BY level
"""
            )
            for unit in ("user", "session")
        )
        places = range(1, len(asked.steps) + 1)
        reached = ([sum(n for level, n in found if level >= k) for k in places] for found in levels)
        tell(reach, sessions, *reached)


def _in_memory(asked: Task) -> str:
    return (
        f"CREATE TABLE flat ENGINE = Memory AS SELECT {_BARE} FROM file('{asked.files}', Parquet)"
    )


def _landing(asked: Task) -> list[str]:
    """All that is needed, and the units of items, as files."""
    looked_up = ", ".join(
        f"texts[indexOf({_KEYS}, '{name}')] AS param_{name}" for name in PARAMETERS
    )
    fields = ", ".join(f"{path} AS {name}" for name, path in FIELDS.items())
    keys = "event_name, item.item_id AS id, item.item_name AS name, item.item_list_name AS list"
    return [
        f"INSERT INTO FUNCTION file('{asked.landed}/events.parquet', Parquet) "
        f"SELECT * EXCEPT texts FROM (SELECT {_BARE}, {_TEXTS}, {looked_up}, {fields} "
        f"FROM file('{asked.files}', Parquet))",
        f"INSERT INTO FUNCTION file('{asked.landed}/items.parquet', Parquet) "
        f"SELECT {keys}, sum(item.quantity) AS units, sum(item.price * item.quantity) AS money "
        f"FROM file('{asked.files}', Parquet) ARRAY JOIN items AS item GROUP BY ALL",
    ]


if __name__ == "__main__":
    main()
