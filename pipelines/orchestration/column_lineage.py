"""Which columns every column of a model is made of, for Dagster's UI.

dagster-dbt derives it as each model is built: more than 6 s of the processor a night. Here it is
derived when the definitions are loaded for the UI (1 s for all models), from the SQL that the
newest run built and the columns in the build database, and kept with the SQL's checksum: what did
not change is not read again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dagster import AssetKey, TableColumnDep, TableColumnLineage
from sqlglot import MappingSchema, exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.qualify import qualify

from pipelines.config.settings import Settings
from pipelines.errors import WarehouseError
from pipelines.monitoring.home_lock import lock_path, no_run
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.table_facts import table_columns

DIALECT, KEY = "duckdb", "dagster/column_lineage"
# Column → what it is made of, as (asset, column); and that of every model.
Columns = dict[str, list[list[str]]]
Lineage = dict[str, Columns]


def derive_lineage(settings: Settings) -> Lineage:
    """The lineage of every model that the newest run built from SQL.

    While a run has the build database open, what was derived before.
    """
    path = settings.cache_dir / "column_lineage.json"
    kept = _kept(path)
    texts = _compiled(settings.logs_dir)
    sums = {model: hashlib.sha256(sql.encode()).hexdigest() for model, sql in texts.items()}
    changed = [model for model, digest in sums.items() if kept.get(model, {}).get("sql") != digest]
    schema = None
    # Of a build database that cannot be read the status tells; the UI starts all the same.
    with no_run(lock_path(settings)) as is_idle, suppress(WarehouseError):
        schema = _schema(settings.build_db) if changed and is_idle else None
    if schema:
        derived = {
            model: {"sql": sums[model], "columns": _columns(texts[model], schema)}
            for model in changed
        }
        kept = {**{model: kept[model] for model in sums.keys() & kept.keys()}, **derived}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept), encoding="utf-8")
    return {model: one["columns"] for model, one in kept.items()}


def _kept(path: Path) -> dict[str, Any]:
    """Model → checksum and columns as they were derived before; nothing of a damaged file."""
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        return {}


def _compiled(logs_dir: Path) -> dict[str, str]:
    """Model → its SQL in the newest run that built marts."""
    built = sorted(logs_dir.glob("*/dbt_marts/compiled"), key=lambda path: path.stat().st_mtime)
    if not built:
        return {}
    return {
        path.stem: path.read_text("utf-8")
        for path in sorted(built[-1].parents[1].glob("dbt_*/compiled/*/models/**/*.sql"))
        # Beside the models lie their tests, in folders named as their YAML.
        if path.parent.suffix != ".yml"
    }


def _schema(build_db: Path) -> MappingSchema:
    """The columns of every table and view, as sqlglot asks for them."""
    with build_database(build_db, read_only=True) as connection:
        tables = table_columns(connection)
        (database,) = connection.execute("select current_database()").fetchall()[0]
    known = MappingSchema(dialect=DIALECT)
    for (schema, table), columns in tables.items():
        known.add_table(exp.table_(table, schema, database), columns, dialect=DIALECT)
    return known


def _columns(sql: str, schema: MappingSchema) -> Columns:
    """Column → what it is made of; nothing where sqlglot does not follow the statement."""
    try:
        query = _with_like_parts(parse_one(sql, dialect=DIALECT), schema)
        nodes = lineage(None, query, schema, dialect=DIALECT, trim_selects=False)
    except (SqlglotError, ValueError):
        return {}
    return {column: sorted(map(list, _leaves(node))) for column, node in nodes.items()}


def _with_like_parts(query: exp.Expr, schema: MappingSchema) -> exp.Expr:
    """The same with NULL for what a part of a `union all by name` lacks: sqlglot goes by position.

    The innermost first, as its columns may be those of another part.
    """
    unions = list(query.find_all(exp.Union))
    for place in reversed(range(len(unions))):
        union = unions[place]
        if not union.args.get("by_name"):
            continue
        known = qualify(query.copy(), schema=schema, dialect=DIALECT, identify=False)
        told = list(known.find_all(exp.Union))[place]
        names = dict.fromkeys([*told.left.named_selects, *told.right.named_selects])
        union.set("this", _with_columns(union.left, told.left.named_selects, names))
        union.set("expression", _with_columns(union.right, told.right.named_selects, names))
        union.set("by_name", False)
    return query


def _with_columns(part: exp.Query, own: Sequence[str], names: Iterable[str]) -> exp.Select:
    columns = (exp.column(name, "part") if name in own else exp.null() for name in names)
    return exp.select(*map(exp.alias_, columns, names)).from_(part.subquery("part"))


def _leaves(node: Node) -> set[tuple[str, str]]:
    """(asset, column) at the ends of a column's way."""
    return {
        (f"{leaf.source.db}/{leaf.source.name}", leaf.name.rpartition(".")[2].strip('"'))
        for leaf in node.walk()
        if isinstance(leaf.source, exp.Table)
    }


def lineage_metadata(columns: Columns) -> dict[str, Any]:
    """The lineage of one asset's columns as Dagster reads it; nothing where none is known."""
    deps = {
        column: [TableColumnDep(AssetKey(asset.split("/")), name) for asset, name in parts]
        for column, parts in columns.items()
    }
    return {KEY: TableColumnLineage(deps)} if deps else {}
