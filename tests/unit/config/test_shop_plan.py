"""The shop's own tracking_plan.yml: what it changes, and how a broken one is refused."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pipelines.config.settings import load_settings
from pipelines.config.tracking_plan import ParameterCondition, Trigger, TriggerKind, load_plan
from pipelines.errors import SeedError
from pipelines.ga4.report_catalog import build_reports
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.tracking_overrides import remember_parts, remember_plan

WHOLE = """
micro_conversions:
  add_to_cart: {event_names: [add_to_cart, addToCart], benchmark_key: null}
  gallery: {parameter_filter: "image_no>=2", parent_key: sessions, is_expected: true}
  chat_open:
    stage: product
    family: engagement
    event_names: chat_open
    parent_key: product_view
    description: A chat was opened
not_applicable: [wishlist, chat_open]
benchmarks:
  - {benchmark_key: add_to_cart_rate, low: 0.06, high: 0.11, source: Own figures,
     source_date: 2026-01-31}
  - {benchmark_key: chat_rate, low: 0.01, high: 0.02, source: Own figures, source_date: 2026-01-31,
     numerator: chat_open, denominator: product_view}
"""


PLAIN_CHAT = (
    "micro_conversions: {chat: {stage: product, family: intent, event_names: chat, description: x}}"
)


def written(folder: Path, text: str) -> Path:
    path = folder / "tracking_plan.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_a_shop_changes(tmp_path: Path) -> None:
    seeds, plan = load_plan(), load_plan(shop=written(tmp_path, WHOLE))
    before = {micro.key: micro for micro in seeds.micro_conversions}
    after = {micro.key: micro for micro in plan.micro_conversions}
    assert after.keys() - before.keys() == {"chat_open"}
    assert after["add_to_cart"].event_names == ("add_to_cart", "addToCart")
    assert after["gallery"].conditions == (ParameterCondition("image_no", ">=", "2"),)
    assert after["gallery"].is_expected
    assert [key for key, micro in after.items() if not micro.is_applicable] == [
        "wishlist", "chat_open",
    ]  # fmt: skip
    untouched = before.keys() - {"add_to_cart", "gallery", "wishlist"}
    assert all(before[key] == after[key] for key in untouched)
    # The funnels hold the shop's keys, not the seed's.
    assert plan.funnels[0].steps[2].micro_conversion == after["add_to_cart"]
    row = {one["key"]: one for one in plan.shop.plan}["add_to_cart"]
    assert (row["event_names"], row["benchmark_key"]) == ("add_to_cart|addToCart", "")
    assert (row["stage"], row["parent_key"]) == ("product", "product_view")


def test_what_sends_an_event_is_no_column_of_a_key(tmp_path: Path) -> None:
    """A key of which nothing else is written stays the seed's, and nothing is pulled again."""
    seeds, shop = load_plan(), written(
        tmp_path,
        "micro_conversions:\n"
        "  gallery: {trigger: {kind: click, selector: '.zoom:not([a], .w\\/2) > a[href=\"]\"]'}}\n"
        "  product_scroll_50: {trigger: {kind: scroll}}\n"
        "  chat:\n"
        "    {stage: product, family: intent, event_names: chat, description: x,\n"
        "     trigger: {kind: visible, selector: '#chat'}}\n",
    )  # fmt: skip
    plan = load_plan(shop=shop)
    after = {micro.key: micro for micro in plan.micro_conversions}
    assert after["gallery"].trigger == Trigger(
        TriggerKind.CLICK, r'.zoom:not([a], .w\/2) > a[href="]"]'
    )
    assert after["product_scroll_50"].trigger == Trigger(TriggerKind.SCROLL)
    assert after["chat"].trigger == Trigger(TriggerKind.VISIBLE, "#chat")
    assert [row["key"] for row in plan.shop.plan] == ["chat"]
    before = {micro.key: micro for micro in seeds.micro_conversions}
    assert replace(after["gallery"], trigger=None) == before["gallery"]
    plain = load_plan(shop=written(tmp_path, PLAIN_CHAT))
    assert {spec.name: spec.version for spec in build_reports(plan)} == {
        spec.name: spec.version for spec in build_reports(plain)
    }


def test_what_earlier_plans_counted_is_remembered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of each version what is now counted otherwise, as SQL tells it; back and forth."""
    plans = load_plan(), load_plan(shop=written(tmp_path, WHOLE))
    found = []
    with build_database(tmp_path / "build.duckdb") as connection:
        for plan in (*plans, plans[0]):
            remember_parts(connection, build_reports(plan))
            found.append(
                connection.execute(
                    "select now.name from ops.report_parts as now "
                    "anti join ops.report_parts as old "
                    "on now.report = old.report and now.name = old.name "
                    "and now.meaning = old.meaning and not old.is_current "
                    "where now.is_current and now.report = 'cells' order by all"
                ).fetchall()
            )
        ((twice,),) = connection.execute(
            "select count(*) - count(distinct (report, report_version, name)) from ops.report_parts"
        ).fetchall()
    said = [record.message for record in caplog.records]
    assert len(said) == 2
    assert said[0].startswith("The tracking plan counts add_to_cart, ")
    names = [(step.key,) for step in plans[0].funnels[0].steps]
    assert found == [sorted(names), [("add_to_cart",)], [("add_to_cart",)]]
    assert twice == 0


def test_what_sql_reads_of_it(tmp_path: Path) -> None:
    plan = load_plan(shop=written(tmp_path, WHOLE))
    with build_database(tmp_path / "build.duckdb") as connection:
        remember_plan(connection, plan)
        remember_plan(connection, plan)
        rows = connection.execute(
            "select key, event_names, parameter_filter, parent_key, intent_rank, is_expected, "
            "benchmark_key from ops.tracking_plan_overrides order by key"
        ).fetchall()
        benchmarks = connection.execute(
            "select benchmark_key, industry, low, numerator, source_date, is_default "
            "from ops.benchmark_overrides order by all"
        ).fetchall()
        declared = connection.execute("from ops.not_applicable_keys order by all").fetchall()
        assert rows == [
            ("add_to_cart", "add_to_cart|addToCart", None, "product_view", 4, True, None),
            ("chat_open", "chat_open", None, "product_view", None, False, None),
            ("gallery", "image_gallery_interaction", "image_no>=2", "sessions", 3, True, None),
        ]
        day = date(2026, 1, 31)
        assert benchmarks == [
            ("add_to_cart_rate", "all", 0.06, "add_to_cart", day, True),
            ("chat_rate", "all", 0.01, "chat_open", day, True),
        ]
        assert declared == [("chat_open",), ("wishlist",)]
        remember_plan(connection, load_plan())
        assert connection.execute(
            "select (select count(*) from ops.tracking_plan_overrides) "
            "+ (select count(*) from ops.benchmark_overrides) "
            "+ (select count(*) from ops.not_applicable_keys)"
        ).fetchone() == (0,)


def test_values_without_quotes_are_what_they_look_like(tmp_path: Path) -> None:
    """YAML 1.1 would make False of no, 83 of 0123 and 750 of 12:30."""
    shop = written(
        tmp_path,
        "micro_conversions:\n"
        "  gallery: {event_names: [no, 0123, 12:30, 2026-01-31], is_expected: yes}\n"
        "  on: {stage: product, family: intent, event_names: off, description: 1e3}\n"
        "benchmarks: [{benchmark_key: add_to_cart_rate, low: 6e-2, high: .11, region: no,\n"
        "  source: 2026, source_date: 2026-01-31}]\n",
    )
    plan = load_plan(shop=shop)
    micros = {micro.key: micro for micro in plan.micro_conversions}
    assert micros["gallery"].event_names == ("no", "0123", "12:30", "2026-01-31")
    assert micros["gallery"].is_expected
    assert micros["on"].event_names == ("off",)
    with build_database(tmp_path / "build.duckdb") as connection:
        remember_plan(connection, plan)
        assert connection.execute(
            "select region, low, high, source from ops.benchmark_overrides"
        ).fetchall() == [("no", 0.06, 0.11, "2026")]


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert load_plan(shop=written(tmp_path, "# nothing yet\n")) == load_plan()


def test_the_file_stands_beside_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "shop" / "sluice.yml"
    config.parent.mkdir()
    config.write_text("home: ./data\n", encoding="utf-8")
    assert load_settings(config).tracking_plan is None
    beside = written(config.parent, WHOLE)
    assert load_settings(config).tracking_plan == beside
    config.write_text("tracking_plan: other/plan.yml\n", encoding="utf-8")
    named = load_settings(config).tracking_plan
    assert named == config.parent / "other" / "plan.yml"
    with pytest.raises(SeedError, match="cannot be read"):
        load_plan(shop=named)
    monkeypatch.setenv("SLUICE_TRACKING_PLAN", str(beside))
    assert load_settings(config).tracking_plan == beside


def test_a_key_that_is_counted_otherwise_is_a_report_of_another_version(tmp_path: Path) -> None:
    def versions(shop: Path | None) -> dict[str, int]:
        return {spec.name: spec.version for spec in build_reports(load_plan(shop=shop))}

    seeds = versions(None)
    renamed = versions(written(tmp_path, "micro_conversions: {add_to_cart: {event_names: a|b}}"))
    changed = {name for name, version in renamed.items() if seeds[name] != version}
    # The key is a step of the core funnel, so its cells are counted otherwise as well.
    segments = {f"micro_by_{segment.name}" for segment in load_plan().segments}
    assert changed == {*segments, "page_micro", "cells", "cells_country"}
    assert versions(written(tmp_path, "not_applicable: [wishlist]")) == seeds
    assert all(0 < version < 2**31 for version in seeds.values())
