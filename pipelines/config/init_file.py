"""Makes a new `sluice.yml`: from a few answers to a commented file that `load_settings` accepts."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.config.settings import (
    DEFAULT_TRACKING_PLAN,
    Ga4,
    Nightly,
    Publish,
    Store,
    load_settings,
)
from pipelines.config.store_names import ANY, known_industries, known_regions
from pipelines.config.timezones import known_time_zones
from pipelines.errors import ConfigError
from pipelines.ga4.api_errors import CredentialsError, Ga4Error
from pipelines.ga4.client import connect
from pipelines.monitoring.doctor.probes import ask_property

_TEXT = """\
# Every key is also an environment variable: ga4.credentials is SLUICE_GA4_CREDENTIALS.
# Relative paths start at this file's folder. 'sluice doctor' checks all of it.
home: {home}
# `industry` and `region` choose the nearest benchmarks; `all` are those of every shop.
{industries}
{regions}
store: {{name: {name}, industry: {industry}, region: {region}}}
ga4:
  # Path of a service account's JSON key; null for Application Default Credentials.
  credentials: {credentials}
  # host:port of another server that speaks the Data API protocol; plain text on loopback only.
  endpoint: {endpoint}
properties:
  # The id is the number under Admin > Property details in GA4; the name is yours to choose.
  # time_zone is what GA4 told; without it every night asks again.
{properties}
# `at` is in the time zone of the first property; the last days are pulled again, as GA4 still
# changes them.
nightly: {{at: {at}, lookback_days: {lookback_days}}}
publish: {{keep_versions: {keep_versions}, parquet: {parquet}}}
# Events that the shop calls otherwise, or does not have, go into {tracking_plan} beside it.
"""


@dataclass(frozen=True)
class Answers:
    """What the user said; paths as typed, relative ones start at the working directory."""

    property_ids: tuple[str, ...]
    credentials: str | None = None
    home: str = "./data"
    industry: str = ANY
    region: str = ANY
    endpoint: str | None = None
    name: str = Store().name


def refuse_existing(config: Path, *, force: bool) -> None:
    """Raises ConfigError when the file is there and may not be replaced."""
    if config.exists() and not force:
        raise ConfigError(
            f"{config} is there already: change it with an editor, or replace it with --force."
        )


def write_config(config: Path, answers: Answers, zones: Mapping[str, str]) -> Ga4:
    """Write the file, or leave what was there; `zones`: property id → time zone.

    Returns how GA4 is reached with it. Raises ConfigError: an answer that does not fit, or a
    folder that cannot be written to.
    """
    _refuse_measurement_ids(answers.property_ids)
    draft = config.with_name(f".{config.name}.new")
    try:
        draft.write_text(render(answers, zones, config.parent), encoding="utf-8")
        reached = load_settings(draft).ga4
        draft.replace(config)
    except ConfigError as error:
        raise ConfigError(str(error).replace(str(draft), str(config))) from error
    except UnicodeEncodeError as error:
        raise ConfigError(
            f"{config} cannot be written: an answer holds bytes that are no UTF-8; type it again."
        ) from error
    except RuntimeError as error:
        raise ConfigError(
            f"A path begins with ~ and a user whom this machine does not know ({error}): write "
            "it in full."
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{config} cannot be written ({error.strerror}): make its folder, or correct the "
            "permissions."
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    return reached


def learn_time_zones(ga4: Ga4, property_ids: tuple[str, ...]) -> tuple[dict[str, str], list[str]]:
    """Property id → time zone as GA4 tells it, and why some did not tell."""
    try:
        client = connect(ga4)
    except CredentialsError as error:
        return {}, [str(error)]
    zones: dict[str, str] = {}
    problems: list[str] = []
    for property_id in property_ids:
        try:
            zone = ask_property(client, property_id).time_zone
        except Ga4Error as error:
            problems.append(str(error))
            continue
        if zone in known_time_zones():
            zones[property_id] = zone
        else:
            problems.append(
                f"GA4 tells no usable time zone of property {property_id} ('{zone}'): write "
                "time_zone beside its id."
            )
    return zones, problems


def render(answers: Answers, zones: Mapping[str, str], folder: Path) -> str:
    """The text of the file in `folder`."""
    nightly, publish = Nightly(), Publish()
    return _TEXT.format(
        home=_quoted(_seen_from(folder, answers.home)),
        name=_quoted(answers.name),
        industry=_quoted(answers.industry),
        region=_quoted(answers.region),
        industries=_listed("Industries", known_industries()),
        regions=_listed("Countries with figures", known_regions()),
        credentials=_quoted(_seen_from(folder, answers.credentials)),
        endpoint=_quoted(answers.endpoint),
        properties="\n".join(
            _property(one, _name(answers), zones.get(one)) for one in answers.property_ids
        ),
        at=_quoted(nightly.at),
        lookback_days=nightly.lookback_days,
        keep_versions=publish.keep_versions,
        parquet=_quoted(publish.parquet),
        tracking_plan=DEFAULT_TRACKING_PLAN,
    )


def _listed(what: str, names: Iterable[str]) -> str:
    """As comment lines, none longer than those of `_TEXT`."""
    text = f"{what}: {', '.join(sorted(names))}."
    return textwrap.fill(
        text, 98, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )


def _name(answers: Answers) -> str:
    """The shop's name is its property's; which of several is which, only its owner knows."""
    return answers.name if len(answers.property_ids) == 1 else ""


def _property(property_id: str, name: str, zone: str | None) -> str:
    known = f", time_zone: {_quoted(zone)}" if zone else ""
    return f"  - {{id: {_quoted(property_id)}, name: {_quoted(name)}{known}}}"


def _seen_from(folder: Path, typed: str | None) -> str | None:
    """A relative path would start at the file's folder, but was typed in the working directory."""
    if typed is None or typed.startswith(("/", "~")) or folder.resolve() == Path.cwd():
        return typed
    return str(Path.cwd() / typed)


def _quoted(value: str | bool | None) -> str:
    """JSON's quotes, true and null are YAML's too."""
    return json.dumps(value, ensure_ascii=False)


def _refuse_measurement_ids(property_ids: tuple[str, ...]) -> None:
    for property_id in property_ids:
        if not (property_id.isascii() and property_id.isdecimal()):
            raise ConfigError(
                f"'{property_id}' is no property id: it is a number such as 123456789, found in "
                "GA4 under Admin > Property details (G-… is a measurement id)."
            )
