"""The `SLUICE_*` variables: which there are, and what they hold. Nothing else reads them.

And the one of Amazon's that httpfs does not read itself.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource

from pipelines.config.textfile import refuse_lines
from pipelines.errors import ConfigError
from pipelines.wording import nearest, shown

PREFIX = "SLUICE_"
CONFIG_VARIABLE = "SLUICE_CONFIG"
_JSON = {
    "properties": '[{"id": "123456789"}]',
    "shopify": '[{"shop": "my-shop.myshopify.com", "property": "123456789", "token": "$NAME"}]',
    "clarity": '[{"property": "123456789", "token": "$NAME"}]',
    "heatmaps": '[{"property": "123456789", "path": "exports/heatmaps/*.csv"}]',
}


class Environment(EnvSettingsSource):
    """`SLUICE_GA4__ENDPOINT` and `SLUICE_GA4_ENDPOINT` are the same variable."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.replace("__", "_"): value for name, value in super()._load_env_vars().items()}

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """JSON, read as the file is: numbers are text, and no key is there twice."""
        example = _JSON.get(field_name, '{"key": "value"}, or a variable for each key')
        try:
            found = json.loads(
                value,
                object_pairs_hook=_distinct,
                parse_int=str,
                parse_float=str,
                parse_constant=str,
            )
        except (json.JSONDecodeError, RecursionError) as error:
            raise _refused_json(
                field_name, f"is not valid JSON: write such as {example}"
            ) from error
        except _TwiceError as error:
            raise _refused_json(field_name, f"has the key {error} twice: keep one") from error
        if not isinstance(found, list | dict):
            raise _refused_json(field_name, f"is not of this kind: write such as {example}")
        return found


class _TwiceError(Exception):
    """A key that JSON has twice, as it may be shown."""


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for name, count in Counter(name.lower() for name, _ in pairs).items():
        if count > 1:
            raise _TwiceError(shown(name))
    return dict(pairs)


def _refused_json(field_name: str, why: str) -> ConfigError:
    return ConfigError(f"The environment variable {PREFIX}{field_name.upper()} {why}.")


def config_file() -> Path | None:
    """The settings file that `SLUICE_CONFIG` names, if it names one; raises ConfigError."""
    try:
        text = refuse_lines(os.environ.get(CONFIG_VARIABLE, ""))
    except ValueError as error:
        raise ConfigError(
            f"The environment variable {CONFIG_VARIABLE} is not usable: {error}."
        ) from error
    return Path(text) if text else None


def variable(name: str) -> str | None:
    """The value of a variable that a setting names (`token: $NAME`); None where it is not set."""
    return os.environ.get(name) or None


def store_endpoint() -> str | None:
    """The server of an object store that is not Amazon's, by the variable that all its clients
    read.
    """
    return os.environ.get("AWS_ENDPOINT_URL") or None


def refuse_unknown_variables(model: type[BaseSettings]) -> None:
    """Raises ConfigError: a variable that is no setting of `model`, or two that are the same."""
    known = {CONFIG_VARIABLE, *_variables(model, PREFIX)}
    seen: dict[str, str] = {}
    for name in os.environ:
        variable = name.replace("__", "_").upper()
        if not variable.startswith(PREFIX):
            continue
        if variable not in known or variable == CONFIG_VARIABLE != name:
            raise ConfigError(
                f"The environment variable {shown(name)} is no setting: did you mean "
                f"{nearest(variable, known)}?"
            )
        if variable in seen:
            raise ConfigError(
                f"The environment variables {seen[variable]} and {name} are the same setting: keep "
                "one."
            )
        seen[variable] = name


def variable_of(model: type[BaseSettings], location: tuple[int | str, ...]) -> str | None:
    """The variable that the value at this place comes from, if it comes from one."""
    section, *keys = map(str, location)
    written = Environment(model)().get(section)
    if written is None or (isinstance(written, dict) and keys and keys[0] not in written):
        return None
    whole = f"{PREFIX}{section}".upper()
    alone = "_".join((whole, *keys[:1])).upper()
    return alone if alone in {name.replace("__", "_").upper() for name in os.environ} else whole


def _variables(model: type[BaseModel], prefix: str) -> Iterable[str]:
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name}".upper()
        yield variable
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _variables(field.annotation, f"{variable}_")
