"""A catalogue of what cannot stand in sluice.yml or in a variable: each with its exact sentence."""

from pathlib import Path

import pytest

from pipelines.config.settings import load_settings
from pipelines.errors import ConfigError


def _export(name: int, other: int) -> str:
    return (
        f"{{id: {name}, source: export, path: x, time_zone: UTC, currency: EUR, "
        f"same_shop_as: {other}}}"
    )


def _shop(more: str, properties: str = "[{id: 1}]") -> str:
    return f"properties: {properties}\nshopify: [{{shop: a.myshopify.com, property: 1, {more}}}]"


# What is said of a setting → what is written in the file, or as NAME=value in the environment, and
# which setting it is.
SETTINGS = {
    "it is empty: write a value, or take the line out": [
        ("home: ''", "home"),
        ("home: '  '", "home"),
        ("tracking_plan: ''", "tracking_plan"),
        ("store: {name: ''}", "store.name"),
        ("store: {industry: ''}", "store.industry"),
        ("ga4: {credentials: ''}", "ga4.credentials"),
        ("properties: [{id: 1, path: ''}]", "properties.0.path"),
        ("SLUICE_STORE_NAME=", "store.name"),
        ("SLUICE_HOME=", "home"),
        ("SLUICE_GA4_CREDENTIALS=", "ga4.credentials"),
        ("SLUICE_TRACKING_PLAN= ", "tracking_plan"),
    ],
    "write a path": [
        ("home: [a]", "home"),
        ("home: {a: b}", "home"),
        ("tracking_plan: [a]", "tracking_plan"),
    ],
    (
        "it is empty, as ~ and null are: write a value, in quotes where the word is meant, "
        "or take the line out"
    ): [
        ("home: ~", "home"),
        ("store: {name: null}", "store.name"),
        ("properties: ~", "properties"),
    ],
    "it has a tab or a line break: write it in one line": [
        ('home: "a\\nb"', "home"),
        ('home: "a\\u2028b"', "home"),
        ('tracking_plan: "a\\tb"', "tracking_plan"),
        ('store: {name: "a\\nb"}', "store.name"),
        (
            'ga4: {credentials: "MIIEvQIBADAN\\nMIIE"}',
            "ga4.credentials",
        ),
        ('properties: [{id: 1, name: "a\\nb"}]', "properties.0.name"),
    ],
    (
        "no night runs in BigQuery: write 'duckdb' or 'spark'; 'sluice export-sql' prints the "
        "statements for BigQuery (docs/scale.md)"
    ): [("engine: bigquery", "engine"), ("SLUICE_ENGINE=bigquery", "engine")],
    "write 'duckdb' or 'spark'": [
        ("engine: DuckDB", "engine"),
        ("engine: postgres", "engine"),
        ("engine: [duckdb]", "engine"),
        ("SLUICE_ENGINE=postgres", "engine"),
    ],
    "write it as {key: value} with the keys name, industry, region": [
        ("store: My shop", "store"),
        ("store: []", "store"),
        ('SLUICE_STORE=["shop"]', "store"),
    ],
    (
        "no benchmark is of that industry (the nearest is 'fashion'): write one of all, "
        "appliances, arts_crafts, automotive, baby, beauty, fashion, food, health, "
        "health_and_beauty, home, luxury_apparel, luxury_jewelry, pet, sports"
    ): [
        ("store: {industry: fashon}", "store.industry"),
        ("SLUICE_STORE_INDUSTRY=Fashion", "store.industry"),
    ],
    (
        "no country has that name (the nearest is 'United Kingdom'): write it in English, as GA4 "
        "does, or 'all'"
    ): [
        ("store: {region: united kingdom}", "store.region"),
        ("SLUICE_STORE_REGION=United Kingdoms", "store.region"),
    ],
    "write a text": [
        ("store: {name: {}}", "store.name"),
        ("alerts: {webhook: [a]}", "alerts.webhook"),
        ('SLUICE_PROPERTIES=[{"id": true}]', "properties.0.id"),
    ],
    "it does not look like 127.0.0.1:8080": [
        ("ga4: {endpoint: 'http://127.0.0.1:80'}", "ga4.endpoint"),
        ("ga4: {endpoint: 'user:password@host:80'}", "ga4.endpoint"),
        ("ga4: {endpoint: 'token@host:80'}", "ga4.endpoint"),
        ("ga4: {endpoint: localhost}", "ga4.endpoint"),
    ],
    "a port is a number from 1 to 65535": [
        ("ga4: {endpoint: 'localhost:0'}", "ga4.endpoint"),
        ("ga4: {endpoint: 'localhost:99999'}", "ga4.endpoint"),
    ],
    "write the path of a file or folder, and nothing of its content": [
        (
            'ga4: {credentials: \'{"type": "service_account"}\'}',
            "ga4.credentials",
        ),
    ],
    "write a list of '- {key: value}' lines": [
        ("properties: 123456789", "properties"),
        ("properties: {id: '1'}", "properties"),
        ('SLUICE_PROPERTIES={"id": "1"}', "properties"),
    ],
    "write it as {key: value} with the keys id, name, source, path, time_zone, currency, "
    "same_shop_as": [
        ("properties: [shop]", "properties.0"),
        ("properties: [[1]]", "properties.0"),
        ("properties: [null]", "properties.0"),
    ],
    "it is missing: add it": [
        ("properties: [{id: 1}]\nheatmaps: [{property: 1}]", "heatmaps.0.path"),
        ("properties: [{name: Main}]", "properties.0.id"),
    ],
    "it does not look like 123456789": [
        ("properties: [{id: GA-1}]", "properties.0.id"),
        ("properties: [{id: G-ABC123}]", "properties.0.id"),
        ("properties: [{id: ''}]", "properties.0.id"),
        ("properties: [{id: -1}]", "properties.0.id"),
        ("properties: [{id: 1e3}]", "properties.0.id"),
        ("properties: [{id: 1_000}]", "properties.0.id"),
        ("properties: [{id: 1.0}]", "properties.0.id"),
        ("properties: [{id: ٣٤}]", "properties.0.id"),
        ('properties: [{id: "1\\n"}]', "properties.0.id"),
        ("properties: [{id: 123456789012345678901}]", "properties.0.id"),
        ('SLUICE_PROPERTIES=[{"id": 1e2}]', "properties.0.id"),
        ('SLUICE_PROPERTIES=[{"id": NaN}]', "properties.0.id"),
        ('SLUICE_PROPERTIES=[{"id": 123.0}]', "properties.0.id"),
    ],
    "property 1 is listed twice under properties": [
        ("properties: [{id: '1'}, {id: 1}]", "properties"),
    ],
    (
        "write a path, or an address such as s3://bucket/folder/events_*.parquet without ?; keys "
        "of a store are read from the environment only"
    ): [
        (f"properties: [{{id: 1, source: export, path: '{path}'}}]", "properties.0.path")
        for path in (
            "https://storage.example/events",
            "S3://shop/p",
            "s3://",
            "s3:///p",
            "s3://shop/p?s3_secret_access_key=planted",
            "s3://shop/events_2026????.parquet",
        )
    ],
    "property 1 with source export needs path and time_zone and currency, too": [
        ("properties: [{id: 1, source: export}]", "properties.0"),
    ],
    "property 1 with source export needs currency, too": [
        ("properties: [{id: 1, source: export, path: x, time_zone: UTC}]", "properties.0"),
    ],
    "property 1 has a path, which only source export reads: add 'source: export', or remove it": [
        ("properties: [{id: 1, path: x}]", "properties.0"),
    ],
    "property 1 has same_shop_as, which belongs to the entry with source export: write it there": [
        ("properties: [{id: 1, same_shop_as: 2}, {id: 2}]", "properties.0"),
    ],
    (
        "same_shop_as names property 2, which no entry reads from the Data API: write the id of "
        "one that does"
    ): [
        (f"properties: [{_export(1, 2)}, {other}]", "properties")
        for other in ("{id: 3}", _export(2, 3))
    ],
    (
        "same_shop_as names property 1, which no entry reads from the Data API: write the id of "
        "one that does"
    ): [(f"properties: [{_export(1, 1)}]", "properties")],
    "same_shop_as names property 1 twice: only one export can be held against it": [
        (f"properties: [{{id: 1}}, {_export(2, 1)}, {_export(3, 1)}]", "properties"),
    ],
    "it does not look like my-shop.myshopify.com": [
        (f"properties: [{{id: 1}}]\nshopify: [{{shop: {shop}, property: 1}}]", "shopify.0.shop")
        for shop in ("a.example.com", "https://a.myshopify.com", "A b.myshopify.com", "''")
    ],
    "it does not look like 2026-07": [
        (_shop("token: x, api_version: unstable"), "shopify.0.api_version"),
        (_shop("token: x, api_version: 2026-08"), "shopify.0.api_version"),
    ],
    "ShopifyQL is there from 2025-10 on: write a newer one": [
        (_shop("token: x, api_version: 2025-07"), "shopify.0.api_version"),
    ],
    "shop a.myshopify.com needs token, token_command, or csv (docs/shopify.md)": [
        (_shop("api_version: 2026-07"), "shopify.0"),
    ],
    "shop a.myshopify.com has a token and csv: keep one of them": [
        (_shop("token: x, csv: a.csv"), "shopify.0"),
    ],
    "it has token and token_command: keep one of them": [
        (_shop("token: x, token_command: y"), "shopify.0"),
    ],
    "after $ write the name of an environment variable, as $SHOP_TOKEN": [
        (_shop("token: $"), "shopify.0.token"),
        (_shop("token: $A-B"), "shopify.0.token"),
    ],
    (
        "shopify names property 1, which is not under properties: add it there, or correct the "
        "number"
    ): [(_shop("token: x", "[{id: 2}]"), "properties")],
    "shopify names property 1 twice: keep one entry of it": [
        (
            "properties: [{id: 1}]\nshopify: [{shop: a.myshopify.com, property: 1, token: x}, "
            "{shop: b.myshopify.com, property: 1, token: y}]",
            "properties",
        ),
    ],
    "it needs token, or token_command (docs/clarity.md)": [
        ("properties: [{id: 1}]\nclarity: [{property: 1}]", "clarity.0"),
    ],
    (
        "clarity names property 2, which is not under properties: add it there, or correct the "
        "number"
    ): [("properties: [{id: 1}]\nclarity: [{property: 2, token: x}]", "properties")],
    "heatmaps names property 1 twice: keep one entry of it": [
        (
            "properties: [{id: 1}]\nheatmaps: [{property: 1, path: a}, {property: 1, path: b}]",
            "properties",
        ),
    ],
    "it does not look like EUR": [
        ("properties: [{id: 1, currency: euro}]", "properties.0.currency"),
        ("properties: [{id: 1, currency: €}]", "properties.0.currency"),
        ("properties: [{id: 1, currency: ''}]", "properties.0.currency"),
    ],
    "property 1 with source shopify needs time_zone and currency, too": [
        ("properties: [{id: 1, source: shopify}]", "properties.0"),
    ],
    (
        "property 1 has source shopify, and no entry under shopify names it: add one "
        "(docs/shopify.md)"
    ): [
        (
            "properties: [{id: 1, source: shopify, time_zone: UTC, currency: EUR}]",
            "properties",
        ),
    ],
    "write 'data_api', 'export' or 'shopify'": [
        ("properties: [{id: 1, source: ga3}]", "properties.0.source"),
    ],
    "it is no IANA time zone (the nearest is 'Europe/Berlin')": [
        ("properties: [{id: 1, time_zone: Europe/Berln}]", "properties.0.time_zone"),
        ("properties: [{id: 1, time_zone: europe/berlin}]", "properties.0.time_zone"),
    ],
    "it is no IANA time zone (the nearest is 'Zulu')": [
        ("properties: [{id: 1, time_zone: ''}]", "properties.0.time_zone"),
    ],
    "it does not look like 05:30": [
        ("nightly: {at: '25:00'}", "nightly.at"),
        ("nightly: {at: 24:00}", "nightly.at"),
        ("nightly: {at: 5.30}", "nightly.at"),
        ("nightly: {at: ٠٥:30}", "nightly.at"),
        ("nightly: {at: 05:30:00}", "nightly.at"),
        ("SLUICE_NIGHTLY__AT=9", "nightly.at"),
    ],
    "write a number such as 1.5": [
        ("nightly: {max_hours: nan}", "nightly.max_hours"),
        ("nightly: {max_hours: inf}", "nightly.max_hours"),
        ("nightly: {max_hours: 1e1}", "nightly.max_hours"),
        ("nightly: {max_hours: 1_0}", "nightly.max_hours"),
        ("nightly: {max_hours: '1,5'}", "nightly.max_hours"),
        ("nightly: {max_hours: ٣}", "nightly.max_hours"),
        ("nightly: {max_hours: [1]}", "nightly.max_hours"),
    ],
    "write a number that is more than 0": [
        ("nightly: {max_hours: 0}", "nightly.max_hours"),
    ],
    "write a number that is at most 24": [
        ("nightly: {max_hours: 24.5}", "nightly.max_hours"),
    ],
    "write a whole number such as 7": [
        ("nightly: {lookback_days: three}", "nightly.lookback_days"),
        ("nightly: {lookback_days: nan}", "nightly.lookback_days"),
        ("nightly: {lookback_days: ٣}", "nightly.lookback_days"),
        ("nightly: {lookback_days: 1_0}", "nightly.lookback_days"),
        ("nightly: {lookback_days: 3.0}", "nightly.lookback_days"),
        ("nightly: {lookback_days: 1e2}", "nightly.lookback_days"),
        ("nightly: {lookback_days: [3]}", "nightly.lookback_days"),
        ("publish: {keep_versions: 2026-01-31}", "publish.keep_versions"),
        ("publish: {keep_versions: ''}", "publish.keep_versions"),
        ("SLUICE_NIGHTLY_LOOKBACK_DAYS=٣", "nightly.lookback_days"),
    ],
    "write a number that is at least 0": [
        ("nightly: {lookback_days: -1}", "nightly.lookback_days"),
    ],
    "write a number that is at most 400": [
        ("nightly: {lookback_days: 99999999999999999999}", "nightly.lookback_days"),
    ],
    "write a number that is at least 1": [
        ("nightly: {sweep_days: 0}", "nightly.sweep_days"),
        ("publish: {keep_versions: 0}", "publish.keep_versions"),
    ],
    "write true or false": [
        ("publish: {parquet: maybe}", "publish.parquet"),
        ("publish: {parquet: []}", "publish.parquet"),
        ("SLUICE_PUBLISH_PARQUET=maybe", "publish.parquet"),
    ],
    "write the whole address, https://…, or http://… on this machine (127.0.0.1)": [
        ("alerts: {webhook: 'http://10.0.0.1/x'}", "alerts.webhook"),
        ("alerts: {webhook: 'ftp://127.0.0.1/x'}", "alerts.webhook"),
        ("alerts: {webhook: ''}", "alerts.webhook"),
        ("SLUICE_ALERTS_WEBHOOK=hooks.example.com/x", "alerts.webhook"),
    ],
    "it has a character that is no text, U+0000": [
        ('SLUICE_PROPERTIES=[{"id": "1", "name": "a\\u0000"}]', "properties.0.name"),
    ],
    "it has a character that is no text, U+D800": [
        ('SLUICE_PROPERTIES=[{"id": "1", "name": "\\ud800"}]', "properties.0.name"),
    ],
}

# Why it is no YAML → what is written.
INVALID = {
    "a character that is no text, U+0000": [
        'home: "a\\0b"',
    ],
    "a value that begins with &, * or ! needs quotes": [
        "store: {name: &Sons of Berlin}",
        "store: {name: *shop}",
        "store: {name: !important shop}",
    ],
    "'name' is there twice, first in line 1: keep one": [
        "store: {name: a, name: b}",
    ],
    "'id' is there twice, first in line 1: keep one": [
        "properties: [{id: 1, id: 2}]",
    ],
}

OTHERS = [
    (
        "home: 'sluice.yml'",
        "The home folder {file} cannot be there, as {file} is a file: correct 'home'.",
    ),
    (
        "home: 'sluice.yml/data'",
        "The home folder {file}/data cannot be there, as {file} is a file: correct 'home'.",
    ),
    (
        "home: ~nobody-of-that-name/data",
        "The path ~nobody-of-that-name/data names the home of a user that is not known "
        "here: write it in full.",
    ),
    ("Home: data", "The key 'Home' in {file} is not known: did you mean 'home'?"),
    ("hme: ./data", "The key 'hme' in {file} is not known: did you mean 'home'?"),
    ('"": 1', "The key '' in {file} is not known: did you mean 'tracking_plan'?"),
    ('"a\\nb": 1', "The key 'a\\nb' in {file} is not known: did you mean 'ga4'?"),
    ('"{x}": 1', "The key '{x}' in {file} is not known: did you mean 'experiments'?"),
    ("<<: {home: a}", "The key '<<' in {file} is not known: did you mean 'tracking_plan'?"),
    (
        "store: {nmae: shop}",
        "The key 'nmae' of 'store' in {file} is not known: did you mean 'name'?",
    ),
    (
        "ga4: {endpiont: '127.0.0.1:1'}",
        "The key 'endpiont' of 'ga4' in {file} is not known: did you mean 'endpoint'?",
    ),
    (
        "ga4: {credentials: ~nobody-of-that-name/key.json}",
        "The path ~nobody-of-that-name/key.json names the home of a user that is not known "
        "here: write it in full.",
    ),
    (
        "properties: [{id: 1, nmae: x}]",
        "The key 'nmae' of 'properties.0' in {file} is not known: did you mean 'name'?",
    ),
    (
        "publish: {keep: 3}",
        "The key 'keep' of 'publish' in {file} is not known: did you mean 'keep_versions'?",
    ),
]

# Variable, its value → what is said.
VARIABLES = [
    (
        "SLUICE_GA4_ENDPIONT",
        "127.0.0.1:1",
        "The environment variable 'SLUICE_GA4_ENDPIONT' is no setting: did you "
        "mean SLUICE_GA4_ENDPOINT?",
    ),
    (
        "sluice_hmoe",
        "a",
        "The environment variable 'sluice_hmoe' is no setting: did you mean SLUICE_HOME?",
    ),
    (
        "SLUICE_",
        "a",
        "The environment variable 'SLUICE_' is no setting: did you mean SLUICE_GA4?",
    ),
    (
        "SLUICE_STORE_NAME_X",
        "a",
        "The environment variable 'SLUICE_STORE_NAME_X' is no setting: did you "
        "mean SLUICE_STORE_NAME?",
    ),
    (
        "SLUICE_PROPERTIES_0",
        "a",
        "The environment variable 'SLUICE_PROPERTIES_0' is no setting: did you "
        "mean SLUICE_PROPERTIES?",
    ),
    (
        "sluice_config",
        "a",
        "The environment variable 'sluice_config' is no setting: did you mean SLUICE_CONFIG?",
    ),
    (
        "SLUICE_PROPERTIES",
        "123456789,",
        "The environment variable SLUICE_PROPERTIES is not valid JSON: write such "
        'as [{"id": "123456789"}].',
    ),
    (
        "SLUICE_PROPERTIES",
        "",
        "The environment variable SLUICE_PROPERTIES is not valid JSON: write such "
        'as [{"id": "123456789"}].',
    ),
    (
        "SLUICE_PROPERTIES",
        "null",
        "The environment variable SLUICE_PROPERTIES is not of this kind: write "
        'such as [{"id": "123456789"}].',
    ),
    (
        "SLUICE_PROPERTIES",
        "'1'",
        "The environment variable SLUICE_PROPERTIES is not valid JSON: write such "
        'as [{"id": "123456789"}].',
    ),
    (
        "SLUICE_PROPERTIES",
        '"1"',
        "The environment variable SLUICE_PROPERTIES is not of this kind: write "
        'such as [{"id": "123456789"}].',
    ),
    (
        "SLUICE_PROPERTIES",
        '[{"id": 0123}]',
        "The environment variable SLUICE_PROPERTIES is not valid JSON: write such "
        'as [{"id": "123456789"}].',
    ),
    (
        "SLUICE_PROPERTIES",
        '[{"id": "1", "id": "2"}]',
        "The environment variable SLUICE_PROPERTIES has the key 'id' twice: keep one.",
    ),
    (
        "SLUICE_PROPERTIES",
        '[{"id": "1", "ID": "2"}]',
        "The environment variable SLUICE_PROPERTIES has the key 'id' twice: keep one.",
    ),
    (
        "SLUICE_STORE",
        "shop",
        "The environment variable SLUICE_STORE is not valid JSON: write such as "
        '{"key": "value"}, or a variable for each key.',
    ),
    (
        "SLUICE_STORE",
        "null",
        "The environment variable SLUICE_STORE is not of this kind: write such as "
        '{"key": "value"}, or a variable for each key.',
    ),
    (
        "SLUICE_STORE",
        '{"nmae": "a"}',
        "The key 'nmae' of 'store' in SLUICE_STORE is not known: did you mean 'name'?",
    ),
    (
        "SLUICE_STORE_NAME",
        "\udcff",
        "The setting 'store.name' in SLUICE_STORE_NAME is not usable: it has a "
        "character that is no text, U+DCFF.",
    ),
    (
        "SLUICE_HOME",
        "a\nb",
        "The setting 'home' in SLUICE_HOME is not usable: it has a tab or a line "
        "break: write it in one line.",
    ),
    (
        "SLUICE_HOME",
        "\udcff",
        "The setting 'home' in SLUICE_HOME is not usable: it has a character that "
        "is no text, U+DCFF.",
    ),
    (
        "SLUICE_HOME",
        "~nobody-of-that-name",
        "The path ~nobody-of-that-name names the home of a user that is not known "
        "here: write it in full.",
    ),
    (
        "SLUICE_ALERTS",
        "https://hooks.example.com/x",
        "The environment variable SLUICE_ALERTS is not valid JSON: write such as "
        '{"key": "value"}, or a variable for each key.',
    ),
]


def refusal(path: Path) -> str:
    """What is said of the file, with `{file}` for its path."""
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    return str(caught.value).replace(str(path), "{file}")


@pytest.fixture
def written(tmp_path):
    """Writes sluice.yml and returns its path."""

    def write(text: str) -> Path:
        path = tmp_path / "sluice.yml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_setting(written, monkeypatch):
    for words, cases in SETTINGS.items():
        for text, setting in cases:
            variable, is_variable, value = text.partition("=")
            with monkeypatch.context() as environment:
                if is_variable and variable.isupper():
                    environment.setenv(variable, value)
                    place, path = variable.replace("__", "_"), written("store: {name: Shop}")
                else:
                    place, path = "{file}", written(text)
                assert (
                    refusal(path) == f"The setting '{setting}' in {place} is not usable: {words}."
                )


def test_what_is_no_yaml(written):
    for why, texts in INVALID.items():
        for text in texts:
            assert refusal(written(text)) == (
                f"The settings file {{file}} is not valid YAML near line 1 ({why}): "
                "compare it with sluice.example.yml."
            )


def test_what_is_wrong_otherwise(written):
    for text, sentence in OTHERS:
        assert refusal(written(text)) == sentence


def test_a_variable(written, monkeypatch):
    for name, value, sentence in VARIABLES:
        with monkeypatch.context() as environment:
            environment.setenv(name, value)
            assert refusal(written("store: {name: Shop}")) == sentence


@pytest.mark.parametrize(
    "pair", [("SLUICE_GA4_ENDPOINT", "SLUICE_GA4__ENDPOINT"), ("SLUICE_HOME", "sluice_home")]
)
def test_two_variables_of_one_setting(written, monkeypatch, pair):
    for name in pair:
        monkeypatch.setenv(name, "127.0.0.1:1")
    assert refusal(written("")) == (
        f"The environment variables {pair[0]} and {pair[1]} are the same setting: keep one."
    )


def test_brackets_without_end_in_a_variable(written, monkeypatch):
    monkeypatch.setenv("SLUICE_PROPERTIES", "[" * 50_000)
    assert refusal(written("")) == (
        "The environment variable SLUICE_PROPERTIES is not valid JSON: write such as "
        '[{"id": "123456789"}].'
    )


def test_a_path_that_goes_round_in_a_circle(written, tmp_path):
    (tmp_path / "here").symlink_to("there")
    (tmp_path / "there").symlink_to("here")
    assert refusal(written("home: here/data")) == (
        f"The path {tmp_path}/here/data goes round in a circle: correct its links."
    )


def test_a_path_that_is_too_long(written, tmp_path):
    for name in ("x" * 256, "ä" * 128):
        assert refusal(written(f"home: {name}")) == (
            "The setting 'home' in {file} is not usable: write the path of a file or folder, and "
            "nothing of its content."
        )
    assert refusal(written(f"home: {'x/' * 3000}x")).endswith(
        "cannot be looked into (File name too long): correct 'home', or its permissions."
    )


def test_a_value_is_named_where_it_stands(written, monkeypatch):
    path = written("store: {industry: ''}")
    monkeypatch.setenv("SLUICE_STORE", '{"name": "Shop"}')
    assert "'store.industry' in {file} is" in refusal(path)
    monkeypatch.setenv("SLUICE_STORE_INDUSTRY", " ")
    assert "'store.industry' in SLUICE_STORE_INDUSTRY is" in refusal(path)
    monkeypatch.delenv("SLUICE_STORE_INDUSTRY")
    monkeypatch.setenv("SLUICE_STORE", '{"name": ""}')
    assert "'store.name' in SLUICE_STORE is" in refusal(written(""))


# Where a secret was pasted that belongs elsewhere.
PLACES = [
    "SECRET: 1",
    "alerts: SECRET",
    "alerts: {SECRET: 1}",
    "alerts: {wehbook: 'SECRET'}",
    "alerts: {webhook: 'http://SECRET'}",
    "ga4: {endpoint: 'SECRET'}",
    "engine: SECRET",
    'home: "SECRET\\n"',
    "publish: {keep_versions: SECRET}",
    "publish: {parquet: SECRET}",
    "nightly: {at: SECRET}",
    "nightly: {at: [SECRET]}",
    "properties: SECRET",
    "properties: [{id: SECRET}]",
    "properties: [{id: 1, time_zone: SECRET}]",
    "properties: [{id: 1, source: SECRET}]",
]


@pytest.mark.parametrize(
    "secret",
    [
        "https://hooks.example.com/services/T0/B0/planted",
        "xoxb-12345678" + "9012-planted",
        "eyJhbGciOi" + "JSUzI1NiJ9planted",
        "AIzaSyD12" + "34567890planted",
        "550e8400-e29b-41d4-" + "a716-446655440000planted",
    ],
)
def test_no_secret_is_repeated(written, monkeypatch, secret):
    for place in PLACES:
        message = refusal(written(place.replace("SECRET", secret)))
        assert "{file}" in message
        assert "planted" not in message
    for name, value in (
        ("SLUICE_PROPERTIES", secret),
        ("SLUICE_PROPERTIES", f'[{{"id": "1", "{secret}": "1"}}]'),
        ("SLUICE_PROPERTIES", f'[{{"{secret}": "1", "{secret}": "1"}}]'),
        ("SLUICE_GA4_ENDPOINT", secret),
        (f"SLUICE_{secret}", "1"),
    ):
        with monkeypatch.context() as environment:
            environment.setenv(name, value)
            assert "planted" not in refusal(written(""))
