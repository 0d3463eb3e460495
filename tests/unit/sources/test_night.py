"""A night of second sources: one transaction, a row of `ops.fetches` each, and nothing raised."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pydantic import SecretStr

from pipelines.clock import PinnedClock
from pipelines.config.second_sources import Shopify
from pipelines.config.settings import Property, Settings
from pipelines.emulator.shopify import serve_shopify
from pipelines.ingest.day_window import DayWindow
from pipelines.sources.configured import TABLES, configured_sources, tables_of, unused
from pipelines.sources.contract import Fetched, SourceError, SourceTable
from pipelines.sources.night import fetch_all
from pipelines.sources.token import read_token
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.fetches import ensure_source_tables
from tests.support.shopify_shop import FIRST, write_truth

NOW = datetime(2026, 6, 8, 4, 0, tzinfo=UTC)
CLOCK = PinnedClock(NOW, NOW)
LAST = date(2026, 6, 7)
TABLE = SourceTable("odd", "Odd.", {"date": "DATE", "n": "BIGINT"}, keys=("date",), counts=("n",))
OTHER = SourceTable("even", "Even.", {"date": "DATE", "n": "BIGINT"}, ("date",), ("n",))


class Hand:
    """A source that brings what it is given, or raises it."""

    name, property_id, account = "hand", "42", "a hand"
    tables: Sequence[SourceTable] = (TABLE, OTHER)

    def __init__(self, *brings: int | Exception) -> None:
        self.brings = list(brings)

    def fetch(self, table: SourceTable, window: DayWindow) -> Fetched:
        brought = self.brings.pop(0)
        if isinstance(brought, Exception):
            raise brought
        days = pa.array([window.end], pa.date32())
        rows = pa.table({"date": days, "n": pa.array([brought], pa.int64())})
        return Fetched(table, rows, (pa.table({"date": days}),))


def run(
    connection: duckdb.DuckDBPyConnection, *sources: Hand, end: date = LAST
) -> tuple[dict[str, str], list[tuple]]:
    ensure_source_tables(connection, (TABLE, OTHER))
    connection.execute("delete from ops.fetches")
    problems = fetch_all(connection, sources, DayWindow(end, end), run_id="r", clock=CLOCK)
    told = connection.execute(
        "select table_name, status, row_count, start_date from ops.fetches order by rowid"
    ).fetchall()
    return problems, told


def test_what_came_replaces_its_partitions_and_nothing_else(tmp_path: Path) -> None:
    first = date(2026, 3, 10)
    with build_database(tmp_path / "build.duckdb") as connection:
        assert run(connection, Hand(1, 2)) == (
            {},
            [("odd", "loaded", 1, first), ("even", "loaded", 1, first)],
        )
        run(connection, Hand(7, 8), end=date(2026, 6, 6))
        run(connection, Hand(3, 4))
        stored = connection.execute("select property_id, date, n from raw.odd order by date")
        assert stored.fetchall() == [("42", date(2026, 6, 6), 7), ("42", LAST, 3)]


def test_a_source_that_fails_is_said_and_keeps_what_it_had(tmp_path: Path) -> None:
    first = date(2026, 3, 10)
    with build_database(tmp_path / "build.duckdb") as connection:
        run(connection, Hand(1, 2))
        for brings, statuses in (
            ((SourceError("no"), 5), ("failed", "loaded")),
            # What would end all of it ends it at once; another source is asked all the same.
            ((SourceError("shut", is_general=True),), ("failed", "failed")),
            ((-1, 6), ("held_back", "loaded")),
            ((RuntimeError("a fault of ours"), 6), ("failed", "loaded")),
        ):
            problems, told = run(connection, Hand(*brings), Hand(3, 4))
            assert [one[1] for one in told] == [*statuses, "loaded", "loaded"]
            assert set(problems) == {
                name for name, *_ in told[:2] if statuses[("odd", "even").index(name)] != "loaded"
            }
            run(connection, Hand(1, 2))
            assert told[0] == ("odd", statuses[0], 0, first)
        assert run(connection, Hand(-1, SourceError("no")))[0]["odd"].startswith(
            "What came for odd contradicts itself (n is -1)"
        )
        assert connection.execute("select n from raw.odd").fetchall() == [(1,)]
        words = connection.execute("select message from ops.fetches").fetchall()
        assert all(len(one) for (one,) in words)


def test_a_kill_between_leaves_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.warehouse import fetches

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with build_database(tmp_path / "build.duckdb") as connection:
        run(connection, Hand(1, 2))
        monkeypatch.setattr(fetches, "insert_rows", killed)
        with pytest.raises(KeyboardInterrupt):
            run(connection, Hand(9, 9))
        assert connection.execute("select n from raw.odd").fetchall() == [(1,)]


def test_a_configured_shop_is_fetched_whole(tmp_path: Path) -> None:
    with serve_shopify(write_truth(tmp_path / "shop", 7)) as server:
        settings = Settings(
            home=tmp_path / "home",
            properties=(Property(id="42"),),
            shopify=(
                Shopify(
                    shop=server.shop,
                    property="42",
                    endpoint=server.endpoint,
                    token=SecretStr(server.token),
                ),
            ),
        )
        assert (tables_of(settings), unused(settings)) == (TABLES["shopify"], [*TABLES][1:])
        assert unused(Settings(home=tmp_path)) == [*TABLES]
        window = DayWindow(LAST, LAST)
        with build_database(tmp_path / "build.duckdb") as connection:
            ensure_source_tables(connection, chain(*TABLES.values()))
            sources = configured_sources(settings)
            assert fetch_all(connection, sources, window, run_id="r", clock=CLOCK) == {}
            ((sessions,),) = connection.execute(
                "select sum(sessions) from raw.shopify_sessions "
                "where device = 'all' and bot_filter = 'human' and date >= ?",
                [FIRST],
            ).fetchall()
            told = connection.execute(
                "select table_name, time_zone, currency, requests from ops.fetches order by 1"
            ).fetchall()
    assert sessions == 7 * 500
    assert told == [
        ("shopify_checkouts", "Europe/Berlin", "EUR", 3),
        ("shopify_sales", "Europe/Berlin", "EUR", 2),
        ("shopify_sessions", "Europe/Berlin", "EUR", 6),
    ]


def entry(**more: object) -> Shopify:
    return Shopify.model_validate({"shop": "a.myshopify.com", "property": "42", **more})


def test_a_token_comes_from_a_variable_or_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", " shpat_1 ")
    for given in (
        {"token": "$MY_TOKEN"},
        {"token": "shpat_1"},
        {"token_command": "printenv MY_TOKEN"},
    ):
        assert read_token(entry(**given), "a shop").get_secret_value() == "shpat_1"
    monkeypatch.setenv("TWO_WORDS", "not one")
    for given, words in (
        ({"token": "$NOT_THERE"}, "variable NOT_THERE that 'token' names is not set"),
        ({"token": "$TWO_WORDS"}, "the variable TWO_WORDS is no token"),
        ({"token": "not one"}, "token is no token"),
        ({"token_command": "printenv NOT_THERE"}, "its token_command ended with 1"),
        ({"token_command": "true"}, "what token_command prints is no token"),
        ({"token_command": "/no/such/program"}, "its token_command cannot be started"),
        ({"token_command": "'"}, "its token_command cannot be read as a command"),
        ({"token_command": r"printf '\377'"}, "what token_command prints is no token"),
    ):
        with pytest.raises(SourceError) as caught:
            read_token(entry(**given), "a shop")
        assert words in str(caught.value)
        assert caught.value.is_general
        assert "not one" not in str(caught.value)
