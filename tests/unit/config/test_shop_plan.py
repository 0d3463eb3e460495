"""The shop's own tracking_plan.yml: what it changes, and how a broken one is refused."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.config.settings import load_settings
from pipelines.config.tracking_plan import ParameterCondition, load_plan
from pipelines.errors import SeedError
from pipelines.ga4.report_catalog import build_reports
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.tracking_overrides import remember_plan

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


def written(folder: Path, text: str) -> Path:
    path = folder / "tracking_plan.yml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    path = written(folder, text)
    with pytest.raises(SeedError) as caught:
        load_plan(shop=path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("keys: {}", "'keys' of.*did you mean 'benchmarks'"),
        ("micro_conversion: {}", "did you mean 'micro_conversions'"),
        ("micro_conversions: [gallery]", "must be lines of"),
        ("micro_conversions: {gallery: zoom}", "'gallery'.*must be lines of 'key"),
        ("micro_conversions: {gallery: {}}", "'gallery'.*must be lines of"),
        ("micro_conversions: {gallery: {event_name: x}}",
         "'event_name' of the key 'gallery'.*did you mean 'event_names'"),
        ("micro_conversions: {add_to_crat: {event_names: x}}",
         "'add_to_crat'.*the nearest one is 'add_to_cart'.*stage, family, description"),
        ("micro_conversions: {gallery: {parent_key: prodct_view}}",
         "parent_key 'prodct_view' of the key 'gallery'.*did you mean 'product_view'"),
        ("micro_conversions: {gallery: {parent_key: gallery}}", "parent_key 'gallery'"),
        ("micro_conversions: {gallery: {parent_key: '@previous'}}", "parent_key '@previous'"),
        ("micro_conversions: {gallery: {stage: produkt}}", "did you mean 'product'"),
        ("micro_conversions: {gallery: {family: intents}}", "family 'intents'.*write .*'intent'"),
        ("micro_conversions: {gallery: {origin: customs}}", "did you mean 'custom'"),
        ("micro_conversions: {gallery: {is_expected: maybe}}", "is_expected 'maybe'"),
        ("micro_conversions: {gallery: {intent_rank: first}}", "intent_rank 'first'"),
        ("micro_conversions: {gallery: {benchmark_key: email_rate}}",
         "did you mean 'email_capture_rate'"),
        ("micro_conversions: {gallery: {parameter_filter: image_no>2}}",
         "parameter_filter 'image_no>2' of the key 'gallery'.*name>=whole number"),
        ("micro_conversions: {gallery: {event_names: ' | '}}", "event_names .*write an event name"),
        ("micro_conversions: {'{x}': {bogus: 1}}", "'{x}'.*stage, family, event_names"),
        ("micro_conversions: {gallery: {'{0}': 1}}", "'{0}' of the key 'gallery'"),
        ("micro_conversions: {gallery: {event_names: [[a]]}}", "event_names of 'gallery'.*no text"),
        ("micro_conversions: {gallery: {event_names: [a, null]}}", "event_names .* in quotes"),
        ("micro_conversions: {gallery: {description: {a: b}}}", "description of 'gallery'.* text"),
        ("micro_conversions: {gallery: {intent_rank: 99999999999999999999}}", "intent_rank '9+'"),
        ("micro_conversions: {gallery: {intent_rank: \u0663}}", "a small whole number"),
        ("micro_conversions: {gallery: {parameter_filter: n>=\u0663}}", "name>=whole number"),
        ("not_applicable: [[wishlist]]", "must be a list of keys"),
        ("not_applicable: [null]", "must be a list of keys"),
        ("[micro_conversions]", "must begin with"),
        ("benchmarks: [{benchmark_key: [[a]]}]", "benchmark_key of '0' under benchmarks.*no text"),
        *(
            ("benchmarks: [{benchmark_key: add_to_cart_rate, low: 0.05, high: 0.1, source: me, "
             f"source_date: {written}}}]", f"source_date '{written}'.*write a day as YYYY-MM-DD")
            for written in ("2026-02-30", "2026-13-45", "20260101", "2026-W01-1")
        ),
        *(
            (f"benchmarks: [{{benchmark_key: add_to_cart_rate, low: {low}, high: 1, source: me, "
             "source_date: 2026-01-01}]", "0 <= low < high <= 1")
            for low in ("0_0", "\u0660", "nan", "1e-999999x", "-0.1")
        ),
        ("not_applicable: [whishlist]", "'whishlist' under not_applicable.*'wishlist'"),
        ("not_applicable: wishlist", "must be a list"),
        ("benchmarks: {low: 1}", "must be a list"),
        ("benchmarks: [{low: 1}]", "benchmark_key of .* is missing"),
        ("benchmarks: [{benchmark_key: mine, is_default: true}]", "is_default of a benchmark"),
        ("micro_conversions: {gallery: {key: wishlist}}", "key of the key 'gallery'"),
        ("benchmarks: [{benchmark_key: add_to_cart_rate, low: 5, high: 10, source: me, "
         "source_date: 2026-01-01}]", "0 <= low < high <= 1"),
        ("benchmarks: [{benchmark_key: add_to_cart_rate, low: 0.05, high: 0.1, "
         "source_date: 2026-01-01}]", "source of .*'add_to_cart_rate, all.* missing"),
        ("benchmarks: [{benchmark_key: mine, low: 0.05, high: 0.1, source: me, "
         "source_date: 2026-01-01}]", "numerator of .*'mine, all.* missing"),
        ("benchmarks: [{benchmark_key: mine, low: 0.05, high: 0.1, source: me, "
         "source_date: 2026-01-01, numerator: chats, denominator: sessions}]",
         "numerator 'chats' of the benchmark 'mine, all.*did you mean"),
        ("benchmarks: [{benchmark_key: add_to_cart_rate, low: 0.05, high: 0.1, source: me, "
         "source_date: 2026-01-01, denominator: sessions}]", "in one row.*'product_view'"),
        ("benchmarks: [{benchmark_key: add_to_cart_rate, low: 0.05, high: 0.1, source: me, "
         "source_date: January}]", "'January'.*YYYY-MM-DD"),
        ("a: [", "not valid YAML near line 1"),
        ("micro_conversions:\n  gallery: {stage: home}\n  gallery: {stage: product}\n",
         "not valid YAML near line 3.*'gallery' is there twice"),
        ("- a", "must begin with"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_what_is_known(
    tmp_path: Path, text: str, words: str
) -> None:
    import re

    assert re.search(words, refusal(tmp_path, text))


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
    assert changed == {f"micro_by_{segment.name}" for segment in load_plan().segments}
    assert versions(written(tmp_path, "not_applicable: [wishlist]")) == seeds
    assert all(0 < version < 2**31 for version in seeds.values())
