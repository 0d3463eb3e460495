"""`sluice simulate` and `sluice emulator`: a shop's events, and a Data API server over them."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import AsJson, notes, out, parse_day, print_json
from pipelines.cli.progress import show_work
from pipelines.config.settings import load_settings


def simulate_shop(
    out_dir: Annotated[
        Path,
        typer.Option(
            "--out", help="Folder for the events; an earlier simulation there is replaced."
        ),
    ],
    days: Annotated[int, typer.Option(min=1, help="Days to simulate.")] = 90,
    end: Annotated[str | None, typer.Option(help="Last day (default: yesterday).")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same shop.")] = 7,
    scenario: Annotated[str, typer.Option(help="Which leak is planted.")] = "none",
    leak: Annotated[
        list[str] | None,
        typer.Option(
            help="Plant one more: 'purchase*0.12 device=mobile 2026-05-01..2026-05-20'; again for "
            "another."
        ),
    ] = None,
    sessions: Annotated[int, typer.Option(min=1, help="Sessions on an average day.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Simulate a shop: events in GA4's export schema, one Parquet file a day, and the truth."""
    from pipelines.emulator.simulator import PROPERTY_ID, read_leak, simulate

    last = parse_day(end, "--end") or load_settings().clock.now().date() - timedelta(days=1)
    first = last - timedelta(days=days - 1)
    with show_work("days") as advance:
        result = simulate(
            out_dir,
            start=first,
            days=days,
            seed=seed,
            scenario=scenario,
            leaks=tuple(map(read_leak, leak or ())),
            sessions_per_day=sessions,
            progress=advance,
        )
    if as_json:
        print_json({"events": result.events, "sessions": result.sessions, "folder": out_dir})
    else:
        out.print(
            f"{result.events:,} events of {result.sessions:,} sessions of property "
            f"{PROPERTY_ID}, {first} to {last}, in {out_dir}. Next: "
            f"'sluice emulator --events {out_dir} --port 8181' serves them as GA4 would.",
            soft_wrap=True,
        )


def emulate(
    events: Annotated[list[Path], typer.Option("--events", help="Folder(s) of events.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    faults: Annotated[
        Path | None,
        typer.Option(help="YAML of faults and quota limits; read again when it changes."),
    ] = None,
    shopify_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Serve the first shop as Shopify would, too; 0 takes a free one."
        ),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="True numbers: no estimates, no rounding, no late data.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Serve events as a GA4 Data API on loopback, until Ctrl-C; in a demo's home, in its days."""
    from pipelines.emulator.server import serve
    from pipelines.emulator.shopify import serve_shopify

    clock = load_settings().clock
    with ExitStack() as servers:
        server = servers.enter_context(
            serve(events, port=port, now=clock.now, faults=faults, exact=exact)
        )
        ids = list(server.property_ids)
        shop = None
        if shopify_port is not None:
            shop = servers.enter_context(serve_shopify(events[0], port=shopify_port))
        if as_json:
            also = {"shopify": {"shop": shop.shop, "endpoint": shop.endpoint}} if shop else {}
            print_json({"endpoint": server.endpoint, "properties": ids, **also})
        else:
            out.print(f"GA4 Data API for {', '.join(ids)} on {server.endpoint}; Ctrl-C ends it.")
            if shop:
                out.print(
                    f"Shopify's API for {shop.shop} on {shop.endpoint}, token {shop.token}.",
                    soft_wrap=True,
                )
            notes.print(
                f"Next, in another terminal: sluice init --property {ids[0]} --endpoint "
                f"{server.endpoint}",
                soft_wrap=True,
            )
        # That is how it ends, and nothing is to be gone on with.
        with suppress(KeyboardInterrupt):
            server.wait()
