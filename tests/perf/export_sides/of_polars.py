"""Polars: one lazy scan to flat columns, then groups, and a join a step of the funnel."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tests.perf.export_sides.told import FIELDS, PARAMETERS, Task, task, tell

_KINDS = ("string_value", "int_value", "double_value", "float_value")
_KEYS = {
    "day": pl.col("event_date").cast(pl.Categorical),
    "event": pl.col("event_name").cast(pl.Categorical),
    "moment": pl.col("event_timestamp"),
    "user": pl.col("user_pseudo_id").hash(),
}
_SESSION = pl.when(pl.col("number").is_not_null()).then(pl.struct("user", "number").hash())
_VALUE = pl.element().struct.field("value").struct
_TEXT = pl.struct(
    key=pl.element().struct.field("key"),
    text=pl.coalesce(*(_VALUE.field(kind).cast(pl.String) for kind in _KINDS)),
)


def main() -> None:
    asked = task()
    flat = _landed(asked) if asked.landed else _bare(asked)
    session = pl.col("session").drop_nulls().n_unique()
    reach = flat.group_by("day", "event").agg(pl.len(), session).collect(engine="streaming")
    sessions = flat.group_by("day").agg(session).collect(engine="streaming")
    late = flat.filter(pl.col("day").cast(pl.String) >= asked.funnel_from)
    steps = late.filter(pl.col("event").cast(pl.String).is_in(asked.steps))
    events = steps.select("event", "moment", "user", "session").collect(engine="streaming")
    reached = (_reached(events, asked.steps, unit) for unit in ("user", "session"))
    tell(reach.rows(), sessions.rows(), *reached)


def _bare(asked: Task) -> pl.LazyFrame:
    own = pl.element().filter(pl.element().struct.field("key") == "ga_session_id")
    number = pl.col("event_params").list.eval(own.struct.field("value").struct.field("int_value"))
    flat = pl.scan_parquet(asked.files).select(**_KEYS, number=number.list.first())
    return flat.select(*_KEYS, session=_SESSION).collect(engine="streaming").lazy()


def _landed(asked: Task) -> pl.LazyFrame:
    """All that is needed, and the units of items, as files."""
    folder = Path(asked.landed)
    (
        pl.scan_parquet(asked.files)
        # Made text once for all lookups, which takes two thirds of a lookup in each kind.
        .with_columns(texts=pl.col("event_params").list.eval(_TEXT))
        .select(
            **_KEYS,
            number=_parameter("ga_session_id"),
            **{name: _parameter(name) for name in PARAMETERS},
            **{name: _field(path) for name, path in FIELDS.items()},
        )
        .with_columns(session=_SESSION)
        .sink_parquet(folder / "events.parquet")
    )
    item, keys = pl.col("items").struct, ("item_id", "item_name", "item_list_name")
    units = (
        pl.scan_parquet(asked.files)
        .select("event_name", "items")
        .filter(pl.col("items").list.len() > 0)
        .explode("items")
        .select(
            "event_name", *(item.field(key) for key in keys),
            units=item.field("quantity"), money=item.field("price") * item.field("quantity"),
        )
        .group_by("event_name", *keys)
        .agg(pl.col("units").sum(), pl.col("money").sum())
    )  # fmt: skip
    units.sink_parquet(folder / "items.parquet")
    return pl.scan_parquet(folder / "events.parquet")


def _parameter(name: str) -> pl.Expr:
    own = pl.element().filter(pl.element().struct.field("key") == name)
    return pl.col("texts").list.eval(own.struct.field("text")).list.first()


def _field(path: str) -> pl.Expr:
    first, *rest = path.split(".")
    found = pl.col(first)
    for name in rest:
        found = found.struct.field(name)
    return found


def _reached(events: pl.DataFrame, steps: list[str], unit: str) -> list[int]:
    """Units at each step: at its first event at or after the moment of the step before."""
    first = pl.col("moment").min().alias("before")
    own = events.filter(pl.col(unit).is_not_null())
    found = own.filter(pl.col("event") == steps[0]).group_by(unit).agg(first)
    counts = [found.height]
    for name in steps[1:]:
        after = own.filter(pl.col("event") == name).join(found, on=unit)
        found = after.filter(pl.col("moment") >= pl.col("before")).group_by(unit).agg(first)
        counts.append(found.height)
    return counts


if __name__ == "__main__":
    main()
