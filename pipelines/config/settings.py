"""One settings object: `sluice.yml` plus `SLUICE_*` environment variables, validated once.

Every key of the file is also a variable: `ga4.endpoint` is `SLUICE_GA4_ENDPOINT` (a double
underscore works too); lists are JSON. The environment wins over the file. Nothing here talks to
the network.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from pipelines.clock import Clock, home_clock
from pipelines.config.environment import (
    PREFIX,
    Environment,
    config_file,
    refuse_unknown_variables,
)
from pipelines.config.field_types import (
    Count,
    Endpoint,
    ExportPath,
    Line,
    Number,
    PlainPath,
    PropertyId,
    Section,
    Text,
)
from pipelines.config.second_sources import (
    DEFAULT_COLUMNS,
    SECOND_SOURCES,
    Clarity,
    Heatmaps,
    Shopify,
)
from pipelines.config.settings_problems import first_problem, unknown_key
from pipelines.config.store_names import ANY, Industry, Region
from pipelines.config.timezones import TimeZoneName
from pipelines.config.yamlfile import read_yaml
from pipelines.errors import ConfigError
from pipelines.hosts import is_loopback
from pipelines.monitoring.webhook import check_address

DEFAULT_CONFIG = "sluice.yml"
DEFAULT_TRACKING_PLAN = "tracking_plan.yml"
# The setting of each further file → its name beside the settings file, where it is read if it is
# there.
_FILES_BESIDE = {
    "tracking_plan": DEFAULT_TRACKING_PLAN,
    "experiments": "experiments.yml",
    "changes": "changes.yml",
}


class Store(Section):
    """Who the shop is; `industry` and `region` choose the benchmarks that are nearest."""

    name: Text = "My shop"
    industry: Industry = ANY
    region: Region = ANY


class Ga4(Section):
    """How to reach the Data API: Google's own endpoint, or `host:port` of another server."""

    credentials: PlainPath | None = None
    endpoint: Endpoint | None = None

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine: plain text, and no credentials."""
        return self.endpoint is not None and is_loopback(self.endpoint)


class Property(Section):
    """One GA4 property; `time_zone` is learned from GA4 unless it is written here.

    `same_shop_as`: the id of the entry by which the same shop is read from the Data API.
    """

    id: PropertyId
    name: Line = ""
    source: Literal["data_api", "export", "shopify"] = "data_api"
    path: ExportPath | None = None
    time_zone: TimeZoneName | None = None
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    same_shop_as: PropertyId | None = None

    @property
    def is_asked(self) -> bool:
        """Whether GA4 is asked about it: it is read neither from files nor from Shopify alone."""
        return self.source == "data_api"

    @property
    def is_export(self) -> bool:
        """Whether it is read from the event export."""
        return self.source == "export"

    @property
    def is_shopify(self) -> bool:
        """Whether it is read from Shopify alone (an entry under `shopify` says how)."""
        return self.source == "shopify"

    @model_validator(mode="after")
    def _is_described(self) -> Self:
        """Where GA4 is not asked, nobody else tells zone and currency, nor where files are."""
        described = {"time_zone": self.time_zone, "currency": self.currency}
        if self.is_export:
            described = {"path": self.path, **described}
        missing = [name for name, value in described.items() if value is None]
        if not self.is_asked and missing:
            raise ValueError(
                f"property {self.id} with source {self.source} needs {' and '.join(missing)}, too"
            )
        if not self.is_export and self.path is not None:
            raise ValueError(
                f"property {self.id} has a path, which only source export reads: add "
                "'source: export', or remove it"
            )
        if not self.is_export and self.same_shop_as is not None:
            raise ValueError(
                f"property {self.id} has same_shop_as, which belongs to the entry with source "
                "export: write it there"
            )
        return self


class Nightly(Section):
    """When the nightly run starts (property-local), and how many days it pulls again."""

    at: str = Field(default="05:30", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    # GA4 keeps changing a day for up to 72 h after it ended, so the newest day and the three
    # before it are pulled: the oldest of the four is the first reading of a settled day.
    lookback_days: Count = Field(default=3, ge=0, le=400)
    attribution_days: Count = Field(default=14, ge=0, le=400)
    sweep_days: Count = Field(default=35, ge=1, le=400)
    # A night that hangs is stopped, so that the next one finds the home free (house default).
    max_hours: Number = Field(default=6, gt=0, le=24)

    @field_validator("at", mode="before")
    @classmethod
    def _two_digits(cls, value: Any) -> Any:
        return f"0{value}" if isinstance(value, str) and value[1:2] == ":" else value

    def oldest_day(self, last: date) -> date:
        """The first day that a night which ends on `last` can reach back to: that of a sweep."""
        return last - timedelta(days=self.sweep_days - 1)


class Alerts(Section):
    """Where alerts are sent (nowhere by default). The address is the key to it, so a secret."""

    webhook: SecretStr | None = None

    @field_validator("webhook")
    @classmethod
    def _safe_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            check_address(value.get_secret_value())
        return value


class Publish(Section):
    """What a published version holds, and how many are kept."""

    keep_versions: Count = Field(default=7, ge=1, le=10_000)
    parquet: bool = True
    # Whose members may read what is published; without one its owner alone.
    group: Text | None = None


class Settings(BaseSettings):
    """All of `sluice.yml`. Build it with `load_settings`; tests may call it directly."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        extra="forbid",
        frozen=True,
        # pydantic's own words would repeat what was written, which may be a secret.
        hide_input_in_errors=True,
    )

    home: PlainPath = Path("./data")
    # What counts landed days of event exports; all else is DuckDB's.
    engine: Literal["duckdb", "spark"] = "duckdb"
    store: Store = Store()
    ga4: Ga4 = Ga4()
    properties: tuple[Property, ...] = ()
    shopify: tuple[Shopify, ...] = ()
    clarity: tuple[Clarity, ...] = ()
    heatmaps: tuple[Heatmaps, ...] = ()
    tracking_plan: PlainPath | None = None
    experiments: PlainPath | None = None
    changes: PlainPath | None = None
    nightly: Nightly = Nightly()
    alerts: Alerts = Alerts()
    publish: Publish = Publish()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file (which arrives as keyword arguments)."""
        return (Environment(settings_cls), init_settings)

    @field_validator("engine", mode="before")
    @classmethod
    def _not_bigquery(cls, value: Any) -> Any:
        if value == "bigquery":
            raise ValueError(
                "no night runs in BigQuery: write 'duckdb' or 'spark'; 'sluice export-sql' prints "
                "the statements for BigQuery (docs/scale.md)"
            )
        return value

    @model_validator(mode="after")
    def _distinct_properties(self) -> Self:
        ids = [item.id for item in self.properties]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(f"property {twice[0]} is listed twice under properties")
        return self

    @model_validator(mode="after")
    def _routes_of_one_shop(self) -> Self:
        """An export is compared with an entry of the Data API, and that with one export only."""
        told = {item.id for item in self.properties if item.is_asked}
        others = [item.same_shop_as for item in self.properties if item.same_shop_as]
        if wrong := next((one for one in others if one not in told), None):
            raise ValueError(
                f"same_shop_as names property {wrong}, which no entry reads from the Data API: "
                "write the id of one that does"
            )
        if twice := next((one for one in others if others.count(one) > 1), None):
            raise ValueError(
                f"same_shop_as names property {twice} twice: only one export can be held against it"
            )
        return self

    @model_validator(mode="after")
    def _accounts_of_properties(self) -> Self:
        """Each entry of a second source is about a property, and the only one of it there."""
        ids = {item.id for item in self.properties}
        for name in SECOND_SOURCES:
            told = [entry.property for entry in getattr(self, name)]
            if wrong := next((one for one in told if one not in ids), None):
                raise ValueError(
                    f"{name} names property {wrong}, which is not under properties: add it there, "
                    "or correct the number"
                )
            if twice := next((one for one in told if told.count(one) > 1), None):
                raise ValueError(f"{name} names property {twice} twice: keep one entry of it")
        shops = {entry.property for entry in self.shopify}
        if alone := [one.id for one in self.properties if one.is_shopify and one.id not in shops]:
            raise ValueError(
                f"property {alone[0]} has source shopify, and no entry under shopify names it: add "
                "one (docs/shopify.md)"
            )
        return self

    @property
    def asks_ga4(self) -> bool:
        """Whether some property is read from the Data API."""
        return any(item.is_asked for item in self.properties)

    @property
    def landed_dir(self) -> Path:
        """The events of exports, decoded: a folder a property and day."""
        return self.home / "landed"

    @property
    def build_db(self) -> Path:
        """The database only the pipeline opens."""
        return self.home / "build.duckdb"

    @property
    def published_dir(self) -> Path:
        """Holds `versions/` and the `current` link."""
        return self.home / "published"

    @property
    def dagster_dir(self) -> Path:
        """Dagster's own home: run storage and `dagster.yaml`."""
        return self.home / "dagster"

    @property
    def logs_dir(self) -> Path:
        """Logs and dbt's artifacts of each run."""
        return self.home / "logs"

    @property
    def cache_dir(self) -> Path:
        """What can be made again at any time, and takes seconds."""
        return self.home / "cache"

    @property
    def clock(self) -> Clock:
        """What says which day it is and what data is stamped with: the home's clock."""
        return home_clock(self.home, [item.id for item in self.properties])

    @property
    def time_zone(self) -> ZoneInfo:
        """Zone of the schedule and of the day partitions: that of the first property."""
        zones = (item.time_zone for item in self.properties if item.time_zone)
        return ZoneInfo(next(zones, "UTC"))


def load_settings(path: Path | None = None) -> Settings:
    """Read and validate the settings.

    `path` (or `SLUICE_CONFIG`, or `./sluice.yml` where it exists) names the file. Relative paths
    in the file start at the file's folder, so that cron may start anywhere; relative paths in
    the environment start at the working directory.

    Raises ConfigError: missing or unreadable file, unknown key (the nearest known one is named),
    or a value that does not fit.
    """
    named = path or config_file()
    source = named or Path(DEFAULT_CONFIG)
    values = _read_file(source) if named or source.exists() else {}
    refuse_unknown_variables(Settings)
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise ConfigError(first_problem(error, Settings, source)) from error
    home = _resolved(settings.home)
    _refuse_file(home)
    files: dict[str, Path | None] = {}
    for setting, name in _FILES_BESIDE.items():
        given = getattr(settings, setting)
        files[setting] = _resolved(given) if given else _beside(source, name)
    return settings.model_copy(update={"home": home, **files})


def _beside(source: Path, name: str) -> Path | None:
    """The file of that name in the folder of the settings file, where there is one."""
    path = _resolved(source).parent / name
    # A link to nothing is a file that is missing, and no want of one.
    return path if path.is_symlink() or path.exists() else None


def _read_file(path: Path) -> dict[str, Any]:
    values = read_yaml(path, "The settings file", "compare it with sluice.example.yml", ConfigError)
    if not isinstance(values, dict | None):
        raise ConfigError(f"The settings file {path} must be a list of 'key: value' lines.")
    for name in values or {}:
        # pydantic would take another case, too, and twice.
        if name not in Settings.model_fields:
            raise ConfigError(unknown_key((name,), Settings, str(path)))
    return _from_the_file(values or {}, path.resolve().parent)


def _from_the_file(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same values with all paths starting at the file's folder."""
    ga4, listed = values.get("ga4"), values.get("properties")
    exports = [(one, "path") for one in (listed if isinstance(listed, list) else [])]
    shops, maps = values.get("shopify"), values.get("heatmaps")
    drops = [(one, "csv") for one in (shops if isinstance(shops, list) else [])]
    for one in maps if isinstance(maps, list) else []:
        if isinstance(one, dict):
            one.setdefault("columns", DEFAULT_COLUMNS)
        drops += [(one, "path"), (one, "columns")]
    files = [(values, name) for name in ("home", *_FILES_BESIDE)]
    named = (*files, (ga4, "credentials"), *exports, *drops)
    for section, name in named:
        if (
            isinstance(section, dict)
            and isinstance(path := section.get(name), str)
            and path.strip()
            # The address of an object starts nowhere else.
            and "://" not in path
        ):
            section[name] = str(folder / _expanded(Path(path)))
    return values


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ConfigError(
            f"The path {path} names the home of a user that is not known here: write it in full."
        ) from error


def _resolved(path: Path) -> Path:
    try:
        return _expanded(path).resolve()
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"The path {path} goes round in a circle: correct its links.") from error


def _refuse_file(home: Path) -> None:
    """Raises ConfigError where the home folder can never be: a file is in its place."""
    try:
        there = next(path for path in (home, *home.parents) if path.exists())
        is_folder = there.is_dir()
    except OSError as error:
        raise ConfigError(
            f"The home folder {home} cannot be looked into ({error.strerror}): correct 'home', or "
            "its permissions."
        ) from error
    if not is_folder:
        raise ConfigError(
            f"The home folder {home} cannot be there, as {there} is a file: correct 'home'."
        )
