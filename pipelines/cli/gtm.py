"""`sluice gtm`: a Tag Manager container for the events that GA4 does not get."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from pipelines.cli.common import AsJson, new_table, out, print_json
from pipelines.config.settings import load_settings
from pipelines.errors import ConfigError
from pipelines.wording import counted, words

if TYPE_CHECKING:
    from pipelines.gtm.events import Coverage, Selection


def gtm(
    measurement_id: Annotated[
        str, typer.Option(help="Of the shop's web stream, G-… (GA4: Admin > Data streams).")
    ],
    is_whole: Annotated[
        bool, typer.Option("--all", help="The whole tracking plan; needs no published version.")
    ] = False,
    to: Annotated[Path, typer.Option("--out", help="The file to write, .json.")] = Path(
        "sluice-gtm.json"
    ),
    property_id: Annotated[
        str | None, typer.Option("--property", help="Which, where several are published.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a Google Tag Manager container for the events of the plan that GA4 does not get.

    Tag Manager imports it (docs/tracking.md). What sends an event stands in tracking_plan.yml.
    """
    from pipelines.config.tracking_plan import load_plan
    from pipelines.gtm.container import build_container, refuse_other_file, to_json
    from pipelines.gtm.events import select_events, whole_plan
    from pipelines.gtm.measurement_id import read_measurement_id
    from pipelines.report.files import write_whole

    chosen = read_measurement_id(measurement_id)
    refuse_other_file(to)
    if is_whole and property_id is not None:
        raise ConfigError("--all is the same for every property: leave it or --property out.")
    plan = load_plan(shop=load_settings().tracking_plan)
    coverage = whole_plan(plan) if is_whole else _published(property_id)
    selection = select_events(plan, coverage)
    if selection.is_needed:
        write_whole(to, to_json(build_container(selection, chosen)))
    if as_json:
        print_json(_as_dict(selection, coverage, to))
    else:
        _print(selection, coverage, to)


def _published(property_id: str | None) -> Coverage:
    from pipelines.gtm.coverage import read_coverage
    from pipelines.warehouse.connect import published_database
    from pipelines.warehouse.published_property import chosen_property

    with published_database(load_settings().published_dir) as connection:
        return read_coverage(connection, chosen_property(connection, property_id))


def _as_dict(selection: Selection, coverage: Coverage, to: Path) -> dict[str, Any]:
    return {
        "file": str(to.resolve()) if selection.is_needed else None,
        "events": [
            {"event": one.name, "sent_on": one.kind.value, "keys": one.keys}
            for one in selection.events
        ],
        "keys_of_the_google_tag": selection.page_keys,
        "left_out": selection.left_out,
        "undecided": sorted(coverage.undecided),
    }


def _print(selection: Selection, coverage: Coverage, to: Path) -> None:
    table = new_table("event", "sent on", "for")
    for key in selection.page_keys:
        table.add_row("GA4's own", "every page, by the Google tag", words(key))
    for one in selection.events:
        table.add_row(escape(one.name), _sent_on(one.kind), ", ".join(map(words, one.keys)))
    if selection.is_needed:
        out.print(table)
    else:
        out.print("GA4 gets every event that a container could bring: nothing is written.")
    for key, why in selection.left_out.items():
        out.print(f"Not in it: {words(key)}. {escape(why)}.", soft_wrap=True)
    if coverage.undecided:
        keys = ", ".join(map(words, sorted(coverage.undecided)))
        out.print(f"Too few sessions to tell of {keys}: --all takes them, too.", soft_wrap=True)
    if selection.is_needed:
        out.print(
            f"{to.resolve()}: {counted(len(selection.events), 'event tag')} and a Google tag. In "
            "Tag Manager: Admin > Import Container > Merge > Rename (docs/tracking.md).",
            markup=False,
            soft_wrap=True,
        )


def _sent_on(kind: str) -> str:
    return "a push to the data layer" if kind == "event" else words(kind)
