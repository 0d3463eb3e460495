"""What a cell of a seed may hold. Values stay text, as SQL casts them; '' is NULL."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from pipelines.config.field_types import Line
from pipelines.config.validation import refuse_if, refuse_unknown

# As the database and GA4 mean letters and digits: \d and \w are those of every script.
ASCII_NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
CONDITION = rf" *({ASCII_NAME}(>= *[0-9]{{1,18}} *|=[^=&][^&]*))?"
Device = Literal["all", "desktop", "mobile", "tablet", "smart tv"]

# What a figure is of the shops that were measured: the best 20 % of them have at least `top_20`.
Statistic = Literal[
    "mean", "median", "bottom_10", "bottom_20", "bottom_25", "top_25", "top_20", "top_10",
    "mean_of_bottom_25", "mean_of_top_25",
]  # fmt: skip


def in_context(kind: str) -> AfterValidator:
    """Only a name of this kind, as the context of the validation has them."""

    def check(text: str, info: ValidationInfo) -> str:
        refuse_unknown(text, (info.context or {})[kind])
        return text

    return AfterValidator(check)


def is_day(text: str) -> bool:
    """Whether this is a day that there is, as the database reads days."""
    with suppress(ValueError):
        return date.fromisoformat(text).isoformat() == text
    return False


def _day(text: str) -> str:
    refuse_if(not is_day(text), "cannot be read: write a day as YYYY-MM-DD")
    return text


Filled = Annotated[
    Line, Field(pattern=r"^\S(.*\S)?$", description="a text without spaces around it")
]
# A key is a part of names of columns, funnels and conditions.
Name = Annotated[
    Line,
    Field(
        pattern=r"^\w[\w.-]{0,59}$",
        description="a name of letters, digits, '_', '-' and '.', 60 at most",
    ),
]
Flag = Literal["true", "false"]
Key = Annotated[str, in_context("keys")]
Day = Annotated[str, AfterValidator(_day)]
Digits = Annotated[Line, Field(pattern=r"^[0-9]{1,9}$", description="a whole number such as 3")]
# Several are joined by '|', as names of events are: a figure may stand for more than one country.
Regions = Annotated[
    Line,
    Field(
        pattern=r"^[^\s|]([^|]*[^\s|])?(\|[^\s|]([^|]*[^\s|])?)*$",
        description="'all', or countries as GA4 names them, joined by '|'",
    ),
]
Link = Annotated[
    Line, Field(pattern=r"^(https?://\S+)?$", description="an address that begins with https://")
]
Rate = Annotated[
    Line,
    Field(
        pattern=r"^([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20})([eE][-+]?[0-9]{1,2})?$",
        description="two rates with 0 <= low < high <= 1, such as 0.05 and 0.10",
    ),
]
