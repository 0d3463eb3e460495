"""sluice.yml and SLUICE_* variables: what they mean, and what a wrong one is told."""

from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from pipelines.config.settings import Settings, load_settings
from pipelines.config.timezones import known_time_zones
from pipelines.errors import ConfigError


@pytest.fixture
def config(tmp_path: Path):
    """Writes sluice.yml and returns its path."""

    def write(text: str) -> Path:
        path = tmp_path / "shop" / "sluice.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refusal(path: Path | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_key_of_the_design_is_read(config):
    settings = load_settings(
        config(
            """
            home: ./data
            engine: duckdb
            store: {name: "My shop", industry: fashion}
            ga4: {credentials: /etc/sluice/ga4.json, endpoint: null}
            properties:
              - {id: "123456789", name: "Main shop", source: data_api}
              - id: "987654321"
                name: "Outlet"
                source: export
                path: "exports/events_*.parquet"
                time_zone: Europe/Berlin
                currency: EUR
            shopify:
              - {shop: my-shop.myshopify.com, property: "123456789", token: $SHOP_TOKEN,
                 api_version: "2026-07", endpoint: null}
              - {shop: outlet.myshopify.com, property: "987654321", csv: "exports/shopify/*.csv"}
            clarity:
              - {property: "123456789", token: $CLARITY_TOKEN, endpoint: null}
            heatmaps:
              - {property: "123456789", path: "exports/heatmaps/*.csv"}
              - {property: "987654321", path: x.csv, columns: maps/outlet.yml}
            nightly: {at: "05:30", lookback_days: 3, attribution_days: 14, sweep_days: 35}
            alerts: {webhook: null}
            publish: {keep_versions: 7, parquet: true}
            """
        )
    )
    assert settings.store.industry == "fashion"
    assert settings.ga4.credentials == Path("/etc/sluice/ga4.json")
    assert [(item.id, item.source) for item in settings.properties] == [
        ("123456789", "data_api"),
        ("987654321", "export"),
    ]
    token = settings.shopify[0].token
    assert (str(token), token and token.get_secret_value()) == ("**********", "$SHOP_TOKEN")
    # Relative paths start at the file.
    folder = settings.home.parent
    assert settings.shopify[1].csv == folder / "exports/shopify/*.csv"
    assert settings.heatmaps[0].path == folder / "exports/heatmaps/*.csv"
    assert [one.columns for one in settings.heatmaps] == [
        folder / "heatmap_columns.yml", folder / "maps/outlet.yml",
    ]  # fmt: skip
    assert (settings.nightly.at, settings.nightly.lookback_days) == ("05:30", 3)
    assert (settings.publish.keep_versions, settings.publish.parquet) == (7, True)


def test_without_a_file_the_defaults_hold(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert settings.home == tmp_path / "data"
    assert settings.build_db == tmp_path / "data" / "build.duckdb"
    assert settings.published_dir == tmp_path / "data" / "published"
    assert settings.properties == ()
    assert str(settings.time_zone) == "UTC"


@pytest.mark.parametrize("name", ["SLUICE_GA4_ENDPOINT", "SLUICE_GA4__ENDPOINT"])
def test_the_environment_wins_over_the_file(config, monkeypatch, name):
    monkeypatch.setenv(name, "127.0.0.1:2222")
    path = config("ga4: {endpoint: '127.0.0.1:1111', credentials: key.json}")
    settings = load_settings(path)
    assert settings.ga4.endpoint == "127.0.0.1:2222"
    # The rest of the section is still the file's.
    assert settings.ga4.credentials == path.parent / "key.json"


def test_variables_with_underscores_in_their_own_name(config, monkeypatch):
    monkeypatch.setenv("SLUICE_NIGHTLY_LOOKBACK_DAYS", "5")
    monkeypatch.setenv("SLUICE_PUBLISH__KEEP_VERSIONS", "2")
    settings = load_settings(config("nightly: {at: '04:15'}"))
    assert (settings.nightly.at, settings.nightly.lookback_days) == ("04:15", 5)
    assert settings.publish.keep_versions == 2


def test_properties_of_the_environment_are_json(config, monkeypatch):
    monkeypatch.setenv("SLUICE_PROPERTIES", '[{"id": "42", "time_zone": "Asia/Tokyo"}, {"id": 43}]')
    settings = load_settings(config("properties: [{id: '1'}]"))
    assert [item.id for item in settings.properties] == ["42", "43"]
    assert str(settings.time_zone) == "Asia/Tokyo"


def test_relative_paths_of_the_file_start_at_its_folder(config, tmp_path, monkeypatch):
    path = config("home: ./data\nga4: {credentials: keys/ga4.json}")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    settings = load_settings(path)
    assert settings.home == tmp_path / "shop" / "data"
    assert settings.ga4.credentials == tmp_path / "shop" / "keys" / "ga4.json"


def test_the_address_of_an_object_starts_nowhere_else(config):
    one = "id: 1, source: export, time_zone: UTC, currency: EUR"
    settings = load_settings(config(f"properties: [{{{one}, path: 's3://shop/p/events_*'}}]"))
    assert [item.path for item in settings.properties] == ["s3://shop/p/events_*"]


def test_a_relative_home_of_the_environment_starts_here(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLUICE_HOME", "mine")
    assert load_settings(config("home: ./data")).home == tmp_path / "mine"


def test_a_variable_names_the_file(config, monkeypatch):
    monkeypatch.setenv("SLUICE_CONFIG", str(config("store: {name: Named}")))
    assert load_settings().store.name == "Named"


def test_an_id_may_be_written_as_a_number(config):
    assert load_settings(config("properties: [{id: 123456789}]")).properties[0].id == "123456789"


@pytest.mark.parametrize(
    ("written", "meant"), [("12:30", "12:30"), ("5:30", "05:30"), ("'5:30'", "05:30")]
)
def test_a_time_of_day_needs_no_quotes(config, written, meant):
    assert load_settings(config(f"nightly: {{at: {written}}}")).nightly.at == meant


def test_words_and_numbers_without_quotes_are_what_they_look_like(config):
    settings = load_settings(
        config(
            "home: 2026-01-31\n"
            "store: {name: no}\n"
            "properties: [{id: 0123, name: on}, {id: 83, name: 12:30}]\n"
            "publish: {keep_versions: 010, parquet: off}\n"
        )
    )
    assert settings.home.name == "2026-01-31"
    assert settings.store.name == "no"
    assert [(one.id, one.name) for one in settings.properties] == [("0123", "on"), ("83", "12:30")]
    assert (settings.publish.keep_versions, settings.publish.parquet) == (10, False)


@pytest.mark.parametrize(
    "name", ["localtime", "Factory", "posixrules", "right/UTC", "europe/berlin", "PST", "BST"]
)
def test_a_time_zone_that_not_both_python_and_duckdb_know_is_refused(config, name):
    message = refusal(config(f"properties: [{{id: '1', time_zone: {name}}}]"))
    assert "'properties.0.time_zone'" in message
    assert "it is no IANA time zone (the nearest is '" in message


def test_every_time_zone_that_is_taken_is_known_to_duckdb_and_to_python():
    names = known_time_zones()
    assert len(names) > 400
    assert {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata"} <= names
    local = "select timezone(name, timestamp '2026-07-01') from (select unnest(?) as name)"
    with duckdb.connect() as connection:
        assert len(connection.execute(local, [sorted(names)]).fetchall()) == len(names)
    assert all(ZoneInfo(name) for name in names)


def test_a_missing_file_is_named(tmp_path):
    message = refusal(tmp_path / "absent.yml")
    assert "absent.yml" in message
    assert "No such file" in message
    assert "sluice.example.yml" in message


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(ValueError, match="frozen"):
        Settings().home = Path("/elsewhere")  # type: ignore[misc]
