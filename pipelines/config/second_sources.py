"""What `sluice.yml` says of second sources: whose account or files, and of which property."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from pipelines.config.field_types import Endpoint, PlainPath, PropertyId, Section, Text
from pipelines.config.timezones import TimeZoneName

# Beside the settings file, unless an entry of heatmaps names another.
DEFAULT_COLUMNS = "heatmap_columns.yml"
# Lists whose entries are about a property each.
SECOND_SOURCES = ("shopify", "clarity", "heatmaps")
OLDEST_SHOPIFY_API = "2025-10"


class _Keyed(Section):
    """An account that a token opens: written here, as `$NAME` the variable that holds it, or what a
    command prints (its words are split as a shell does, and no shell runs them).
    """

    token: SecretStr | None = None
    token_command: Text | None = None
    endpoint: Endpoint | None = None

    @property
    def has_token(self) -> bool:
        """Whether it is said where the token comes from."""
        return self.token is not None or self.token_command is not None

    @field_validator("token")
    @classmethod
    def _filled_or_a_name(cls, value: SecretStr | None) -> SecretStr | None:
        text = "" if value is None else value.get_secret_value()
        if value is not None and not text.strip():
            raise ValueError("it is empty: write a value, or take the line out")
        if text.startswith("$") and not re.fullmatch(r"\$[A-Za-z_][A-Za-z0-9_]*", text):
            raise ValueError("after $ write the name of an environment variable, as $SHOP_TOKEN")
        return value

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        if self.token is not None and self.token_command is not None:
            raise ValueError("it has token and token_command: keep one of them")
        return self


class Shopify(_Keyed):
    """A shop of Shopify beside (or as) the property of the same shop: by its API, or CSV drops.

    `csv`: a file, or a pattern of files, of the sessions report. Their files tell no zone, so
    `time_zone` is the property's unless it is written here.
    """

    shop: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,99}\.myshopify\.com$")
    property: PropertyId
    api_version: str = Field(default="2026-07", pattern=r"^20[0-9]{2}-(01|04|07|10)$")
    csv: PlainPath | None = None
    time_zone: TimeZoneName | None = None

    @field_validator("api_version")
    @classmethod
    def _has_shopifyql(cls, value: str) -> str:
        if value < OLDEST_SHOPIFY_API:
            raise ValueError(f"ShopifyQL is there from {OLDEST_SHOPIFY_API} on: write a newer one")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.has_token and self.csv is not None:
            raise ValueError(f"shop {self.shop} has a token and csv: keep one of them")
        if not self.has_token and self.csv is None:
            raise ValueError(
                f"shop {self.shop} needs token, token_command, or csv (docs/shopify.md)"
            )
        return self


class Clarity(_Keyed):
    """A project of Microsoft Clarity for a property; its admin makes the token."""

    property: PropertyId

    @model_validator(mode="after")
    def _some_token(self) -> Self:
        if not self.has_token:
            raise ValueError("it needs token, or token_command (docs/clarity.md)")
        return self


class Heatmaps(Section):
    """Downloads of a heatmap tool for a property: a file, or a pattern of files, and what their
    columns mean.
    """

    property: PropertyId
    path: PlainPath
    columns: PlainPath = Path(DEFAULT_COLUMNS)
