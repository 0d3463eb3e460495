"""Whatever stands in a user's files: they are read, or refused in one sentence; never a traceback.

What is accepted is accepted by DuckDB, too, and comes back as it was written. `FUZZ=5000` in the
environment tries so many inputs a test, other ones each time.
"""

import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from dbt_common.clients.agate_helper import from_csv
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.config.folders import DBT_PROJECT_DIR, PROJECT_DIR
from pipelines.config.register import read_register
from pipelines.config.settings import Property, Settings, load_settings
from pipelines.config.textfile import NO_TEXT
from pipelines.config.tracking_plan import SEEDS, SEEDS_DIR, TrackingPlan, load_plan
from pipelines.config.tracking_plan.seed_files import read_seed
from pipelines.errors import SluiceError
from pipelines.ga4.report_catalog import build_reports
from pipelines.gtm.container import build_container
from pipelines.gtm.events import select_events, whole_plan
from pipelines.warehouse.change_register import remember_register
from pipelines.warehouse.schema import OPS_TABLES, make_tables
from pipelines.warehouse.tracking_overrides import remember_plan
from tests.unit.gtm.tag_manager import File

pytestmark = pytest.mark.slow


def fuzzed(examples: int) -> settings:
    """The same inputs in every run of the tests; others, and more, by hand."""
    asked = os.environ.get("FUZZ")
    return settings(
        max_examples=int(asked or examples),
        derandomize=asked is None,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


# As they are written in YAML, in CSV and in a variable.
NASTY = st.sampled_from([
    "", " ", "~", "null", "yes", "0", "1", "-1", "3", "0.05", "0.1", ".5", "1e400", "nan", ".inf",
    "9" * 30, "0123", "0x1F", "1_000", "12:30", "25:00", "٣", "2026-01-31", "2026-02-30",
    "20260101", "2026-W01-1", "a|b", "a||b", "|", "&", "a=1", "a=1&b>=2", "a>=٣", "=", "{x}",
    "{0}", "%s", "'",
    '"', '"\\0"', '"\\ud800"', '"\\n"', "a\nb", "a\rb", "\t", "\u2028", "\ufeff", "\u00a0", "\x00",
    "\x1b[31m", "é", "🛒", "&x", "*x", "!!python/name:os.system", "<<", "[[a]]", "{a: b}", "- a",
    "#", "? a", "---", "%YAML 9", "@previous", "sessions", "all", "product", "mobile", "wishlist",
    "gallery", "add_to_cart_rate", "true", "custom", "intent", "x" * 300, "[" * 2000,
    "127.0.0.1:1", "Europe/Berlin", "https://hooks.example.com/x", "../..", "~root/x", "/dev/zero",
])  # fmt: skip
TEXTS = NASTY | st.text(max_size=12)
WRITTEN = TEXTS | TEXTS.map(json.dumps)


def flow(names: st.SearchStrategy[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A mapping of YAML in one line."""
    pairs = st.lists(st.tuples(names, values).map(": ".join), max_size=4)
    return pairs.map(lambda all_: "{" + ", ".join(all_) + "}")


def listed(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(values, max_size=3).map(lambda all_: "[" + ", ".join(all_) + "]")


ANYTHING = st.recursive(WRITTEN, lambda some: listed(some) | flow(WRITTEN, some), max_leaves=5)


def blocks(sections: dict[str, st.SearchStrategy[str]]) -> st.SearchStrategy[str]:
    """A whole file: some of the sections, each with what belongs there, or with anything."""
    one = st.one_of(
        *(
            st.tuples(st.just(name), value | ANYTHING).map(": ".join)
            for name, value in sections.items()
        ),
        st.tuples(WRITTEN, ANYTHING).map(": ".join),
    )
    return st.lists(one, max_size=4).map("\n".join)


def damaged(text: bytes) -> st.SearchStrategy[bytes]:
    """The text with some bytes at some places replaced by others."""
    place = st.integers(0, len(text))
    edit = st.tuples(place, st.integers(0, 4), TEXTS.map(lambda new: new.encode(errors="replace")))

    def apply(edits: list[tuple[int, int, bytes]]) -> bytes:
        result = text
        for start, length, new in edits:
            result = result[:start] + new + result[start + length :]
        return result

    return st.lists(edit, min_size=1, max_size=3).map(apply)


def as_bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def or_refused(read: Callable[[], Any]) -> Any:
    """What is read; None where it was refused in one sentence."""
    try:
        return read()
    except SluiceError as error:
        said = str(error)
        assert len(said.splitlines()) == 1
        assert said[-1] in ".?"
        assert not NO_TEXT.search(said)
        return None


SECTIONS = {
    name: flow(st.sampled_from(sorted(type(value).model_fields)), ANYTHING)
    for name, value in Settings()
    if hasattr(value, "model_fields")
}
PROPERTY = flow(st.sampled_from(["id", "name", "source", "path", "time_zone"]), WRITTEN)
SETTINGS = blocks({
    **SECTIONS, "home": WRITTEN, "tracking_plan": WRITTEN, "engine": WRITTEN,
    "properties": listed(PROPERTY),
})  # fmt: skip
EXAMPLE = (PROJECT_DIR / "sluice.example.yml").read_bytes()


def texts_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts_of(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts_of(one)]
    return [value] if isinstance(value, str) else []


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A build database's tables of overrides, in memory."""
    with duckdb.connect() as connection:
        make_tables(connection, "ops", OPS_TABLES)
        yield connection


def refuse_unusable(found: Settings | None, database: duckdb.DuckDBPyConnection) -> None:
    """Every text of the settings is one that DuckDB takes, in one line."""
    for text in texts_of(found.model_dump(mode="json")) if found else []:
        assert database.execute("select ?", [text]).fetchone() == (text,)
        assert len(text.splitlines()) <= 1


@fuzzed(200)
@given(SETTINGS.map(as_bytes) | damaged(EXAMPLE) | st.binary(max_size=40))
def test_settings(tmp_path: Path, database: duckdb.DuckDBPyConnection, content: bytes) -> None:
    path = tmp_path / "sluice.yml"
    path.write_bytes(content)
    refuse_unusable(or_refused(lambda: load_settings(path)), database)


VARIABLES = [
    "SLUICE_HOME", "SLUICE_STORE", "SLUICE_STORE_NAME", "SLUICE_GA4", "SLUICE_GA4__ENDPOINT",
    "SLUICE_GA4_CREDENTIALS", "SLUICE_PROPERTIES", "SLUICE_TRACKING_PLAN", "SLUICE_NIGHTLY_AT",
    "SLUICE_NIGHTLY_SWEEP_DAYS", "SLUICE_ALERTS", "SLUICE_PUBLISH_PARQUET", "sluice_engine",
    "SLUICE_STORE_NMAE", "SLUICE_CONFIG",
]  # fmt: skip
JSON_TEXTS = st.recursive(
    TEXTS | st.integers() | st.floats() | st.none() | st.booleans(),
    lambda some: (
        st.lists(some, max_size=3) | st.dictionaries(st.sampled_from(["id", "name", "x"]), some)
    ),
    max_leaves=6,
).map(json.dumps)


@fuzzed(200)
@given(st.dictionaries(st.sampled_from(VARIABLES), TEXTS | JSON_TEXTS | ANYTHING, max_size=2))
def test_variables(
    database: duckdb.DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
) -> None:
    with monkeypatch.context() as environment:
        for name, value in variables.items():
            # An environment holds neither of these.
            environment.setenv(name, value.replace("\x00", "").encode(errors="replace").decode())
        refuse_unusable(or_refused(load_settings), database)


WHOLE_PLAN, TODAY = load_plan(), date(2026, 6, 30)
KEYS = st.sampled_from(["gallery", "wishlist", "sessions", "purchase", "new_key"]) | WRITTEN
COLUMNS = st.sampled_from(sorted(SEEDS["micro_conversions"].model_fields))
TRIGGER_COLUMNS = st.sampled_from(["kind", "kind: click, selector", "kind: event, selector"])
BENCHMARK_COLUMNS = st.sampled_from(sorted(SEEDS["benchmarks"].model_fields))
RANGE = "benchmark_key: add_to_cart_rate, low: 0.05, high: 0.1, source: me, source_date: 2026-01-01"
NEW_KEY = "stage: home, family: intent, event_names: x, description: x"
PLANS = blocks({
    "micro_conversions": flow(
        KEYS,
        flow(COLUMNS, ANYTHING)
        | st.tuples(COLUMNS, WRITTEN).map(lambda one: f"{{{NEW_KEY}, {': '.join(one)}}}")
        | flow(TRIGGER_COLUMNS, WRITTEN).map(lambda one: f"{{trigger: {one}}}"),
    ),
    "not_applicable": listed(KEYS),
    "benchmarks": listed(
        flow(BENCHMARK_COLUMNS, WRITTEN)
        | st.tuples(st.sampled_from(["region", "industry", "device", "is_default"]), WRITTEN).map(
            lambda one: f"{{{RANGE}, {': '.join(one)}}}"
        )
    ),
})  # fmt: skip
WHOLE = f"""
micro_conversions:
  add_to_cart: {{event_names: [add_to_cart, addToCart], benchmark_key: null}}
  gallery: {{parameter_filter: "image_no>=2", parent_key: sessions, intent_rank: 3}}
  read_more: {{trigger: {{kind: click, selector: 'details > summary:not([x="]"])'}}}}
  chat_open: {{{NEW_KEY}, parameters: [a, b], is_expected: yes}}
not_applicable: [wishlist, chat_open]
benchmarks:
  - {{{RANGE}}}
""".encode()
# The rule of int_plan__resolved.sql on what GA4 has to count.
COMPOSITE = "trim(event_names, ' |') like '%|%' or parameter_filter is not null"


def refuse_other_plan(plan: TrackingPlan, database: duckdb.DuckDBPyConnection) -> None:
    """What SQL reads of the plan is what Python read."""
    remember_plan(database, plan)
    rows = database.execute(
        f"select key, event_names, intent_rank, is_expected, {COMPOSITE} "
        "from ops.tracking_plan_overrides"
    ).fetchall()
    ranges = database.execute(
        "select low, high, cast(source_date as varchar) from ops.benchmark_overrides"
    ).fetchall()
    micros = {micro.key: micro for micro in plan.micro_conversions}
    assert rows == [
        (
            row["key"], row["event_names"], int(row["intent_rank"]) if row["intent_rank"] else None,
            micros[row["key"]].is_expected, micros[row["key"]].is_composite,
        )
        for row in plan.shop.plan
    ]  # fmt: skip
    assert ranges == [
        (float(row["low"]), float(row["high"]), row["source_date"]) for row in plan.shop.benchmarks
    ]
    assert build_reports(plan)


@fuzzed(200)
@given(PLANS.map(as_bytes) | damaged(WHOLE) | st.binary(max_size=40))
def test_a_tracking_plan(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, content: bytes
) -> None:
    path = tmp_path / "tracking_plan.yml"
    path.write_bytes(content)
    plan = or_refused(lambda: load_plan(shop=path))
    if plan is not None:
        refuse_other_plan(plan, database)
        selection = or_refused(lambda: select_events(plan, whole_plan(plan)))
        if selection is not None and (plan.shop.plan or plan.shop.triggers):
            File.model_validate(build_container(selection, "G-8KQ2PD9VBN"))


ENTRY = {
    "hypothesis": "x", "stage": "product", "start": "2026-06-01", "variants": "[a, b]",
    "primary_metric": "add_to_cart", "page": "/x", "device": "all", "elements": "[b]",
    "end": "2026-06-09", "smallest_effect": "0.01",
}  # fmt: skip
MORE = (
    "key", "property", "guardrail", "outcomes", "exposure_event", "exposure_parameter",
    "exposure_values", "per",
)  # fmt: skip
COLUMN = st.tuples(st.sampled_from([*ENTRY, *MORE]) | WRITTEN, ANYTHING)


def entry(changed: tuple[str, str]) -> str:
    written = ", ".join(": ".join(one) for one in {**ENTRY, changed[0]: changed[1]}.items())
    return f"{{{written}}}"


REGISTER = flow(WRITTEN, COLUMN.map(entry) | ANYTHING).map(as_bytes)


@fuzzed(60)
@given(REGISTER | damaged(f"a: {entry(('start', '2026-06-02'))}".encode()))
def test_a_register(tmp_path: Path, database: duckdb.DuckDBPyConnection, content: bytes) -> None:
    path = tmp_path / "experiments.yml"
    path.write_bytes(content)
    shop = Settings(properties=(Property(id="1"),), experiments=path)
    register = or_refused(lambda: read_register(shop, WHOLE_PLAN, TODAY))
    if register is not None:
        remember_register(database, register, TODAY)
        stored = database.execute("select change_id, description from ops.changes").fetchall()
        assert stored == [(one.id, one.description) for one in register.entries]


def column_types(name: str) -> dict[str, str]:
    """What dbt casts the seed's columns to."""
    text = (DBT_PROJECT_DIR / "seeds" / f"{name}.yml").read_text(encoding="utf-8")
    types: dict[str, str] = yaml.safe_load(text)["seeds"][0]["config"]["column_types"]
    return types


TYPES = {name: column_types(name) for name in SEEDS}


def refuse_other_seed(folder: Path, name: str, database: duckdb.DuckDBPyConnection) -> None:
    """dbt reads the rows that Python read, and the database takes them."""
    types, ours = TYPES[name], read_seed(folder, name)
    table = from_csv(folder / f"{name}.csv", text_columns=types)
    theirs = [dict(zip(table.column_names, row.values(), strict=True)) for row in table.rows]
    assert theirs == [{column: cell or None for column, cell in row.items()} for row in ours]
    marks = ", ".join(f"cast(? as {types[column]})" for column in table.column_names)
    for row in theirs:
        database.execute(f"select {marks}", list(row.values()))


def with_cells(name: str) -> st.SearchStrategy[bytes]:
    """The seed with some cells replaced."""
    with (SEEDS_DIR / f"{name}.csv").open(newline="", encoding="utf-8") as lines:
        header, *rows = csv.reader(lines)
    rows = rows or [["sale", "Sale", "", "", "", "", "2026-03-01", ""]]
    place = st.tuples(st.integers(0, len(rows) - 1), st.sampled_from(range(len(header))), TEXTS)

    def apply(edits: list[tuple[int, int, str]]) -> bytes:
        changed = [list(row) for row in rows]
        for row, column, cell in edits:
            changed[row][column] = cell
        file = io.StringIO()
        csv.writer(file).writerows([header, *changed])
        return as_bytes(file.getvalue())

    return st.lists(place, min_size=1, max_size=2).map(apply)


@pytest.mark.parametrize("name", SEEDS)
@fuzzed(40)
@given(data=st.data())
def test_a_seed(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, name: str, data: st.DataObject
) -> None:
    for other in SEEDS:
        shutil.copy(SEEDS_DIR / f"{other}.csv", tmp_path)
    path = tmp_path / f"{name}.csv"
    path.write_bytes(data.draw(with_cells(name) | damaged(path.read_bytes())))
    if or_refused(lambda: load_plan(tmp_path)) is not None:
        refuse_other_seed(tmp_path, name, database)
