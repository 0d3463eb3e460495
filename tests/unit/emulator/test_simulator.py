"""The shop simulator's files: repeatable, complete, in disorder, and true to the calendar."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from pipelines.emulator.simulator import SCENARIOS, SimulationError, simulate

pytestmark = pytest.mark.slow

START = date(2026, 10, 1)
PARAM = "list_filter(event_params, p -> p.key = '{}')[1].value"


def query(folder: Path, sql: str) -> list[tuple[object, ...]]:
    """Rows of `sql` over `events`: one row per event, with its session parameters beside it."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            create view events as
            select
                *,
                {PARAM.format("ga_session_id")}.int_value as session_id,
                {PARAM.format("ga_session_number")}.int_value as session_number,
                user_pseudo_id || '/' || {PARAM.format("ga_session_id")}.int_value as session_key,
            from read_parquet('{folder}/events_*.parquet')
            """
        )
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulator") / "shop"
    simulate(folder, start=START, days=4, sessions_per_day=400)
    return folder


def test_same_arguments_give_the_same_rows(shop: Path, tmp_path: Path) -> None:
    again = simulate(tmp_path / "again", start=START, days=4, sessions_per_day=400)
    other = simulate(tmp_path / "other", start=START, days=4, sessions_per_day=400, seed=8)
    files = sorted(path.name for path in shop.glob("*.parquet"))
    assert files == [f"events_2026100{day}.parquet" for day in (1, 2, 3, 4)]
    for name in files:
        assert pq.read_table(shop / name).equals(pq.read_table(again.path / name))
        assert not pq.read_table(shop / name).equals(pq.read_table(other.path / name))
    assert (shop / "truth.json").read_bytes() == (again.path / "truth.json").read_bytes()


def test_report_counts_what_was_written(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    result = simulate(
        tmp_path / "shop",
        start=START,
        days=3,
        sessions_per_day=200,
        progress=lambda done, days: seen.append((done, days)),
    )
    rows = query(result.path, "select count(*), count(distinct session_key) from events")
    assert rows == [(result.events, result.sessions)]
    assert result.days == 3
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_columns_are_those_of_the_export(shop: Path) -> None:
    types = {
        name: kind
        for name, kind, *_ in query(shop, "describe select * exclude (session_id) from events")
    }
    assert types["event_date"] == "VARCHAR"
    assert types["event_timestamp"] == "BIGINT"
    assert types["event_params"] == (
        'STRUCT("key" VARCHAR, "value" STRUCT(string_value VARCHAR, int_value BIGINT, '
        "float_value DOUBLE, double_value DOUBLE))[]"
    )
    assert types["session_traffic_source_last_click"] == (
        'STRUCT(cross_channel_campaign STRUCT("source" VARCHAR, medium VARCHAR, '
        "campaign_name VARCHAR, default_channel_group VARCHAR))"
    )
    empty = {"user_id", "privacy_info", "user_properties", "app_info", "user_ltv", "batch_page_id"}
    assert empty | {"ecommerce", "items", "geo", "is_active_user"} <= types.keys()


def test_property_file_names_the_custom_dimensions(shop: Path) -> None:
    facts = json.loads((shop / "property.json").read_text())
    assert facts["time_zone"] == "Europe/Berlin"
    assert facts["currency_code"] == "EUR"
    assert {"page_type", "percent_scrolled", "payment_type"} <= set(facts["custom_dimensions"])


def test_rows_are_in_disorder_and_carry_their_session(shop: Path) -> None:
    assert query(
        shop,
        """
        select
            count(*) filter (where session_id is null or session_number is null) as loose,
            count(*) filter (where event_name = 'page_view' and not list_contains(
                list_transform(event_params, p -> p.key), 'page_type')) as untyped,
            count(*) filter (where event_name = 'purchase' and ecommerce.transaction_id is null)
        from events
        """,
    ) == [(0, 0, 0)]
    times = pq.read_table(shop / "events_20261001.parquet", columns=["event_timestamp"])
    values = times["event_timestamp"].to_pylist()
    descents = sum(later < earlier for earlier, later in pairwise(values))
    assert 0.4 < descents / len(values) < 0.6


def test_visitors_return_with_the_next_session_number(shop: Path) -> None:
    returned, wrong = query(
        shop,
        """
        with sessions as (
            select user_pseudo_id, session_number, min(event_timestamp) as begun,
                max(event_timestamp) as ended
            from events group by all
        ), pairs as (
            select *,
                lag(session_number) over visitor as previous_number,
                lag(ended) over visitor as previous_end
            from sessions window visitor as (partition by user_pseudo_id order by begun)
        )
        select count(*),
            count(*) filter (where session_number <> previous_number + 1 or begun <= previous_end)
        from pairs where previous_number is not null
        """,
    )[0]
    assert returned > 20
    assert wrong == 0


def test_segments_are_constant_within_a_session(shop: Path) -> None:
    assert query(
        shop,
        """
        select max(d), max(c), max(g), max(n) from (
            select count(distinct device.category) as d, count(distinct geo.country) as c,
                count(distinct session_traffic_source_last_click.cross_channel_campaign
                    .default_channel_group) as g,
                count(distinct session_number) as n
            from events group by session_key
        )
        """,
    ) == [(1, 1, 1, 1)]


@pytest.fixture(scope="module")
def big_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulator") / "big"
    simulate(folder, start=START, days=6, sessions_per_day=4000)
    return folder


def test_engagement_goes_with_adding_to_the_cart(big_shop: Path) -> None:
    lift = query(
        big_shop,
        """
        with sessions as (
            select bool_or(event_name = 'review_section_view') as reads,
                bool_or(event_name = 'add_to_cart')::int as adds
            from events group by session_key having bool_or(event_name = 'view_item')
        )
        select avg(adds) filter (where reads) / avg(adds) filter (where not reads) from sessions
        """,
    )[0][0]
    assert 1.6 < lift < 2.6


def test_oddities_of_real_exports_are_there(big_shop: Path) -> None:
    orders, repeats, buy_now, unset = query(
        big_shop,
        """
        with purchases as (
            select ecommerce.transaction_id as id, count(*) as times
            from events where event_name = 'purchase' group by 1
        ), carts as (
            select session_key, bool_or(event_name = 'add_to_cart') as added
            from events group by 1 having bool_or(event_name = 'begin_checkout')
        )
        select
            (select count(*) from purchases),
            (select count(*) from purchases where times > 1),
            (select count(*) filter (where not added) / count(*) from carts),
            (select count(*) from events, unnest(items) as t(item)
             where item.item_id = '(not set)' and item.item_name is not null)
        """,
    )[0]
    assert 0 < repeats / orders < 0.04
    assert 0.01 < buy_now < 0.08
    assert unset > 0


def test_sessions_over_midnight_are_in_both_files(shop: Path) -> None:
    over = query(
        shop,
        """
        select session_key, min(event_date), max(event_date) from events
        group by 1 having count(distinct event_date) > 1
        """,
    )
    assert over
    assert query(
        shop,
        """
        select count(*) from events where event_date <> strftime(
            make_timestamptz(event_timestamp) at time zone 'Europe/Berlin', '%Y%m%d')
        """,
    ) == [(0,)]
    truth = json.loads((shop / "truth.json").read_text())
    by_date = sum(row[3] for row in truth["sessions"]["rows"] if row[1] == "all")
    distinct = query(shop, "select count(distinct session_key) from events")[0][0]
    assert by_date == distinct + len(over)


@pytest.mark.parametrize(
    ("day", "hours", "last_utc"),
    [(date(2026, 3, 29), 23, 22), (date(2026, 10, 25), 25, 23), (date(2026, 10, 26), 24, 23)],
)
def test_days_on_which_the_clocks_change(
    tmp_path: Path, day: date, hours: int, last_utc: int
) -> None:
    simulate(tmp_path / "shop", start=day, days=1, sessions_per_day=3000)
    rows = query(
        tmp_path / "shop",
        """
        select event_timestamp // 3600000000, count(*) from events
        where event_name = 'session_start' group by 1 order by 1
        """,
    )
    assert len(rows) == hours
    end = datetime(day.year, day.month, day.day, last_utc, tzinfo=UTC).timestamp() // 3600
    assert rows[-1][0] == end - 1


def test_another_simulation_is_replaced_not_mixed(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    simulate(folder, start=START, days=3, sessions_per_day=20)
    simulate(folder, start=date(2026, 11, 1), days=1, sessions_per_day=20)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["events_20261101.parquet", "property.json", "truth.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_a_failed_simulation_leaves_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    simulate(folder, start=START, days=1, sessions_per_day=20)

    def stop(done: int, days: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(folder, start=START, days=2, sessions_per_day=20, progress=stop)
    assert len(list(folder.glob("*.parquet"))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_a_foreign_folder_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SimulationError, match=r"holds notes\.txt"):
        simulate(tmp_path, start=START, days=1)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with pytest.raises(SimulationError, match="is a file"):
        simulate(tmp_path / "notes.txt", start=START, days=1)
    with pytest.raises(SimulationError, match="Cannot write beside"):
        simulate(tmp_path / "notes.txt" / "a" / "b", start=START, days=1)


def test_unknown_scenario_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SimulationError) as error:
        simulate(tmp_path / "shop", start=START, days=1, scenario="bad_weather")
    assert str(error.value) == (
        "Unknown scenario 'bad_weather': choose one of checkout_tag_missing, "
        "mobile_payment_broken, none, paid_social_landing, payment_repaired, server_side_orders, "
        "shipping_shock, weak_product_page."
    )
    assert isinstance(error.value, ValueError)
    assert list(tmp_path.iterdir()) == []
    assert all(name == scenario.name for name, scenario in SCENARIOS.items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"days": 0}, "days is 0"),
        ({"sessions_per_day": 0}, "sessions_per_day is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"property_id": "shop"}, "property_id 'shop'"),
        ({"start": date.max}, "outside the calendar"),
    ],
)
def test_senseless_arguments_are_named(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    arguments: dict[str, object] = {"start": START, "days": 1, **change}
    with pytest.raises(SimulationError, match=message):
        simulate(tmp_path / "shop", **arguments)  # type: ignore[arg-type]


def test_the_smallest_shop_works(tmp_path: Path) -> None:
    result = simulate(tmp_path / "shop", start=START, days=5, sessions_per_day=1)
    assert len(list(result.path.glob("*.parquet"))) == 5
