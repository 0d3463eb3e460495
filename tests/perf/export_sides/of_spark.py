"""Spark in one process with two threads: flat columns, then a join a step of the funnel."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from tests.perf.export_sides.told import FIELDS, PARAMETERS, Task, task, tell

# Made text once for all lookups.
_KINDS = (f"string(p.value.{kind}_value)" for kind in ("string", "int", "double", "float"))
_TEXTS = (
    "transform(event_params, p -> "
    f"named_struct('key', p.key, 'text', coalesce({', '.join(_KINDS)})))"
)


def main() -> None:
    asked = task()
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.memory", "8g")
        .config("spark.sql.shuffle.partitions", "8")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    flat = _landed(spark, asked) if asked.landed else _flat(spark, asked).cache()
    session = sf.count_distinct("session")
    reach = flat.groupBy("day", "event").agg(sf.count("*"), session).collect()
    sessions = flat.groupBy("day").agg(session).collect()
    late = flat.filter((sf.col("day") >= asked.funnel_from) & sf.col("event").isin(asked.steps))
    users = _reached(late, asked.steps, "user")
    of_sessions = _reached(late, asked.steps, "session")
    machine = spark.sparkContext._gateway.proc.pid
    tell(reach, sessions, users, of_sessions, also=(machine,))
    spark.stop()


def _flat(spark: SparkSession, asked: Task, *more: str) -> DataFrame:
    number = "get(filter(event_params, p -> p.key = 'ga_session_id'), 0).value.int_value"
    raw = spark.read.parquet(asked.files)
    return raw.selectExpr("*", f"{_TEXTS} AS texts").selectExpr(
        "event_date AS day", "event_name AS event", "event_timestamp AS moment",
        "xxhash64(user_pseudo_id) AS user",
        f"CASE WHEN {number} IS NOT NULL THEN xxhash64(user_pseudo_id, {number}) END AS session",
        *more,
    )  # fmt: skip


def _landed(spark: SparkSession, asked: Task) -> DataFrame:
    """All that is needed, and the units of items, as files."""
    looked_up = (
        f"get(filter(texts, p -> p.key = '{name}'), 0).text AS {name}" for name in PARAMETERS
    )
    fields = (f"{path} AS {name}" for name, path in FIELDS.items())
    _flat(spark, asked, *looked_up, *fields).write.parquet(f"{asked.landed}/events")
    keys = ("item_id", "item_name", "item_list_name")
    items = (
        spark.read.parquet(asked.files)
        .select("event_name", sf.explode("items").alias("item"))
        .groupBy("event_name", *(f"item.{key}" for key in keys))
        .agg(sf.expr("sum(item.quantity) units"), sf.expr("sum(item.price * item.quantity) money"))
    )
    items.write.parquet(f"{asked.landed}/items")
    return spark.read.parquet(f"{asked.landed}/events")


def _reached(events: DataFrame, steps: list[str], unit: str) -> list[int]:
    """Units at each step: at its first event at or after the moment of the step before."""
    first = sf.min("moment").alias("before")
    own = events.filter(sf.col(unit).isNotNull())
    found = own.filter(sf.col("event") == steps[0]).groupBy(unit).agg(first)
    reached = [found]
    for name in steps[1:]:
        after = own.filter(sf.col("event") == name).join(found, on=unit)
        found = after.filter(sf.col("moment") >= sf.col("before")).groupBy(unit).agg(first)
        reached.append(found)
    return [one.count() for one in reached]


if __name__ == "__main__":
    main()
