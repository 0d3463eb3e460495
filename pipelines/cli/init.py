"""`sluice init`: writes `sluice.yml` from a few answers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from pipelines.cli.common import notes, out, say_warning
from pipelines.config.environment import CONFIG_VARIABLE
from pipelines.config.settings import DEFAULT_CONFIG
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from pipelines.config.init_file import Answers


def init(
    property_ids: Annotated[
        list[str] | None, typer.Option("--property", help="GA4 property id; may be repeated.")
    ] = None,
    credentials: Annotated[
        str | None,
        typer.Option(help="A service account's JSON key ('': Application Default Credentials)."),
    ] = None,
    home: Annotated[str | None, typer.Option(help="Where data goes (default: ./data).")] = None,
    name: Annotated[
        str | None, typer.Option(help="The shop's name, the title of its page.")
    ] = None,
    industry: Annotated[
        str | None, typer.Option(help="Category whose benchmarks to use (default: all).")
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Country whose benchmarks to prefer (default: all).")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="host:port of another Data API server.")
    ] = None,
    config: Annotated[
        str, typer.Option(envvar=CONFIG_VARIABLE, help="The file to write.")
    ] = DEFAULT_CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write sluice.yml; on a terminal, asks for what no option says."""
    from pipelines.config.init_file import Answers, refuse_existing
    from pipelines.config.store_names import known_industries, known_regions

    path = Path(config).expanduser()
    refuse_existing(path, force=force)
    answers = Answers(
        property_ids=tuple(property_ids or _ask_properties()),
        name=_ask("Name of the shop", name, Answers.name),
        credentials=_ask("Path of the service account's JSON key", credentials, "") or None,
        home=_ask("Where data goes", home, Answers.home),
        industry=_ask(
            _question("Category of the shop", known_industries()), industry, Answers.industry
        ),
        region=_ask(_question("Its country in English", known_regions()), region, Answers.region),
        endpoint=endpoint,
    )
    _write(path, answers)


def _question(what: str, known: frozenset[str]) -> str:
    return f"{what}, for its benchmarks (there are some of {', '.join(sorted(known))})"


def _write(path: Path, answers: Answers) -> None:
    from pipelines.config.init_file import learn_time_zones, write_config

    # Before GA4 is asked: who does not want to wait for that has a usable file.
    ga4 = write_config(path, answers, {})
    with notes.status("Asking GA4 for the time zone …"):
        zones, problems = learn_time_zones(ga4, answers.property_ids)
    if zones:
        write_config(path, answers, zones)
    for property_id, zone in zones.items():
        out.print(f"GA4 answers for property {property_id}: its days are those of {zone}.")
    for problem in problems:
        say_warning(f"GA4 told no time zone: {problem}")
    out.print(
        f"Wrote {escape(str(path))}. Next: 'sluice doctor' checks it, 'sluice nightly' publishes "
        "the first days.",
        soft_wrap=True,
    )


def _ask(question: str, given: str | None, proposal: str) -> str:
    """The option; without one, an answer on a terminal; without one, the proposal."""
    if given is not None or not sys.stdin.isatty():
        return proposal if given is None else given.strip()
    return str(typer.prompt(question, default=proposal, show_default=bool(proposal))).strip()


def _ask_properties() -> list[str]:
    if not sys.stdin.isatty():
        raise ConfigError("No property was named: use e.g. sluice init --property 123456789.")
    text = str(typer.prompt("GA4 property id (several: with commas between)"))
    return [part.strip() for part in text.split(",") if part.strip()]
